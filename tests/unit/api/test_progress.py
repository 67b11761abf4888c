"""How far a campaign is and why it does not call, beside the campaign itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest_twisted

from dialer.model import IdleCode, IdleReason
from tests.unit.api.world import NOW, World

NOBODY = dict.fromkeys(
    ("pending", "paused", "aborted", "failed", "completed", "in_process", "not_authorised", "total", "live_calls"), 0
)


async def read(api: World, **more: Any) -> Any:
    reply = await api.get("campaign/1/", **more)
    assert reply.status == 200
    return reply.json


def ended(api: World, subscriber: int, status: int, at: str) -> None:
    """As the flow stores a call that ended at a time of that day."""
    api.sql("UPDATE subscriber SET status = ?, ready_at = NULL, count_attempt = 1 WHERE id = ?", status, subscriber)
    api.sql("UPDATE campaign SET next_call_at = ?", f"2026-11-23 {at}.000000")
    columns = {
        "call_uuid": f"call-{subscriber}-{at}",
        "campaign_id": 1,
        "subscriber_id": subscriber,
        "gateway_id": 1,
        "number": f"1555000{subscriber}",
        "dial_string": "x",
        "number_of_attempt": 1,
        "state": "ended",
        "owner": "here",
        "epoch": 1,
        "core_uuid": "",
        **dict.fromkeys(("planned_at", "due_at", "deadline"), "2026-11-23 08:00:00.000000"),
        "ended_at": f"2026-11-23 {at}.000000",
        "cause": "NORMAL_CLEARING",
        "disposition": "ANSWERED",
        "counts_as_attempt": 1,
        "duration_ms": 1000,
        "talk_ms": 2500,
    }
    marks = ", ".join("?" * len(columns))
    api.sql(f"INSERT INTO attempt ({', '.join(columns)}) VALUES ({marks})", *columns.values())


@pytest_twisted.ensureDeferred
async def test_a_new_campaign_has_nobody_to_call(api: World) -> None:
    await api.campaign()
    found = await read(api)
    assert found["progress"] == NOBODY
    assert found["idle"] == {"code": "no-switch", "text": "no switch is connected", "until": None}
    assert found["finished_at"] is None


@pytest_twisted.ensureDeferred
async def test_contacts_are_counted_by_their_state_in_words(api: World) -> None:
    await api.campaign()
    await api.campaign("other")
    words = ("pending", "paused", "aborted", "failed", "completed", "in_process", "not_authorised")
    for status in range(1, 8):
        for index in range(status):
            await api.contact(f"1555{status}{index}")
        if status > 1:
            api.sql("UPDATE subscriber SET status = ?, ready_at = NULL WHERE number LIKE ?", status, f"1555{status}%")
    api.flow.live[1] = 4
    counts = {word: number for number, word in enumerate(words, 1)}
    assert (await read(api))["progress"] == {**counts, "total": 28, "live_calls": 4}
    assert (await api.get("campaign/2/")).json["progress"] == NOBODY


@pytest_twisted.ensureDeferred
async def test_nothing_keeps_it_from_calling(api: World) -> None:
    await api.campaign()
    api.flow.reason = None
    assert (await read(api))["idle"] is None


@pytest_twisted.ensureDeferred
async def test_the_reason_tells_until_when(api: World) -> None:
    await api.campaign()
    await api.contact("15550001")
    api.sql("UPDATE subscriber SET ready_at = '2026-11-23 12:00:00.000000'")
    api.flow.reason = IdleReason(IdleCode.RETRIES_LATER, "later", NOW + timedelta(hours=2))
    assert (await read(api))["idle"] == {"code": "retries-later", "text": "later", "until": "2026-11-23 12:00:00"}
    progress = api.flow.explained[-1][1]
    assert (progress.waiting, progress.next_ready_at) == (1, NOW + timedelta(hours=2))


@pytest_twisted.ensureDeferred
async def test_it_is_finished_when_the_last_call_ended(api: World) -> None:
    await api.campaign()
    for number in (1, 2):
        await api.contact(f"1555000{number}")
    ended(api, 1, 5, "09:10:00")
    assert (await read(api))["finished_at"] is None
    ended(api, 2, 4, "09:05:00")
    assert (await read(api))["finished_at"] == "2026-11-23 09:10:00"
    api.sql("UPDATE subscriber SET status = 1, ready_at = '2026-11-23 09:30:00.000000' WHERE id = 2")
    assert (await read(api))["finished_at"] is None
    ended(api, 2, 4, "09:40:00")
    assert (await read(api))["finished_at"] == "2026-11-23 09:40:00"


@pytest_twisted.ensureDeferred
async def test_a_campaign_of_somebody_else_tells_nothing(api: World) -> None:
    await api.campaign()
    assert (await api.get("campaign/1/", user="bob")).refusal == (404, "Campaign(s) not found")
    assert api.flow.explained == []
