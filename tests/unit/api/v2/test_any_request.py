"""Whatever is sent to whatever route is answered as the document says, never with a fault, and a refused request changes
nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest_twisted
from hypothesis import strategies as st

from api.v2.routes import PREFIX, Route
from api.v2.table import all_routes
from tests.unit.api.test_any_request import HUGE, TEXTS, VALUES, hold
from tests.unit.api.v2.support import FILLED, GIVEN, check, everything, furnish, whole
from tests.unit.api.world import JSON, Reply, World

ROUTES = st.sampled_from([route for route in filter(whole, all_routes()) if route.path not in ("openapi.json", "problems")])
ATTRIBUTES = sorted({each.name for route in all_routes() if route.body for each in route.body.attributes})
PARAMETERS = sorted({each.name for route in all_routes() for each in route.query_parameters})
IN_PATH = st.one_of(st.sampled_from(["1", "1", "1", "2", "0", "x", "+15551230009", "9" * 19, HUGE]), st.text(max_size=12))
HEADERS: dict[str, list[str | bytes]] = {
    "Accept": ["*/*", "text/html", "application/json;q=0", ";;,", JSON, b"\x9b"],
    "Content-Type": [JSON, JSON, "application/merge-patch+json", "text/plain", f"{JSON}; charset=utf-16", ";", b"\x9b"],
    "Idempotency-Key": ["one", "two", "", "a b", "x" * 300, b"\x9b"],
    "If-Match": ["*", '"x"', "", "W/", '"', b'"\x9b"'],
    "If-None-Match": ["*", '"x"', "", "x", b"\x9b"],
}

Asked = tuple[str, str, bytes, dict[str, Any]]


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    """A method, an address with any values in it and perhaps a query, a body, and headers."""
    route = draw(ROUTES)
    path = route.path
    for name, usual in FILLED.items():
        path = path.replace(name, quote(draw(st.one_of(st.just(usual), st.just(usual), IN_PATH)), safe=""))
    if draw(st.integers(0, 2)) == 0:
        names = st.sampled_from(PARAMETERS) | st.text(max_size=8)
        path += "?" + urlencode(draw(st.dictionaries(names, TEXTS, max_size=3)), errors="surrogatepass")
    headers = {name: draw(st.sampled_from(values)) for name, values in HEADERS.items() if draw(st.integers(0, 3)) == 0}
    method = draw(st.sampled_from([route.method] * 9 + ["PUT"]))
    return method, path, draw(bodies(route)), {"Content-Type": JSON, **headers}


@st.composite
def bodies(draw: st.DrawFn, route: Route) -> bytes:
    """What the route takes with some of it replaced, added or left out; or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    if route.body is None and draw(st.integers(0, 3)):
        return b""
    own = [each.name for each in route.body.attributes] if route.body is not None else ATTRIBUTES
    attributes: dict[str, Any] = dict(GIVEN.get((route.method, route.path), {}))
    attributes |= draw(st.dictionaries(st.sampled_from(own) | st.text(max_size=8), VALUES, max_size=3))
    for name in draw(st.sets(st.sampled_from(ATTRIBUTES), max_size=2)):
        attributes.pop(name, None)
    return orjson.dumps(attributes).replace(b'"%b"' % HUGE.encode(), HUGE.encode())


@pytest_twisted.ensureDeferred
async def test_any_request_is_answered_as_documented_and_a_refused_one_changes_nothing(api: World) -> None:
    await furnish(api)
    api.sql("UPDATE user_account SET is_superuser = 1 WHERE id = 1")
    stored = everything(api)

    def hold_to_it(request: Asked, ask: Callable[..., Reply]) -> None:
        nonlocal stored
        method, path, body, headers = request
        before = stored
        reply = ask(method, PREFIX + path, body or None, headers=headers, content_type=None)
        assert reply.status < 500, reply
        check(reply, method, PREFIX + path)
        stored = everything(api)
        if reply.status >= 300 or method == "GET":
            assert stored == before

    await hold(api, requests(), hold_to_it)


LOGINS = st.binary(max_size=60) | st.sampled_from(["Bearer ", "bearer dlr_live_", "Basic "]).flatmap(
    lambda scheme: st.text(max_size=60).map(lambda text: scheme.encode() + text.encode(errors="ignore"))
)


@pytest_twisted.ensureDeferred
async def test_any_authorization_that_is_not_a_login_is_refused(api: World) -> None:
    def refused(header: bytes, ask: Callable[..., Reply]) -> None:
        reply = ask("GET", f"{PREFIX}me", user=None, headers={"Authorization": header})
        assert reply.status in (401, 429)

    await hold(api, LOGINS.filter(lambda header: not set(header) & set(b"\r\n\0")), refused)
