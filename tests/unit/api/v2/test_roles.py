"""Who may do what: a table of all routes, each with those who may ask it, held against what is answered.

That is decided by the login, or by questions that `test_ownership` and `test_table` ask on both kinds of database.
"""

from __future__ import annotations

from typing import Final

import pytest
import pytest_twisted

from api.v2.routes import Route
from api.v2.table import all_routes
from tests.grounds import on_sqlite
from tests.unit.api.v2.support import Client, everything, furnish, identified, problem, whole
from tests.unit.api.world import World

PUBLIC, OWN, OWNER, NAMED, GRANTED, SUPERUSER = "public", "own", "owner", "named", "granted", "superuser"
"""Anybody; every user, each for itself; the user that it belongs to, the same where a parameter names it; those that it is
granted to; superusers, who may all."""

ROLES: Final[dict[str, str]] = {
    "GET me": OWN,
    "GET tokens": OWN,
    "POST tokens": OWN,
    "GET tokens/<token_id>": OWNER,
    "DELETE tokens/<token_id>": OWNER,
    "GET campaigns": OWN,
    "POST campaigns": OWN,
    "GET campaigns/<campaign_id>": OWNER,
    "PATCH campaigns/<campaign_id>": OWNER,
    "DELETE campaigns/<campaign_id>": OWNER,
    "POST campaigns/<campaign_id>/start": OWNER,
    "POST campaigns/<campaign_id>/pause": OWNER,
    "POST campaigns/<campaign_id>/resume": OWNER,
    "POST campaigns/<campaign_id>/stop": OWNER,
    "POST campaigns/<campaign_id>/abort": OWNER,
    "POST campaigns/<campaign_id>/redial": OWNER,
    "POST campaigns/<campaign_id>/phonebooks": OWNER,
    "DELETE campaigns/<campaign_id>/phonebooks/<phonebook_id>": OWNER,
    "GET campaigns/<campaign_id>/explain": OWNER,
    "GET campaigns/<campaign_id>/progress": OWNER,
    "GET campaigns/<campaign_id>/report": OWNER,
    "GET campaigns/<campaign_id>/contacts": OWNER,
    "GET campaigns/<campaign_id>/contacts/<number>": OWNER,
    "PATCH campaigns/<campaign_id>/contacts/<number>": OWNER,
    "GET campaigns/<campaign_id>/preview": OWNER,
    "GET campaigns/<campaign_id>/preview/contacts": OWNER,
    "GET campaigns/<campaign_id>/contacts/<contact_id>/explain": OWNER,
    "GET campaigns/<campaign_id>/numbers/<number>/explain": OWNER,
    "GET campaigns/<campaign_id>/rules": OWNER,
    "GET rules": OWN,
    "GET rules/whereabouts": OWN,
    "GET calls": OWN,
    "POST calls": OWN,
    "GET calls/<call_id>": OWNER,
    "POST calls/<call_id>/cancel": OWNER,
    "GET statistics": OWN,
    "GET campaigns/<campaign_id>/statistics": OWNER,
    "GET campaigns/<campaign_id>/attempts": OWNER,
    "GET phonebooks": OWN,
    "POST phonebooks": OWN,
    "GET phonebooks/<phonebook_id>": OWNER,
    "PATCH phonebooks/<phonebook_id>": OWNER,
    "DELETE phonebooks/<phonebook_id>": OWNER,
    "GET phonebooks/<phonebook_id>/contacts": OWNER,
    "POST phonebooks/<phonebook_id>/contacts": OWNER,
    "GET phonebooks/<phonebook_id>/contacts/<contact_id>": OWNER,
    "PATCH phonebooks/<phonebook_id>/contacts/<contact_id>": OWNER,
    "DELETE phonebooks/<phonebook_id>/contacts/<contact_id>": OWNER,
    "POST phonebooks/<phonebook_id>/contacts/batch": OWNER,
    "POST phonebooks/<phonebook_id>/contacts/remove": OWNER,
    "GET contacts": OWN,
    "GET imports": OWN,
    "POST imports": NAMED,
    "GET imports/<import_id>": OWNER,
    "GET imports/<import_id>/errors": OWNER,
    "POST imports/<import_id>/start": OWNER,
    "POST imports/<import_id>/cancel": OWNER,
    "DELETE imports/<import_id>": OWNER,
    "GET attempts": OWN,
    "GET attempts/export": OWN,
    "GET attempts/<attempt_id>": OWNER,
    "GET attempts/<attempt_id>/deliveries": OWNER,
    "GET attempts/<attempt_id>/recording": OWNER,
    "DELETE attempts/<attempt_id>/recording": OWNER,
    "GET sounds": OWN,
    "POST sounds": SUPERUSER,
    "GET sounds/<sound>": OWN,
    "GET sounds/<sound>/content": OWN,
    "DELETE sounds/<sound>": SUPERUSER,
    "GET gateways": OWN,
    "GET gateways/<gateway_id>": GRANTED,
    "GET gateways/<gateway_id>/health": GRANTED,
    "POST gateways": SUPERUSER,
    "PATCH gateways/<gateway_id>": SUPERUSER,
    "DELETE gateways/<gateway_id>": SUPERUSER,
    "GET voice-applications": OWN,
    "GET voice-applications/<voip_app_id>": GRANTED,
    "POST voice-applications": SUPERUSER,
    "PATCH voice-applications/<voip_app_id>": SUPERUSER,
    "DELETE voice-applications/<voip_app_id>": SUPERUSER,
    "GET users": SUPERUSER,
    "POST users": SUPERUSER,
    "GET users/<user_id>": SUPERUSER,
    "PATCH users/<user_id>": SUPERUSER,
    "DELETE users/<user_id>": SUPERUSER,
    "POST users/<user_id>/grant": SUPERUSER,
    "POST users/<user_id>/revoke": SUPERUSER,
    "GET nodes": SUPERUSER,
    "GET nodes/<node>": SUPERUSER,
    "DELETE nodes/<node>": SUPERUSER,
    "GET switches": SUPERUSER,
    "GET switches/<switch>": SUPERUSER,
    "POST switches/<switch>/drain": SUPERUSER,
    "POST switches/<switch>/resume": SUPERUSER,
    "GET caller-id-pools": OWN,
    "POST caller-id-pools": OWN,
    "GET caller-id-pools/<pool_id>": OWNER,
    "PATCH caller-id-pools/<pool_id>": OWNER,
    "DELETE caller-id-pools/<pool_id>": OWNER,
    "GET caller-id-pools/<pool_id>/use": OWNER,
    "GET caller-ids": OWN,
    "POST caller-ids": NAMED,
    "GET caller-ids/<caller_id>": OWNER,
    "PATCH caller-ids/<caller_id>": OWNER,
    "DELETE caller-ids/<caller_id>": OWNER,
    "POST caller-ids/<caller_id>/rest": OWNER,
    "GET caller-ids/<caller_id>/days": OWNER,
    "GET do-not-call": SUPERUSER,
    "POST do-not-call": SUPERUSER,
    "GET do-not-call/<number>": SUPERUSER,
    "DELETE do-not-call/<number>": SUPERUSER,
    "GET do-not-call-lists": OWN,
    "POST do-not-call-lists": OWN,
    "GET do-not-call-lists/<list_id>": OWNER,
    "PATCH do-not-call-lists/<list_id>": OWNER,
    "DELETE do-not-call-lists/<list_id>": OWNER,
    "GET do-not-call-lists/<list_id>/entries": OWNER,
    "POST do-not-call-lists/<list_id>/entries": OWNER,
    "POST do-not-call-lists/<list_id>/entries/remove": OWNER,
    "GET do-not-call-lists/<list_id>/entries/<number>": OWNER,
    "DELETE do-not-call-lists/<list_id>/entries/<number>": OWNER,
    "GET do-not-call-lists/<list_id>/history": OWNER,
    "GET webhooks": OWN,
    "POST webhooks": OWN,
    "GET webhooks/<webhook_id>": OWNER,
    "PATCH webhooks/<webhook_id>": OWNER,
    "DELETE webhooks/<webhook_id>": OWNER,
    "POST webhooks/<webhook_id>/enable": OWNER,
    "POST webhooks/<webhook_id>/rotate": OWNER,
    "POST webhooks/<webhook_id>/test": OWNER,
    "POST webhooks/<webhook_id>/replay": OWNER,
    "GET webhooks/<webhook_id>/deliveries": OWNER,
    "GET webhooks/<webhook_id>/deliveries/<delivery_id>": OWNER,
    "POST webhooks/<webhook_id>/deliveries/<delivery_id>/replay": OWNER,
    "GET events": OWN,
    "GET past-events": OWN,
    "GET openapi.json": PUBLIC,
    "GET problems": PUBLIC,
}

