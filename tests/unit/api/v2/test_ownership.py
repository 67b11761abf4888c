"""Every route, asked by somebody else, and with a login that is not good for it: all from the table. A login that is not good
is refused before the database is asked for a thing."""

from __future__ import annotations

import pytest
import pytest_twisted

from api.v2.routes import Route
from api.v2.table import all_routes
from dialer.model import Scope
from tests.grounds import on_sqlite
from tests.unit.api.v2.support import Client, address, everything, filled, furnish, identified, problem, whole
from tests.unit.api.world import Reply, World

OWNED = [
    route
    for route in all_routes()
    if route.path_parameters
    and "<sound>" not in route.path
    and route.scope is not Scope.ADMIN
    and not route.path.endswith("<number>")
] + [route for route in all_routes() if route.path == "tokens/<token_id>" and route.method == "DELETE"]
"""Routes that name an object by its id."""
LISTS = [route for route in all_routes() if route.page is not None]
GUARDED = [route for route in all_routes() if route.scope is not None]
OTHER = ("gateways", "voice-applications")
"""Not a user's own: they are there for whom they are granted."""


@pytest.mark.parametrize("route", OWNED, ids=identified)
@pytest_twisted.ensureDeferred
async def test_another_users_object_is_as_if_it_did_not_exist(api: World, route: Route) -> None:
    await furnish(api)
    if route.path.startswith(OTHER):
        api.sql("DELETE FROM gateway_user WHERE user_id = 2")
        api.sql("DELETE FROM user_voip_app WHERE user_id = 2")
    bob, before = Client(api, "bob"), everything(api)
    reply = await bob.route(route)
    missing = await bob.route(route, filled(route.path).replace("1", "77"))
    assert problem(reply) == problem(missing) == (404, "not-found")
    assert reply.json["detail"] == missing.json["detail"].replace("77", "1"), "not even the words differ"
    assert everything(api) == before


@pytest.mark.parametrize("route", OWNED, ids=identified)
@pytest_twisted.ensureDeferred
async def test_its_owner_and_a_superuser_may_do_it(api: World, route: Route) -> None:
    ann = await furnish(api)
    assert (await ann.of("root").route(route)).status == route.status
    if route.method != "DELETE":
        assert (await ann.route(route)).status in (route.status, 409), "the second contact of that number is there already"


@pytest_twisted.ensureDeferred
async def test_lists_hold_the_users_own_objects_and_a_superusers_all(api: World) -> None:
    ann = await furnish(api)
    await api.campaign("bobs", user="bob")
    await ann.of("bob").post("tokens", {"name": "bobs"})
    await ann.of("bob").post("webhooks", {"url": "https://bob.example.com/", "kinds": ["*"]})
    for path in ("campaigns", "phonebooks", "tokens", "webhooks"):
        owners = {
            user: {each["user_id"] for each in (await ann.of(user).get(path)).json["data"]} for user in ("ann", "bob", "root")
        }
        assert owners == {"ann": {1}, "bob": {2}, "root": {1, 2}}, path
    assert [each["id"] for each in (await ann.get("gateways")).json["data"]] == [1]


MARKS = (b"spring", b"crm.example.com", b"15551230001", b"call-1", b'"first"')
"""Of what belongs to ann."""


@pytest.mark.parametrize("route", [route for route in GUARDED if route.reads and whole(route)], ids=identified)
@pytest_twisted.ensureDeferred
async def test_no_answer_has_anything_of_another_user(api: World, route: Route) -> None:
    ann = await furnish(api)
    reply = await ann.of("bob").route(route)
    asked = f"{address(route)}"
    assert [
        mark for mark in MARKS if mark in reply.text.replace(reply_instance(reply), b"") and mark.decode() not in asked
    ] == []


def reply_instance(reply: Reply) -> bytes:
    """The address that a problem repeats."""
    return str(reply.json["instance"]).encode() if reply.status >= 400 else b"\0"


@on_sqlite
@pytest.mark.parametrize("route", GUARDED, ids=identified)
@pytest_twisted.ensureDeferred
async def test_a_login_without_the_scope_may_not_do_it(api: World, route: Route) -> None:
    ann = await furnish(api)
    others = [scope for scope in Scope if scope is not route.scope]
    program = await ann.of("root").with_token(*others)
    before = everything(api)
    assert problem(await program.route(route)) == (403, "forbidden")
    assert everything(api) == before
    assert route.scope is not None
    owner = "root" if route.scope is Scope.ADMIN else "ann"
    program = await ann.of(owner).with_token(route.scope)
    if whole(route):
        assert (await program.route(route)).status == route.status


@on_sqlite
@pytest.mark.parametrize("route", [route for route in GUARDED if not route.reads], ids=identified)
@pytest_twisted.ensureDeferred
async def test_a_page_of_another_site_changes_nothing(api: World, route: Route) -> None:
    ann = await furnish(api)
    before = everything(api)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert problem(await ann.of("root").route(route, headers=headers)) == (403, "cross-site")
    assert everything(api) == before


@pytest.mark.parametrize("route", LISTS, ids=identified)
@pytest_twisted.ensureDeferred
async def test_a_cursor_opens_no_more_than_its_user_may_see(api: World, route: Route) -> None:
    ann = await furnish(api)
    for number in range(2):
        await api.campaign(f"bobs {number}", user="bob")
    await api.contact("15551230002")
    await ann.post("tokens", {"name": "second"})
    await ann.post("tokens", {"name": "third"})
    for user in ("ann", "bob", "bob"):
        await ann.of(user).post("webhooks", {"url": "https://more.example.com/", "kinds": ["*"]})
    page = await ann.of("root").get(address(route, "limit=1"))
    if not page.json["has_more"]:
        return
    reply = await ann.of("bob").get(address(route, f"limit=1&cursor={page.json['next_cursor']}"))
    if reply.status == 200:
        assert {each.get("user_id", 2) for each in reply.json["data"]} <= {2}
    else:
        assert reply.status in (403, 404)
