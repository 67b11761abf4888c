"""Events that have happened, page by page."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.management import past_events
from tests.unit.api.v2.support import Client, problem
from tests.unit.api.world import World


def happened(api: World, kind: str, user: int | None = 1, campaign: int | None = 1) -> None:
    api.sql(
        "INSERT INTO event (kind, at, user_id, campaign_id, call_uuid, sequence, version, data) "
        "VALUES (?, '2026-11-23 10:00:00.000000', ?, ?, '', 0, 1, '{\"name\": \"x\"}')",
        kind, user, campaign,
    )  # fmt: skip


def numbers(page: dict[str, list[dict[str, str]]]) -> list[int]:
    return [int(each["id"].rpartition("_")[2]) for each in page["data"]]


@pytest_twisted.ensureDeferred
async def test_past_events_come_newest_first_with_filters_and_only_ones_own(api: World) -> None:
    await api.campaign()
    await api.campaign("bobs", user="bob")
    for kind in ("campaign.started", "attempt.ended", "campaign.paused"):
        happened(api, kind)
    happened(api, "campaign.started", 2, 2)
    happened(api, "switch.up", 1, None)
    ann, root = Client(api), Client(api, "root")
    first = (await ann.get("past-events?limit=2")).json
    assert numbers(first) == [3, 2]
    assert (first["data"][0]["type"], first["data"][0]["data"]) == ("campaign.paused", {"name": "x"})
    rest = (await ann.get(f"past-events?limit=2&cursor={first['next_cursor']}")).json
    assert (numbers(rest), rest["has_more"]) == ([1], False)
    assert numbers((await ann.get("past-events?kinds=campaign.*")).json) == [3, 1]
    assert numbers((await root.get("past-events")).json) == [5, 4, 3, 2, 1]
    assert numbers((await root.get("past-events?campaign=2")).json) == [4]
    assert problem(await ann.get("past-events?campaign=2")) == (404, "not-found")
    assert problem(await ann.get("past-events?kinds=nonsense")) == (400, "bad-value")


@pytest_twisted.ensureDeferred
async def test_what_is_rare_is_found_over_several_pages(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.campaign()
    happened(api, "campaign.started")
    for _ in range(9):
        happened(api, "attempt.ended")
    monkeypatch.setattr(past_events, "LOOKED_AT", 4)
    found, cursor, pages = [], "", 0
    while True:
        page = (await Client(api).get(f"past-events?kinds=campaign.started{cursor}")).json
        found += numbers(page)
        pages += 1
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert (found, pages) == ([1], 3)
