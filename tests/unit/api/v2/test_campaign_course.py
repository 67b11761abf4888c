"""A campaign from its draft to its report, and contacts that are called again."""

from __future__ import annotations

import csv
import io

import orjson
import pytest_twisted

from tests.unit.api.v2.support import Client, T, everything, problem
from tests.unit.api.world import World

NEW = {"name": "spring", "gateway_id": 1, "voip_app_id": 1}


@pytest_twisted.ensureDeferred
async def test_a_draft_calls_nobody_until_it_is_started(api: World) -> None:
    ann = Client(api)
    made = (await ann.post("campaigns", {**NEW, "draft": True})).json
    assert (made["status"], made["draft"]) == ("pause", True)
    await ann.post("phonebooks/1/contacts", {"number": "+15551230001"})
    assert (await ann.get("campaigns/1/progress")).json["contacts"]["pending"] == 1
    assert problem(await ann.post("campaigns/1/resume")) == (409, "wrong-state")
    assert [each["id"] for each in (await ann.get("campaigns?draft=yes")).json["data"]] == [1]
    assert (await ann.post("campaigns/1/start")).json["draft"] is False
    assert (await ann.get("campaigns?draft=yes")).json["data"] == []
    await ann.post("campaigns/1/pause")
    assert (await ann.post("campaigns/1/resume")).json["status"] == "start"
    await ann.post("campaigns/1/stop")
    assert problem(await ann.post("campaigns/1/resume")) == (409, "wrong-state")


@pytest_twisted.ensureDeferred
async def test_why_the_dialer_has_paused_a_campaign_is_shown_until_it_is_resumed(api: World) -> None:
    ann = Client(api)
    await ann.post("campaigns", NEW)
    tag = (await ann.get("campaigns/1")).headers["etag"]
    reason = "gateway carrier refused 10 calls in a row (SIP 403)"
    api.sql(f"UPDATE campaign SET status = 2, pause_reason = '{reason}'")
    shown = await ann.get("campaigns/1")
    assert (shown.json["status"], shown.json["pause_reason"]) == ("pause", reason)
    assert shown.headers["etag"] != tag
    assert problem(await ann.patch("campaigns/1", {"pause_reason": "x"}))[0] in (400, 422)
    assert (await ann.post("campaigns/1/resume")).json["pause_reason"] == ""


@pytest_twisted.ensureDeferred
async def test_a_draft_that_is_to_be_started_at_once_is_refused(api: World) -> None:
    reply = await Client(api).post("campaigns", {**NEW, "draft": True, "status": "start"})
    assert (problem(reply), reply.json["errors"][0]["pointer"]) == ((400, "bad-value"), "#/status")
    assert api.sql("SELECT count(*) FROM campaign") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_a_removed_campaign_is_gone_and_its_live_calls_are_hung_up(api: World) -> None:
    ann = Client(api)
    await ann.post("campaigns", NEW)
    tag = (await ann.get("campaigns/1")).headers["etag"]
    await ann.patch("campaigns/1", {"frequency": 3})
    assert problem(await ann.delete("campaigns/1", headers={"If-Match": tag})) == (412, "precondition-failed")
    assert (await ann.delete("campaigns/1")).status == 204
    assert api.flow.hung_up == [1]
    assert (await ann.get("campaigns/1")).status == (await ann.delete("campaigns/1")).status == 404
    assert (await ann.get("phonebooks/1")).status == 200
    assert (await ann.delete("phonebooks/1")).status == 204
    assert (await ann.get("phonebooks/1")).status == 404


def ended(api: World, number: int, status: int, disposition: str) -> None:
    """A contact that was called once."""
    api.sql(f"UPDATE subscriber SET status = {status}, ready_at = NULL, count_attempt = 1 WHERE id = {number}")
    api.sql(
        "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
        "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, "
        f"counts_as_attempt, duration_ms, session) VALUES ('call-{number}', 1, {number}, 1, '1', '1', 'x', 1, 'ended', "
        f"'local', 1, '', '{T}', '{T}', '{T}', '{T}', 'X', '{disposition}', 1, 5, '{{}}')"
    )


