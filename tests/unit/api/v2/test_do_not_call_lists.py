"""Do-not-call lists over the API: many numbers at once, in any spelling, with an expiry and a history."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from tests.unit.api.v2.support import Client, everything, furnish, pointers, problem
from tests.unit.api.world import World

OF = "do-not-call-lists/2"


@pytest_twisted.ensureDeferred
async def test_many_numbers_are_put_on_a_list_and_taken_off_in_any_spelling(api: World) -> None:
    ann = await furnish(api)
    given = {
        "numbers": ["+1 (555) 123-0009", "5550100", "+15551230011"],
        "reason": "asked",
        "expires_at": "2999-01-01T00:00:00Z",
    }
    assert (await ann.post(f"{OF}/entries", given)).json == {"added": 2, "already_there": 1}
    assert (await ann.post(f"{OF}/entries", {"numbers": ["5550100", "5550102"]})).json == {"added": 2, "already_there": 0}
    first = (await ann.get(f"{OF}/entries?limit=2")).json
    assert [(each["number"], each["expires_at"]) for each in first["data"]] == [
        ("+15551230009", None),
        ("+15551230011", "2999-01-01T00:00:00.000Z"),
    ]
    second = (await ann.get(f"{OF}/entries?limit=2&cursor={first['next_cursor']}")).json
    assert [each["number"] for each in second["data"]] == ["5550100", "5550102"]
    (found,) = (await ann.get(f"{OF}/entries?number=0015551230009")).json["data"]
    assert found == (await ann.get(f"{OF}/entries/15551230009")).json
    assert (await ann.get(f"{OF}/entries?number=777")).json["data"] == []
    removed = await ann.post(f"{OF}/entries/remove", {"numbers": ["0015551230011", "777"]})
    assert removed.json == {"removed": 1, "not_there": 1}
    assert (await ann.delete(f"{OF}/entries/15551230009")).status == 204
    assert problem(await ann.get(f"{OF}/entries/15551230009")) == (404, "not-found")
    history = (await ann.get(f"{OF}/history?number=5550100")).json["data"]
    assert [(each["added_by"], each["removed_by"], each["reason"]) for each in history] == [
        ("ann", "ann", "asked"),
        ("ann", "", ""),
    ]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, ["#/numbers"]),
        ({"numbers": "1000,1001"}, ["#/numbers"]),
        ({"numbers": [1000]}, ["#/numbers"]),
        ({"numbers": ["1000", "abc"]}, []),
        ({"numbers": ["1000"], "expires_at": "2001-01-01T00:00:00Z"}, ["#/expires_at"]),
        ({"numbers": ["1000"], "reason": "two\nlines", "number": "1"}, ["#/reason", "#/number"]),
        ({"numbers": ["1"] * 10_001}, ["#/numbers"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_named_and_nothing_is_changed(api: World, given: Any, wrong: list[str]) -> None:
    ann = await furnish(api)
    before = everything(api)
    reply = await ann.post(f"{OF}/entries", given)
    assert (reply.status, pointers(reply)) == (400, wrong)
    assert everything(api) == before


@pytest_twisted.ensureDeferred
async def test_lists_of_everybody_are_for_superusers_with_the_scope_admin(api: World) -> None:
    ann = await furnish(api)
    root = Client(api, "root")
    dialling = await root.with_token("read", "dial")
    for who in (ann, dialling):
        assert problem(await who.get("do-not-call-lists/1/entries")) == (403, "forbidden")
        assert problem(await who.post("do-not-call-lists/1/entries", {"numbers": ["1"]})) == (403, "forbidden")
    assert [each["id"] for each in (await dialling.get("do-not-call-lists")).json["data"]] == [2]
    assert [each["id"] for each in (await root.get("do-not-call-lists")).json["data"]] == [1, 2]
    made = await root.post("do-not-call-lists", {"name": "register"})
    assert (made.status, made.json["user_id"], made.json["added_by"]) == (201, None, "root")
    assert problem(await dialling.post("do-not-call-lists", {"name": "another"})) == (403, "forbidden")


@pytest_twisted.ensureDeferred
async def test_a_list_of_a_campaign_is_its_users(api: World) -> None:
    ann = await furnish(api)
    made = (await ann.post("do-not-call-lists", {"name": "spring", "campaign_id": 1})).json
    assert (made["user_id"], made["campaign_id"]) == (1, 1)
    assert problem(await ann.post("do-not-call-lists", {"name": "spring"})) == (409, "already-exists")
    reply = await ann.post("do-not-call-lists", {"name": "x", "campaign_id": 77})
    assert pointers(reply) == ["#/campaign_id"]
    assert (await ann.patch(f"do-not-call-lists/{made['id']}", {"name": "autumn"})).json["name"] == "autumn"
    assert (await ann.delete(f"do-not-call-lists/{made['id']}")).status == 204
    assert problem(await ann.get(f"do-not-call-lists/{made['id']}")) == (404, "not-found")


@pytest_twisted.ensureDeferred
async def test_a_request_that_comes_again_adds_once(api: World) -> None:
    ann = await furnish(api)
    for replayed in (None, "true"):
        reply = await ann.post(f"{OF}/entries", {"numbers": ["77"]}, headers={"Idempotency-Key": "k"})
        assert (reply.json, reply.headers.get("idempotent-replayed")) == ({"added": 1, "already_there": 0}, replayed)


@pytest_twisted.ensureDeferred
async def test_a_consent_is_recorded_and_a_campaign_tells_who_lacks_one(api: World) -> None:
    ann = await furnish(api)
    assert (await ann.patch("campaigns/1", {"consent": "express"})).json["consent"] == "express"
    api.sql("UPDATE subscriber SET status = 7, held_from = ready_at, ready_at = NULL, blocked_by = 'consent'")
    blocked = (await ann.get("campaigns/1/explain")).json["blocked"]
    assert blocked == [{"reason": "consent", "blocked": 1, "waiting": 0}]
    given = {"consent_basis": "written", "consent_given_at": "2026-11-23T09:00:00Z", "consent_proof": "call 17"}
    contact = (await ann.patch("phonebooks/1/contacts/1", given)).json
    assert (contact["consent_basis"], contact["consent_expires_at"], contact["consent_proof"]) == ("written", None, "call 17")
    assert (await ann.get("campaigns/1/explain")).json["blocked"] == []
    assert problem(await ann.patch("phonebooks/7/contacts/1", given)) == (404, "not-found")
    assert pointers(await ann.patch("phonebooks/1/contacts/1", {"consent_basis": "verbal"})) == ["#/consent_basis"]
    assert pointers(await ann.patch("campaigns/1", {"rests": "LOST=1"})) == ["#/rests"]