DONE, UNKNOWN, FORBIDDEN, MISSING = "done", (401, "unauthorized"), (403, "forbidden"), (404, "not-found")
REFUSED = (400, "bad-value")

EXPECTED: Final = {
    PUBLIC: {None: DONE, "bob": DONE, "ann": DONE, "root": DONE},
    OWN: {None: UNKNOWN, "bob": DONE, "ann": DONE, "root": DONE},
    NAMED: {None: UNKNOWN, "bob": REFUSED, "ann": DONE, "root": DONE},
    OWNER: {None: UNKNOWN, "bob": MISSING, "ann": DONE, "root": DONE},
    GRANTED: {None: UNKNOWN, "bob": MISSING, "ann": DONE, "root": DONE},
    SUPERUSER: {None: UNKNOWN, "bob": FORBIDDEN, "ann": FORBIDDEN, "root": DONE},
}
"""What each is answered: ann has everything, bob nothing, root is a superuser, and None has no login."""


def test_every_route_has_a_row() -> None:
    assert sorted(map(identified, all_routes())) == sorted(ROLES)


def expected(route: Route) -> dict[str | None, object]:
    """What each is answered by a route."""
    return EXPECTED[ROLES[identified(route)]]


def take_grants(api: World, route: Route) -> None:
    """Bob is granted nothing where a route is for those that a thing belongs to, or is granted to."""
    if ROLES[identified(route)] in (OWNER, NAMED, GRANTED):
        api.sql("DELETE FROM gateway_user WHERE user_id = 2")
        api.sql("DELETE FROM user_voip_app WHERE user_id = 2")


@on_sqlite
@pytest.mark.parametrize("route", all_routes(), ids=identified)
@pytest_twisted.ensureDeferred
async def test_whoever_may_not_do_it_is_refused_and_nothing_changes(api: World, route: Route) -> None:
    await furnish(api)
    take_grants(api, route)
    before = everything(api)
    for user, refusal in expected(route).items():
        if refusal != DONE:
            reply = await Client(api, user).route(route)
            assert problem(reply) == refusal, user
            if user is None:
                assert reply.headers["www-authenticate"].startswith('Bearer realm="dialer", Basic realm="dialer"')
            assert everything(api) == before, user


@on_sqlite
@pytest.mark.parametrize(
    ("route", "user"),
    [
        pytest.param(route, user, id=f"{identified(route)}-{user}")
        for route in filter(whole, all_routes())
        for user, answer in expected(route).items()
        if answer == DONE
    ],
)
@pytest_twisted.ensureDeferred
async def test_whoever_may_do_it_does(api: World, route: Route, user: str | None) -> None:
    await furnish(api)
    take_grants(api, route)
    reply = await Client(api, user).route(route)
    assert reply.status == route.status, reply