async def called(api: World) -> Client:
    """A campaign of five contacts: two failed, one was reached, one was aborted, one is pending."""
    ann = Client(api)
    await ann.post("campaigns", NEW)
    for number in range(1, 6):
        await ann.post("phonebooks/1/contacts", {"number": f"+1555123000{number}", "last_name": f"N{number}"})
    for number, status, disposition in ((1, 4, "BUSY"), (2, 4, "NO_ANSWER"), (3, 5, "ANSWERED"), (4, 3, "BUSY")):
        ended(api, number, status, disposition)
    return ann


@pytest_twisted.ensureDeferred
async def test_contacts_that_failed_are_called_again(api: World) -> None:
    ann = await called(api)
    before, looks = everything(api), api.flow.looks
    dry = (await ann.post("campaigns/1/redial", {"dry_run": True})).json
    assert dry == {"looked_at": 5, "changed": 2, "after": None, "dry_run": True}
    assert (everything(api), api.flow.looks) == (before, looks)
    busy = (await ann.post("campaigns/1/redial", {"states": ["failed", "aborted"], "dispositions": ["BUSY"]})).json
    assert (busy["changed"], api.flow.looks) == (2, looks + 1)
    assert api.sql("SELECT id, status, count_attempt FROM subscriber ORDER BY id") == [
        (1, 1, 1), (2, 4, 1), (3, 5, 1), (4, 1, 1), (5, 1, 0),
    ]  # fmt: skip
    assert (await ann.post("campaigns/1/redial")).json["changed"] == 1
    assert (await ann.post("campaigns/1/redial", {"states": ["completed"]})).json["changed"] == 1


@pytest_twisted.ensureDeferred
async def test_a_redial_looks_at_no_more_than_it_may_and_goes_on_from_there(api: World, monkeypatch) -> None:
    ann = await called(api)
    monkeypatch.setattr("dialer.management.redial.AT_ONCE", 2)
    first = (await ann.post("campaigns/1/redial", {"states": ["failed", "completed", "aborted"]})).json
    assert (first["looked_at"], first["changed"], first["after"]) == (2, 2, "+15551230002")
    second = (
        await ann.post("campaigns/1/redial", {"states": ["failed", "completed", "aborted"], "after": first["after"]})
    ).json
    assert (second["changed"], second["after"]) == (2, "+15551230004")


@pytest_twisted.ensureDeferred
async def test_a_redial_leaves_removed_contacts_alone_and_takes_no_other_state(api: World) -> None:
    ann = await called(api)
    assert (await ann.delete("phonebooks/1/contacts/1")).status == 204
    assert (await ann.post("campaigns/1/redial")).json["changed"] == 1
    assert api.sql("SELECT id FROM subscriber WHERE status = 1 ORDER BY id") == [(2,), (5,)]
    assert problem(await ann.post("campaigns/1/redial", {"states": ["pending"]})) == (400, "bad-value")
    assert problem(await ann.post("campaigns/1/redial", {"states": []})) == (400, "bad-value")


@pytest_twisted.ensureDeferred
async def test_progress_and_report_tell_what_became_of_the_contacts(api: World) -> None:
    ann = await called(api)
    progress = (await ann.get("campaigns/1/progress")).json
    assert (progress["total"], progress["done"], progress["contacts"]["failed"]) == (5, 4, 2)
    rows = list(csv.DictReader(io.StringIO((await ann.get("campaigns/1/report")).text.decode())))
    assert [(row["contact"], row["state"], row["disposition"]) for row in rows][:2] == [
        ("+15551230001", "fail", "BUSY"),
        ("+15551230002", "fail", "NO_ANSWER"),
    ]
    lines = (await ann.get("campaigns/1/report?format=jsonl")).text.splitlines()
    assert [orjson.loads(line)["last_name"] for line in lines] == ["N1", "N2", "N3", "N4", "N5"]


