"""Lists in an order that the client chooses."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import pytest_twisted

from api.v2 import pages
from api.v2.routes import Route
from api.v2.table import all_routes
from tests.unit.api.v2.support import Client, address, filled, furnish, identified, problem
from tests.unit.api.world import World

SORTED = [route for route in all_routes() if route.page is not None and route.page.sorting is not None]


async def all_of(client: Client, path: str, name: str, query: str) -> list[Any]:
    """A member of all entries, a page of two at a time."""
    found: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = (await client.get(f"{path}?limit=2&{query}{cursor and f'&cursor={cursor}'}")).json
        found += [each[name] for each in page["data"]]
        cursor = page["next_cursor"]
    return found


@pytest_twisted.ensureDeferred
async def test_a_list_comes_in_the_order_that_is_asked_for_page_by_page(api: World) -> None:
    ann, bob = Client(api), Client(api, "bob")
    for name in ("b", "d", "a"):
        await ann.post("phonebooks", {"name": name})
    for name in ("b", "c"):
        await bob.post("phonebooks", {"name": name})
    root = ann.of("root")
    assert await all_of(root, "phonebooks", "name", "sort=name") == ["a", "b", "b", "c", "d"]
    assert await all_of(root, "phonebooks", "name", "sort=-name") == ["d", "c", "b", "b", "a"]
    assert await all_of(root, "phonebooks", "id", "sort=id") == [1, 2, 3, 4, 5]
    assert await all_of(root, "phonebooks", "id", "sort=-created_at") == [5, 4, 3, 2, 1], "all at the same moment"
    for number in ("+15551230003", "+15551230001", "+15551230002"):
        await ann.post("phonebooks/1/contacts", {"number": number})
    assert await all_of(ann, "phonebooks/1/contacts", "id", "sort=number") == [2, 3, 1]
    assert await all_of(ann, "phonebooks/1/contacts", "id", "sort=-number") == [1, 3, 2]
    assert await all_of(ann, "phonebooks/1/contacts", "id", "sort=-id") == [3, 2, 1]


@pytest.mark.parametrize("route", SORTED, ids=identified)
@pytest_twisted.ensureDeferred
async def test_every_order_is_taken_and_no_other(api: World, route: Route) -> None:
    await furnish(api)
    root = Client(api, "root")
    assert route.page is not None
    assert route.page.sorting is not None
    for name in route.page.sorting.fields:
        for sort in (name, f"-{name}"):
            assert (await root.get(address(route, f"sort={sort}&limit=1"))).status == 200, sort
    assert problem(await root.get(address(route, "sort=password_hash"))) == (400, "bad-value")


LATE = "9999-12-31T23:59:59-23:59"
"""A moment that is none in UTC."""


@pytest.mark.parametrize(
    "place", [["x", 1], [1], ["x"], ["x", "1"], ["x", -1], ["a\0", 1], [1, 1], [None, 1], [LATE, 1], {}, "x", 1]
)
@pytest_twisted.ensureDeferred
async def test_a_place_that_there_cannot_be_is_refused(api: World, place: Any) -> None:
    ann = await furnish(api)
    for sort in ("id", "name", "created_at"):
        of = pages.identity(filled("phonebooks"), {"sort": sort})
        cursor = pages.cursor(place, of)
        reply = await ann.get(f"phonebooks?sort={sort}&cursor={cursor}")
        good = (sort, orjson.dumps(place)) in (("name", b'["x",1]'), ("name", orjson.dumps([LATE, 1])), ("id", b"[1,1]"))
        assert reply.status == (200 if good else 400), (sort, place)
