"""Lists: page by page, whatever comes and goes meanwhile; and cursors that are none."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st

from api.v2 import pages
from api.v2.problems import Problem
from api.v2.table import all_routes
from tests.grounds import on_sqlite
from tests.unit.api.v2.support import Client, address, filled, furnish, identified, pointers, problem
from tests.unit.api.world import World

LISTS = [route for route in all_routes() if route.page is not None]


async def names(client: Client, path: str, limit: int) -> list[list[Any]]:
    """The names of all pages."""
    found, cursor = [], ""
    while cursor is not None:
        page = (await client.get(f"{path}?limit={limit}{cursor and f'&cursor={cursor}'}")).json
        assert page["has_more"] == (page["next_cursor"] is not None)
        found.append([each.get("name") or each["number"] for each in page["data"]])
        cursor = page["next_cursor"]
    return found


@pytest_twisted.ensureDeferred
async def test_pages_hold_everything_once_in_order(api: World) -> None:
    ann = Client(api)
    for name in "abcde":
        await ann.post("phonebooks", {"name": name})
    assert await names(ann, "phonebooks", 2) == [["e", "d"], ["c", "b"], ["a"]]
    assert await names(ann, "phonebooks", 5) == [["e", "d", "c", "b", "a"]]
    for number in ("+15551230003", "+15551230001", "+15551230002"):
        await ann.post("phonebooks/1/contacts", {"number": number})
    assert await names(ann, "phonebooks/1/contacts", 1) == [["+15551230003"], ["+15551230001"], ["+15551230002"]]
    root = Client(api, "root")
    for number in ("+15551230003", "+15551230001", "+15551230002"):
        await root.post("do-not-call", {"number": number})
    assert await names(root, "do-not-call", 2) == [["+15551230001", "+15551230002"], ["+15551230003"]]


@pytest_twisted.ensureDeferred
async def test_what_comes_and_goes_between_two_pages_makes_nobody_appear_twice_or_be_left_out(api: World) -> None:
    ann = Client(api)
    for name in "abcdef":
        await ann.post("phonebooks", {"name": name})
    first = (await ann.get("phonebooks?limit=2")).json
    assert [each["name"] for each in first["data"]] == ["f", "e"]
    await ann.post("phonebooks", {"name": "newest"})
    api.sql("DELETE FROM phonebook WHERE name IN ('e', 'c')")
    second = (await ann.get(f"phonebooks?limit=2&cursor={first['next_cursor']}")).json
    assert [each["name"] for each in second["data"]] == ["d", "b"]
    third = (await ann.get(f"phonebooks?limit=2&cursor={second['next_cursor']}")).json
    assert ([each["name"] for each in third["data"]], third["has_more"]) == (["a"], False)


@pytest_twisted.ensureDeferred
async def test_a_page_is_as_long_as_it_is_asked_for(api: World) -> None:
    ann = Client(api)
    for number in range(27):
        await ann.post("phonebooks", {"name": f"{number}"})
    assert len((await ann.get("phonebooks")).json["data"]) == 25
    assert len((await ann.get("phonebooks?limit=100")).json["data"]) == 27
    for limit in ("0", "101", "-1", "x", ""):
        reply = await ann.get(f"phonebooks?limit={limit}")
        assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["limit"])


@on_sqlite
@pytest.mark.parametrize("route", LISTS, ids=identified)
@pytest_twisted.ensureDeferred
async def test_a_parameter_that_is_not_taken_is_refused(api: World, route: Any) -> None:
    await furnish(api)
    reply = await Client(api, "root").get(address(route, "color=red&limit=1"))
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["color"])


@pytest_twisted.ensureDeferred
async def test_filters_are_those_of_the_table(api: World) -> None:
    ann = await furnish(api)
    await api.campaign("autumn")
    await ann.post("campaigns/3/pause")
    found = {
        status: [each["name"] for each in (await ann.get(f"campaigns?status={status}")).json["data"]]
        for status in ("start", "pause", "abort", "end")
    }
    assert found == {"start": ["spring"], "pause": ["autumn"], "abort": [], "end": []}
    assert [each["id"] for each in (await ann.get("phonebooks?name=autumn")).json["data"]] == [3]
    assert pointers(await ann.get("campaigns?status=1")) == ["status"]


def damaged(cursor: str) -> list[str]:
    inner = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    return [
        "x",
        "%00",
        "é",
        "=" * 500,
        "a" * 500,
        cursor[:-1],
        cursor + "A",
        base64.urlsafe_b64encode(inner[:-1] + b"9").decode(),
        base64.urlsafe_b64encode(inner[6:]).decode(),
    ]


@pytest.mark.parametrize("route", LISTS, ids=identified)
@pytest_twisted.ensureDeferred
async def test_a_damaged_cursor_or_one_of_another_list_is_refused(api: World, route: Any) -> None:
    ann, path = await furnish(api), filled(route.path)
    root = ann.of("root")
    await api.campaign("second")
    whole = (await root.get("campaigns?limit=1")).json["next_cursor"]
    for cursor in [*damaged(whole), *([whole] if path != "campaigns" else [])]:
        reply = await root.get(f"{path}?cursor={cursor}")
        assert (reply.status, pointers(reply)) == (400, ["cursor"]), cursor
    if path == "campaigns":
        assert problem(await root.get(f"campaigns?status=start&cursor={whole}")) == (400, "bad-cursor")


@pytest.mark.parametrize("route", [route for route in LISTS if route.page.by is str], ids=identified)
@pytest_twisted.ensureDeferred
async def test_a_place_that_no_list_has_is_refused(api: World, route: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await furnish(api)
    root = Client(api, "root")
    for place, statuses in (
        ("a\0b", (400,)), ("9999-12-31T23:59:59-23:59 1", (200, 400)), (f"x {2**70}", (200, 400)),
    ):  # fmt: skip
        monkeypatch.setattr(pages, "place", lambda *_, place=place: place)
        assert (await root.get(address(route, "cursor=x"))).status in statuses, place


LIST = pages.identity("campaigns", {"status": "start"})


@given(st.integers(0, 2**63 - 1) | st.text(max_size=64))
def test_a_cursor_leads_back_to_its_place(place: int | str) -> None:
    assert pages.place(pages.cursor(place, LIST), LIST, type(place)) == place
    other = pages.identity("campaigns", {"status": "pause"})
    with pytest.raises(Problem):
        pages.place(pages.cursor(place, LIST), other, type(place))
    with pytest.raises(Problem):
        pages.place(pages.cursor(place, LIST), LIST, int if isinstance(place, str) else str)


@given(st.text(max_size=80))
def test_any_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(Problem):
        pages.place(text, LIST, int)


@pytest_twisted.ensureDeferred
async def test_the_attempts_of_a_campaign_are_records_of_calls(api: World) -> None:
    ann = await furnish(api)
    page = (await ann.get("campaigns/1/attempts")).json
    (attempt,) = page["data"]
    assert (page["has_more"], attempt["attempt_id"], attempt["disposition"]) == (False, "call-1", "BUSY")
    assert attempt == (await ann.get("attempts/call-1")).json
    assert (attempt["planned_at"], attempt["counts"], attempt["session"]) == ("2026-11-23T10:00:00.000Z", True, {})