@pytest_twisted.ensureDeferred
async def test_contacts_of_a_campaign_by_state_page_by_page(api: World) -> None:
    ann = await called(api)
    first = (await ann.get("campaigns/1/contacts?state=failed,completed&limit=2")).json
    assert [(each["number"], each["state"], each["disposition"]) for each in first["data"]] == [
        ("+15551230001", "failed", "BUSY"),
        ("+15551230002", "failed", "NO_ANSWER"),
    ]
    second = (await ann.get(f"campaigns/1/contacts?state=failed,completed&limit=2&cursor={first['next_cursor']}")).json
    assert [each["number"] for each in second["data"]] == ["+15551230003"]
    assert second["has_more"] is False
    assert len((await ann.get("campaigns/1/contacts")).json["data"]) == 5
    one = (await ann.get("campaigns/1/contacts/15551230005")).json
    assert (one["state"], one["tries"]) == ("pending", 0)
    assert (await ann.patch("campaigns/1/contacts/15551230005", {"state": "paused"})).json["state"] == "paused"
    assert problem(await ann.get("campaigns/1/contacts/15559999999")) == (404, "not-found")


@pytest_twisted.ensureDeferred
async def test_a_campaign_calls_a_further_phonebook_and_calls_it_no_more(api: World) -> None:
    ann = await called(api)
    await ann.post("phonebooks", {"name": "more"})
    for number in ("+15551230001", "+15551230009"):
        await ann.post("phonebooks/2/contacts", {"number": number})
    attached = await ann.post("campaigns/1/phonebooks", {"phonebook_id": 2}, headers={"Idempotency-Key": "k"})
    again = await ann.post("campaigns/1/phonebooks", {"phonebook_id": 2}, headers={"Idempotency-Key": "k"})
    assert attached.json == again.json == {"campaign_id": 1, "phonebook_id": 2, "added": 1}
    assert (await ann.get("campaigns/1")).json["phonebook_ids"] == [1, 2]
    assert (await ann.delete("campaigns/1/phonebooks/2")).status == 204
    assert (await ann.get("campaigns/1/progress")).json["total"] == 5
    assert problem(await ann.post("campaigns/1/phonebooks", {"phonebook_id": 77})) == (400, "bad-value")
    await ann.of("bob").post("phonebooks", {"name": "bobs"})
    assert problem(await ann.post("campaigns/1/phonebooks", {"phonebook_id": 3})) == (400, "bad-value")


@pytest_twisted.ensureDeferred
async def test_an_overview_sums_up_what_a_user_has(api: World) -> None:
    ann = await called(api)
    await ann.of("bob").post("campaigns", NEW)
    found = (await ann.get("statistics")).json
    assert (found["from"], found["to"]) == ("2026-11-22T11:00:00Z", "2026-11-23T11:00:00Z")
    assert found["campaigns"] == {"start": 1, "pause": 0, "abort": 0, "end": 0}
    assert (found["contacts"]["failed"], found["contacts"]["pending"], found["live_calls"]) == (2, 1, 0)
    assert [(each["disposition"], each["attempts"]) for each in found["by_disposition"]] == [
        ("BUSY", 2),
        ("ANSWERED", 1),
        ("NO_ANSWER", 1),
    ]
    assert (found["totals"]["attempts"], found["totals"]["answered"], found["totals"]["answer_rate"]) == (4, 1, 0.25)
    assert (await ann.get("statistics?to=2026-11-23T10:00:00Z")).json["totals"]["attempts"] == 0
    assert (await ann.of("bob").get("statistics")).json["totals"]["attempts"] == 0
    assert (await ann.of("root").get("statistics")).json["campaigns"]["start"] == 2
    for query in ("from=2026-11-23T10:00:00Z&to=2026-11-23T10:00:00Z", "from=2026-01-01T00:00:00Z"):
        assert problem(await ann.get(f"statistics?{query}")) == (400, "bad-value")
