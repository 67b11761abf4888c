"""The statistics of a campaign as the API tells them: sums, windows, many hours."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.management import statistics
from tests.unit.api.v2.support import Client, furnish, pointers, problem
from tests.unit.api.world import World

ADDED = (
    "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
    "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, "
    "counts_as_attempt, duration_ms, talk_ms) SELECT 'more-' || ?, 1, 1, 1, number, identity, 'x', ?, 'ended', owner, 1, '', "
    "?, ?, ?, ?, ?, ?, ?, 5, ? FROM attempt WHERE call_uuid = 'call-1'"
)


def add(
    api: World, name: object, hour: str, cause: str, disposition: str, *, number: int = 1, counts: int = 1, talk: int = 0
) -> None:
    at = f"2026-{hour}:59:59.999999"
    api.sql(ADDED, name, number, at, at, at, at, cause, disposition, counts, talk)


def short(found: list[dict[str, object]], *names: str) -> list[tuple[object, ...]]:
    return [tuple(each[name] for name in names) for each in found]


@pytest_twisted.ensureDeferred
async def test_attempts_are_told_by_all_that_tells_them_apart(api: World) -> None:
    ann = await furnish(api)
    add(api, 1, "11-23 10", "NORMAL_CLEARING", "ANSWERED", number=2, talk=1500)
    add(api, 2, "11-23 12", "NORMAL_CLEARING", "MACHINE", number=3, talk=500)
    add(api, 3, "11-23 12", "NORMAL_TEMPORARY_FAILURE", "CONGESTION", number=3, counts=0)
    found = (await ann.get("campaigns/1/statistics")).json
    assert (found["campaign_id"], found["from"], found["to"], found["live_calls"]) == (1, None, None, 0)
    assert found["totals"] == {
        "attempts": 4, "counted": 3, "answered": 2, "answer_rate": 0.6667, "talk_ms": 2000, "mean_talk_ms": 1000,
    }  # fmt: skip
    assert short(found["by_disposition"], "disposition", "attempts") == [
        ("ANSWERED", 1), ("BUSY", 1), ("CONGESTION", 1), ("MACHINE", 1),
    ]  # fmt: skip
    assert ("MACHINE", "NORMAL_CLEARING", 500) in short(found["by_cause"], "disposition", "cause", "talk_ms")
    assert short(found["by_hour"], "hour", "attempts", "answer_rate") == [
        ("2026-11-23T10:00:00Z", 2, 0.5), ("2026-11-23T12:00:00Z", 2, 1.0),
    ]  # fmt: skip
    assert short(found["by_gateway"], "gateway_id", "gateway", "attempts") == [(1, "Default_Gateway", 4)]
    assert short(found["by_number"], "number_of_attempt", "counted") == [(1, 1), (2, 1), (3, 1)]
    assert short(found["attempts_per_contact"], "attempts", "contacts") == [(0, 0), (1, 0), (2, 0), (3, 1)]
    assert sum(found["contacts"].values()) == 1


@pytest_twisted.ensureDeferred
async def test_a_window_holds_the_attempts_begun_in_it_and_the_state_of_now(api: World) -> None:
    ann = await furnish(api)
    for hour in ("11-23 09", "11-23 10", "11-23 11"):
        add(api, hour, hour, "USER_BUSY", "BUSY")
    found = (await ann.get("campaigns/1/statistics?from=2026-11-23T10:00:00Z&to=2026-11-23T12:00:00%2B01:00")).json
    assert (found["from"], found["to"]) == ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z")
    assert short(found["by_hour"], "hour", "attempts") == [("2026-11-23T10:00:00Z", 2)]
    assert found["totals"]["attempts"] == 2
    assert found["attempts_per_contact"][1]["contacts"] == 4, "of the whole campaign"
    for window, attempts in (("from=2026-11-23T11:00:00Z", 1), ("to=2026-11-23T10:00:00Z", 1), ("to=1970-01-01T00:00:00Z", 0)):
        sums = (await ann.get(f"campaigns/1/statistics?{window}")).json["totals"]
        assert sums["attempts"] == attempts
    assert (sums["answer_rate"], sums["mean_talk_ms"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("from=2026-11-23T10:30:00Z", ["from"]),
        ("from=2026-11-23T10:00:00%2B05:30", ["from"]),
        ("from=yesterday&to=1", ["from", "to"]),
        ("from=2026-11-23T10:00:00Z&to=2026-11-23T10:00:00Z", ["to"]),
        ("since=2026-11-23T10:00:00Z", ["since"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_window_is_refused_by_its_name(api: World, query: str, names: list[str]) -> None:
    reply = await (await furnish(api)).get(f"campaigns/1/statistics?{query}")
    assert problem(reply) == (400, "bad-value")
    assert pointers(reply) == names


@pytest_twisted.ensureDeferred
async def test_what_was_deleted_is_told_as_before(api: World) -> None:
    ann = await furnish(api)
    add(api, 1, "11-23 10", "NORMAL_CLEARING", "ANSWERED", number=2, talk=1500)
    before = (await ann.get("campaigns/1/statistics")).json
    api.sql("DELETE FROM attempt WHERE disposition = 'ANSWERED'")
    assert (await ann.get("campaigns/1/statistics")).json == before
    api.sql("DELETE FROM attempt")
    assert (await ann.get("campaigns/1/statistics")).json == before


@pytest_twisted.ensureDeferred
async def test_many_hours_are_read_in_steps_and_the_newest_are_told(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await furnish(api)
    for day in range(1, 13):
        for cause in ("A", "B", "C"):
            add(api, f"{day}{cause}", f"10-{day:02} 08", cause, "BUSY")
    whole = (await ann.get("campaigns/1/statistics")).json
    assert (whole["totals"]["attempts"], len(whole["by_hour"])) == (37, 13)
    for page in (1, 2, 36, 37, 38):
        monkeypatch.setattr(statistics, "PAGE", page)
        assert (await ann.get("campaigns/1/statistics")).json == whole, page
    monkeypatch.setattr(statistics, "MOST_HOURS", 3)
    few = (await ann.get("campaigns/1/statistics")).json
    assert few["by_hour"] == whole["by_hour"][-3:]
    assert {**few, "by_hour": None} == {**whole, "by_hour": None}


@pytest_twisted.ensureDeferred
async def test_nobody_sees_the_statistics_of_a_campaign_that_was_removed(api: World) -> None:
    ann: Client = await furnish(api)
    api.sql("UPDATE campaign SET archived_at = created_at")
    assert problem(await ann.get("campaigns/1/statistics")) == (404, "not-found")
