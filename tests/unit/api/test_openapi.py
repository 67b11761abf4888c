"""The OpenAPI document: it is the committed one, it names every route and schema, and what is answered fits it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_twisted
from pydantic import TypeAdapter

from api import app, openapi
from api.app import all_routes, build_app
from api.authentication import Authentication
from api.routes import CDR_PREFIX, PREFIX, NewfiesRoute
from dialer.settings import HttpSettings
from tests.unit.api.test_http import filled, furnish
from tests.unit.api.world import CAMPAIGN, World

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT = openapi.document("1")

GIVEN: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "campaign/"): {**CAMPAIGN, "name": "autumn"},
    ("PUT", "campaign/<campaign_id>/"): {"status": "2"},
    ("POST", "phonebook/"): {"name": "winter"},
    ("POST", "contact/"): {"contact": "1240", "phonebook_id": "1"},
    ("PUT", "contact/<campaign_id>/<contact>/"): {"status": "2"},
    ("POST", "bulkcontact/"): {"phonebook_id": "1", "phoneno_list": "1250,1260"},
    ("POST", "callrequest/"): {"phone_number": "1270", "request_uuid": "one"},
    ("PUT", "callrequest/<callrequest_id>/"): {"status": "5"},
}


def described(route: NewfiesRoute) -> dict[str, Any]:
    path = re.sub(r"<(\w+)>", r"{\1}", route.address)
    return dict(DOCUMENT["paths"][path][route.method.lower()])


def test_the_committed_document_is_what_the_routes_say() -> None:
    assert COMMITTED.read_bytes() == openapi.text(), "run: python docs/write.py"


def test_every_address_that_klein_serves_is_in_the_document() -> None:
    backend: Any = None
    logins = Authentication(backend, HttpSettings(), backend)
    apps = {prefix: build_app(backend, logins, prefix) for prefix in (PREFIX, CDR_PREFIX)}
    served = {
        (prefix + re.sub(r"<(\w+)>", r"{\1}", rule.rule.strip("/") + "/"), method.lower())
        for prefix, klein in apps.items()
        for rule in klein.url_map.iter_rules()
        for method in (rule.methods or ()) - {"HEAD"}
    }
    documented = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert served == documented


def test_every_reference_leads_to_a_schema() -> None:
    text = orjson.dumps(DOCUMENT).decode()
    references = set(re.findall(r'"#/components/(\w+)/(\w+)"', text))
    assert references
    for kind, name in references:
        assert name in DOCUMENT["components"][kind]


def test_a_route_that_is_left_out_or_changed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RESOURCES", app.RESOURCES[1:])
    assert COMMITTED.read_bytes() != openapi.text()


@pytest.mark.parametrize("route", all_routes(), ids=lambda route: f"{route.method} {route.path}")
def test_every_attribute_and_every_refusal_is_in_the_document(route: NewfiesRoute) -> None:
    found = described(route)
    named = {parameter["name"] for parameter in found["parameters"]}
    if route.takes_body:
        named |= set(DOCUMENT["components"]["schemas"][route.schema.__name__]["properties"])
    assert named == set(route.kinds)
    for refusal in route.refusals:
        assert refusal.sentence in found["responses"][str(refusal.status)]["description"]


@pytest.mark.parametrize("route", all_routes(), ids=lambda route: f"{route.method} {route.path}")
@pytest_twisted.ensureDeferred
async def test_what_is_answered_has_the_documented_schema(api: World, route: NewfiesRoute) -> None:
    await furnish(api)
    reply = await api.ask(route.method, filled(route.address), GIVEN.get((route.method, route.path)))
    if route.answer is None:
        assert (reply.status, reply.text == b"") in ((400, False), (204, True))
        return
    assert reply.status == 200
    TypeAdapter(route.answer).validate_json(reply.text, strict=True)
