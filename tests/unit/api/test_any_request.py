"""Whatever is sent to whatever route is answered with a documented status, and a refused request changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest_twisted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

from api.app import all_routes
from api.routes import NewfiesRoute
from tests.unit.api.test_openapi import GIVEN, described
from tests.unit.api.world import FORM, JSON, Reply, World

ROUTES = st.sampled_from(all_routes())
NAMES = sorted({name for route in all_routes() for name in route.kinds})

HUGE = "9" * 400
"""As a text it is one; in JSON it stands for the number."""

TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "0",
            "1",
            "2",
            "-1",
            "1230",
            "all",
            "nan",
            "1e9",
            "00:00:00",
            "9" * 25,
            "a=1",
            "{}",
            "${x}",
            "1,2,3",
            HUGE,
            "1e400",
        ]
    ),
    st.integers().map(str),
    st.floats().map(str),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.just(HUGE), st.integers(-(2**63), 2**64 - 1), st.floats(), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
IN_PATH = st.one_of(st.sampled_from(["1", "1", "1", "1230", "2", "0", "x"]), st.text(max_size=12))


@st.composite
def requests(draw: st.DrawFn) -> tuple[NewfiesRoute, str, bytes, str | None]:
    """A route, its address with any values in it and perhaps a query, a body, and a content type."""
    route = draw(ROUTES)
    path = route.address
    for name in sorted(route.path_names):
        path = path.replace(f"<{name}>", quote(draw(IN_PATH), safe=""))
    query = draw(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=2)) if draw(st.integers(0, 3)) == 0 else {}
    if query:
        path += "?" + urlencode(query, errors="surrogatepass")
    body, content_type = draw(bodies(route))
    return route, path, body, content_type


@st.composite
def bodies(draw: st.DrawFn, route: NewfiesRoute) -> tuple[bytes, str | None]:
    """What the route takes with some of it replaced, added or left out, as a form or JSON; or any bytes."""
    kind = draw(st.sampled_from(["form", "form", "json", "json", "bytes"]))
    content_type = draw(st.sampled_from([FORM, JSON] * 5 + ["text/plain", f"{JSON}; charset=utf-16", None]))
    if kind == "bytes":
        return draw(st.binary(max_size=200)), content_type
    attributes: dict[str, Any] = dict(GIVEN.get((route.method, route.path), {}))
    names = st.sampled_from([*route.kinds, *NAMES]) | st.text(max_size=8)
    attributes |= draw(st.dictionaries(names, VALUES if kind == "json" else TEXTS, max_size=4))
    for name in draw(st.sets(st.sampled_from(NAMES), max_size=2)):
        attributes.pop(name, None)
    if kind == "form":
        repeated = list(attributes.items()) * draw(st.sampled_from([1, 1, 1, 1, 2]))
        return urlencode(repeated, errors="surrogatepass").encode(), draw(st.sampled_from([FORM, FORM, content_type]))
    body = orjson.dumps(attributes, option=orjson.OPT_NON_STR_KEYS)
    if draw(st.booleans()):
        body = body.replace(b'"%b"' % HUGE.encode(), HUGE.encode())
    cut = draw(st.sampled_from([0, 0, 0, 0, 1, 5]))
    return body[: len(body) - cut], draw(st.sampled_from([JSON, JSON, content_type]))


async def hold(api: World, strategy: st.SearchStrategy[Any], check: Callable[[Any, Callable[..., Reply]], None]) -> None:
    """`check` for many examples, on a thread: Hypothesis does not wait for Deferreds. It is given how to ask."""
    from twisted.internet import reactor

    def ask(*request: Any, **more: Any) -> Reply:
        return blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(api.ask(*request, **more)))

    @settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
    @given(example=strategy)
    def run(example: Any) -> None:
        check(example, ask)

    await deferToThread(run)


@pytest_twisted.ensureDeferred
async def test_any_request_gets_a_documented_status_and_a_refused_one_changes_nothing(api: World) -> None:
    await api.campaign()
    await api.contact("1230")
    stored = api.dump()

    def check(request: tuple[NewfiesRoute, str, bytes, str | None], ask: Callable[..., Reply]) -> None:
        nonlocal stored
        route, path, body, content_type = request
        before = stored
        reply = ask(route.method, path, body or None, content_type=content_type)
        documented = {int(status) for status in described(route)["responses"]} | ({404, 405} if route.path_names else set())
        assert reply.status in documented, reply
        if reply.status == 204:
            assert reply.text == b""
        elif reply.status == 200:
            TypeAdapter(route.answer).validate_json(reply.text, strict=True)
        else:
            assert list(reply.json) == ["error"]
            assert reply.error
        stored = api.dump()
        if reply.status not in (200, 204) or route.reads:
            assert stored == before

    await hold(api, requests(), check)


HEADERS = st.binary(max_size=60) | st.text(max_size=30).map(lambda text: b"Basic " + text.encode(errors="ignore"))


@pytest_twisted.ensureDeferred
async def test_any_authorization_that_is_not_a_login_is_refused(api: World) -> None:
    def check(header: bytes, ask: Callable[..., Reply]) -> None:
        reply = ask("GET", "campaign/", user=None, headers={"Authorization": header})
        assert reply.status in (401, 429)

    await hold(api, HEADERS.filter(lambda header: not set(header) & set(b"\r\n\0")), check)
