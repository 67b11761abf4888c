"""Webhooks over HTTP: a secret is told twice in its life, addresses that are not public are refused, and what is sent again
keeps its ids."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
import pytest_twisted
from standardwebhooks import Webhook as Signed

from dialer.envelope import outward_id
from dialer.interfaces import ReceiverAnswer
from dialer.wall_clock import utc_now
from tests.unit.api.v2.support import Client, Sent, furnish, pointers, problem
from tests.unit.api.world import NOW, World

GIVEN = {"url": "https://crm.example.com/dialer", "kinds": ["attempt.ended", "contact.*"]}
ONE = {"Idempotency-Key": "one"}


@pytest_twisted.ensureDeferred
async def test_a_webhook_is_added_read_changed_and_removed(api: World) -> None:
    ann = Client(api)
    made = (await ann.post("webhooks", GIVEN)).json
    assert (made["user_id"], made["kinds"], made["batch_size"], made["status"]) == (1, GIVEN["kinds"], 1, "active")
    read = (await ann.get("webhooks/1")).json
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert "position" not in read, "it would make another ETag of each event"
    changed = (await ann.patch("webhooks/1", {"kinds": ["*"], "batch_size": 50})).json
    assert (changed["url"], changed["kinds"], changed["batch_size"]) == (GIVEN["url"], ["*"], 50)
    assert (await ann.patch("webhooks/1", {"batch_size": None})).json["batch_size"] == 1
    assert (await ann.delete("webhooks/1")).status == 204
    assert problem(await ann.get("webhooks/1")) == (404, "not-found")


@pytest_twisted.ensureDeferred
async def test_a_secret_is_told_when_it_is_made_and_never_again(api: World) -> None:
    ann = Client(api)
    first = (await ann.post("webhooks", GIVEN, headers=ONE)).json["secret"]
    second = (await ann.post("webhooks/1/rotate", headers={"Idempotency-Key": "two"})).json["secret"]
    assert first.startswith("whsec_")
    assert second.startswith("whsec_")
    assert first != second
    for reply in (
        await ann.get("webhooks"),
        await ann.get("webhooks/1"),
        await ann.patch("webhooks/1", {"batch_size": 2}),
        await ann.post("webhooks/1/enable"),
        await ann.post("webhooks", GIVEN, headers=ONE),
        await ann.post("webhooks/1/rotate", headers={"Idempotency-Key": "two"}),
    ):
        assert b"whsec_" not in reply.text
    assert "whsec_" not in repr(api.sql("SELECT body FROM idempotency_key"))


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "http://crm.example.com/",
        "https://crm.example.com:22/",
        "https://user:word@crm.example.com/",
        "crm.example.com",
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_address_that_is_not_public_or_is_none_is_refused(api: World, url: str) -> None:
    ann = Client(api)
    reply = await ann.post("webhooks", {**GIVEN, "url": url})
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["#/url"])
    await ann.post("webhooks", GIVEN)
    assert pointers(await ann.patch("webhooks/1", {"url": url})) == ["#/url"]
    assert (await ann.get("webhooks/1")).json["url"] == GIVEN["url"]


@pytest.mark.parametrize("kinds", [[], ["nothing.*"], ["attempt.ended campaign.*"], "attempt.ended", [1], None, [["*"]]])
@pytest_twisted.ensureDeferred
async def test_kinds_that_are_none_are_refused_with_those_that_there_are(api: World, kinds: Any) -> None:
    reply = await Client(api).post("webhooks", {**GIVEN, "kinds": kinds})
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["#/kinds"])
    assert "attempt.ended" in reply.json["errors"][0]["detail"]


@pytest_twisted.ensureDeferred
async def test_a_campaign_of_somebody_else_is_pointed_at(api: World) -> None:
    await api.campaign("bobs", user="bob")
    reply = await Client(api).post("webhooks", {**GIVEN, "campaign_id": 1})
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["#/campaign_id"])
    assert (await Client(api, "bob").post("webhooks", {**GIVEN, "campaign_id": 1})).json["campaign_id"] == 1


@pytest_twisted.ensureDeferred
async def test_a_user_has_twenty_webhooks(api: World) -> None:
    ann = Client(api)
    for _ in range(20):
        assert (await ann.post("webhooks", GIVEN)).status == 201
    assert problem(await ann.post("webhooks", GIVEN)) == (403, "limit-exceeded")


@pytest_twisted.ensureDeferred
async def test_who_comes_second_changes_nothing(api: World) -> None:
    ann = Client(api)
    await ann.post("webhooks", GIVEN)
    seen = (await ann.get("webhooks/1")).headers["etag"]
    api.sql("UPDATE webhook SET position = 1000")
    changed = await ann.patch("webhooks/1", {"batch_size": 2}, headers={"If-Match": seen})
    assert changed.status == 200, "events that were sent are no change"
    assert problem(await ann.patch("webhooks/1", {"batch_size": 3}, headers={"If-Match": seen})) == (
        412,
        "precondition-failed",
    )
    assert problem(await ann.delete("webhooks/1", headers={"If-Match": seen})) == (412, "precondition-failed")
    assert (await ann.delete("webhooks/1", headers={"If-Match": changed.headers["etag"]})).status == 204


@pytest_twisted.ensureDeferred
async def test_a_trial_is_signed_and_tells_what_came_back(api: World) -> None:
    ann, sent = Client(api), Sent()
    api.management.sender = sent
    api.management.now = utc_now
    secret = (await ann.post("webhooks", GIVEN)).json["secret"]
    reply = await ann.post("webhooks/1/test")
    assert reply.json == {"arrived": True, "http_status": 204, "milliseconds": 12, "error": ""}
    ((url, headers, body),) = sent.requests
    assert url == GIVEN["url"]
    assert headers["webhook-id"] == orjson.loads(body)["id"]
    assert Signed(secret).verify(body, headers)["type"] == "webhook.test"
    for answer, told in (
        (ReceiverAnswer(status=500, milliseconds=3), {"arrived": False, "http_status": 500, "error": "the answer was 500"}),
        (
            ReceiverAnswer(error="10.0.0.1 is no public address"),
            {"http_status": None, "error": "10.0.0.1 is no public address"},
        ),
    ):
        sent.answer = answer
        found = (await ann.post("webhooks/1/test")).json
        assert {name: found[name] for name in told} == told


@pytest_twisted.ensureDeferred
async def test_a_trial_with_a_key_is_sent_once_and_has_one_id_whatever_happens_to_its_answer(api: World) -> None:
    ann, sent = Client(api), Sent()
    api.management.sender = sent
    await ann.post("webhooks", GIVEN)
    first = await ann.post("webhooks/1/test", headers=ONE)
    again = await ann.post("webhooks/1/test", headers=ONE)
    assert (len(sent.requests), again.json, again.headers["idempotent-replayed"]) == (1, first.json, "true")
    api.sql("DELETE FROM idempotency_key")  # as if the process had died before it was stored
    await ann.post("webhooks/1/test", headers=ONE)
    assert len({headers["webhook-id"] for _, headers, _ in sent.requests}) == 1
    await ann.post("webhooks/1/test", headers={"Idempotency-Key": "two"})
    await ann.post("webhooks/1/test")
    assert len({headers["webhook-id"] for _, headers, _ in sent.requests}) == 3


@pytest_twisted.ensureDeferred
async def test_deliveries_are_listed_and_one_is_sent_again_with_the_same_events(api: World) -> None:
    ann = await furnish(api)
    assert (await ann.get("webhooks/1/deliveries?status=due")).json["data"] == []
    (dead,) = (await ann.get("webhooks/1/deliveries?status=dead")).json["data"]
    event = outward_id(api.database.installation_id, 1)
    assert (dead["events"], dead["attempts"], dead["http_status"], dead["tries"]) == ([event], ["call-1"], 500, 10)
    assert dead == (await ann.get("webhooks/1/deliveries/1")).json
    again = (await ann.post("webhooks/1/deliveries/1/replay", headers=ONE)).json
    assert (again["events"], again["status"], again["tries"]) == ([event], "due", 0)
    await ann.post("webhooks/1/deliveries/1/replay", headers=ONE)
    assert [each["id"] for each in (await ann.get("webhooks/1/deliveries")).json["data"]] == [2, 1]
    api.sql("DELETE FROM event")
    reply = await ann.post("webhooks/1/deliveries/1/replay")
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["delivery_id"])


@pytest_twisted.ensureDeferred
async def test_a_time_is_sent_again_and_a_request_with_a_key_does_it_once(api: World) -> None:
    ann = await furnish(api)
    api.management.now = lambda: NOW + timedelta(hours=1)
    given = {"since": "2026-11-23T10:00:00Z"}
    assert (await ann.post("webhooks/1/replay", given, headers=ONE)).json == {"events": 1, "last": None}
    assert (await ann.post("webhooks/1/replay", given, headers=ONE)).json == {"events": 1, "last": None}
    assert api.sql("SELECT count(*) FROM webhook_delivery WHERE status = 'due'") == [(1,)]
    assert (await ann.post("webhooks/1/replay", {**given, "until": "2026-11-23T10:00:01+00:00"})).json["events"] == 1
    assert (await ann.post("webhooks/1/replay", {"since": "2026-11-23T10:00:01Z"})).json["events"] == 0
    reply = await ann.post("webhooks/1/replay", {**given, "until": "2026-11-23T10:00:00Z"})
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["#/until"])
    assert pointers(await ann.post("webhooks/1/replay", {})) == ["#/since"]


@pytest_twisted.ensureDeferred
async def test_a_disabled_webhook_is_told_again(api: World) -> None:
    ann = await furnish(api)
    api.sql("UPDATE webhook SET status = 'disabled', reason = 'the receiver answered 410: it is gone'")
    assert (await ann.get("webhooks/1")).json["reason"].startswith("the receiver")
    enabled = (await ann.post("webhooks/1/enable")).json
    assert (enabled["status"], enabled["reason"], enabled["failing_since"]) == ("active", "", None)
