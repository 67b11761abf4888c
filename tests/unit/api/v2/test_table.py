"""The table of routes, and the document that is made of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
import pytest_twisted

from api.authentication import Authentication
from api.v2 import openapi, table
from api.v2.app import build_app
from api.v2.routes import PREFIX, Route
from api.v2.table import all_routes
from dialer.model import Scope
from dialer.settings import HttpSettings
from tests.grounds import on_sqlite
from tests.unit.api.v2.support import DOCUMENT, GIVEN, Client, address, furnish, identified, routes, whole
from tests.unit.api.world import World

COMMITTED = Path(__file__).parents[4] / "docs" / "openapi-v2.json"
PUBLIC = {"openapi.json", "problems"}


def test_the_committed_document_is_what_the_routes_say() -> None:
    assert COMMITTED.read_bytes() == openapi.text(all_routes()), "run: python docs/write.py"


def test_every_address_that_klein_serves_is_in_the_document() -> None:
    backend: Any = None
    klein = build_app(backend, Authentication(backend, HttpSettings(), backend), backend)
    served = {
        (PREFIX + re.sub(r"<(\w+)>", r"{\1}", rule.rule.strip("/")), method.lower())
        for rule in klein.url_map.iter_rules()
        for method in (rule.methods or ()) - {"HEAD"}
    }
    assert served == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_the_document_holds_together() -> None:
    text = orjson.dumps(DOCUMENT).decode()
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) == set(DOCUMENT["components"]["schemas"])
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
    names = [operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names) == len(all_routes())


def test_a_module_that_is_left_out_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "RESOURCES", table.RESOURCES[1:])
    assert COMMITTED.read_bytes() != openapi.text(table.all_routes.__wrapped__())


@pytest.mark.parametrize("route", all_routes(), ids=identified)
def test_a_route_asks_for_the_scope_that_its_method_deserves(route: Route) -> None:
    assert route.summary.endswith("."), "its function says what it does"
    if route.path in PUBLIC:
        assert (route.method, route.scope) == ("GET", None)
    elif route.reads:
        assert route.scope in (Scope.READ, Scope.ADMIN)
    else:
        assert route.scope in (Scope.DIAL, Scope.ADMIN)


@pytest.mark.parametrize("route", list(filter(whole, all_routes())), ids=identified)
@pytest_twisted.ensureDeferred
async def test_what_is_answered_is_as_documented(api: World, route: Route) -> None:
    await furnish(api)
    reply = await Client(api, "root").route(route)
    assert reply.status == route.status, reply
    if route.location:
        assert (await Client(api, "root").get(reply.headers["location"].removeprefix(PREFIX))).status == 200


@pytest.mark.parametrize("route", [route for route in all_routes() if route.body is not None], ids=identified)
def test_a_body_that_is_taken_fits_its_schema(route: Route) -> None:
    assert route.body is not None
    schema = {**route.body.schema, "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(GIVEN[route.method, route.path])


@on_sqlite
@pytest.mark.parametrize("route", list(filter(whole, routes(reads=True))), ids=identified)
@pytest_twisted.ensureDeferred
async def test_head_is_get_without_the_body(api: World, route: Route) -> None:
    await furnish(api)
    root = Client(api, "root")
    whole, head = await root.get(address(route)), await api.ask("HEAD", PREFIX + address(route), user="root")
    assert (head.status, head.text) == (200, b"")
    for name in ("etag", "content-type"):
        assert head.headers.get(name) == whole.headers.get(name)
    assert ("etag" in head.headers) is (route.conditional or route.ranges)
