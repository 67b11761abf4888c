"""Texts: what is taken comes back as it was, and what no database could hold is refused in the same way on each."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted

from api.app import all_routes
from api.routes import NewfiesRoute
from dialer.kinds import Text, Variables
from tests.unit.api.test_http import filled, furnish
from tests.unit.api.test_openapi import GIVEN
from tests.unit.api.world import JSON, World, basic

UNSTORABLE = ["\0", "a\0b", "\ud800", "x\udfff"]
EVERY_PLANE = "ß ж 日本 \u200b\ufeff\U0001f600 'quoted' \"twice\" %s %% ? :x \\ ; --"


def places(text: str) -> Iterator[tuple[NewfiesRoute, str, object]]:
    """Every route with each of the attributes that its body may have and that hold texts, and the text as its value."""
    for route in all_routes():
        if not route.takes_body:
            continue
        for name, found in route.schema.model_fields.items():
            if any(isinstance(kind, Text) for kind in found.metadata) and name not in route.path_names:
                yield route, name, text
            if any(isinstance(kind, Variables) for kind in found.metadata):
                yield route, name, {"key": text}


@pytest.mark.parametrize("text", UNSTORABLE, ids=ascii)
@pytest_twisted.ensureDeferred
async def test_a_text_that_no_database_could_hold_is_refused_by_name_and_nothing_is_written(api: World, text: str) -> None:
    await furnish(api)
    before = api.dump()
    asked = set()
    for route, name, value in places(text):
        body: dict[str, Any] = {**GIVEN[route.method, route.path], name: value}
        reply = await api.ask(route.method, filled(route.address), json.dumps(body), content_type=JSON)
        assert reply.status == 400, (route, name, reply)
        assert reply.error.startswith(f"{name}: ")
        asked.add(name)
    assert asked > {"name", "description", "voipapp_data", "callerid", "contact", "last_name", "additional_vars"}
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_a_name_that_no_user_can_have_is_no_login(api: World) -> None:
    for name in ("ann\0", "\0", "a\x1fnn", "an\x7fn"):
        reply = await api.get("campaign/", user=None, headers={"Authorization": basic(name, "ann")})
        assert (reply.status, reply.error) == (401, "Authorization Required")
    half = base64.b64encode(b"an\xed\xa0\x80n:ann").decode()
    assert (await api.get("campaign/", user=None, headers={"Authorization": f"Basic {half}"})).status == 401


@pytest_twisted.ensureDeferred
async def test_any_other_text_comes_back_as_it_was(api: World) -> None:
    described = await api.campaign(EVERY_PLANE, description=f"{EVERY_PLANE}\n\tand more")
    assert (described["name"], described["description"]) == (EVERY_PLANE, f"{EVERY_PLANE}\n\tand more")
    names = dict.fromkeys(("first_name", "last_name", "email", "description"), EVERY_PLANE)
    await api.contact("1230", **names, additional_vars=json.dumps({"key": EVERY_PLANE}))
    assert api.sql("SELECT first_name, last_name, email, description FROM contact") == [(EVERY_PLANE,) * 4]
    assert [each["name"] for each in (await api.get("phonebook/")).json] == [EVERY_PLANE]
    assert api.sql("SELECT name FROM campaign WHERE name = ?", EVERY_PLANE) == [(EVERY_PLANE,)]
