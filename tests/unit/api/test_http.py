"""HTTP itself: addresses, methods, bodies, limits, headers, the end of a connection."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
import structlog
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, globalLogPublisher

from api.app import all_routes
from dialer.errors import NotFound, StoreError
from dialer.management import Management, phonebooks
from dialer.settings import HttpSettings
from dialer.store.connection import Dialect
from tests.unit.api.raw import connect, exchange
from tests.unit.api.world import JSON, MANY, World, basic, world

AUTHORIZATION = f"Authorization: {basic('ann', 'ann')}\r\n".encode()
PATHS = sorted({route.address for route in all_routes()})
FILLED = {"<campaign_id>": "1", "<callrequest_id>": "2", "<phonebook_id>": "1", "<contact>": "1230"}


@pytest.fixture
def database_kind() -> Dialect:
    """What becomes of a request on its way does not depend on the database."""
    return Dialect.SQLITE


def filled(path: str) -> str:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


async def furnish(api: World) -> None:
    await api.campaign()
    await api.contact("1230")
    assert (await api.post("/api/dialer_cdr/callrequest/", {"phone_number": "1231"})).status == 200


# --- addresses and methods ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest_twisted.ensureDeferred
async def test_every_address_works_with_and_without_its_slash(api: World, path: str) -> None:
    await furnish(api)
    with_slash = await api.get(filled(path))
    without = await api.get(filled(path).removesuffix("/"))
    assert (with_slash.status, with_slash.text) == (without.status, without.text)
    taken = {route.method for route in all_routes() if route.address == path}
    assert with_slash.status == (405 if "GET" not in taken else 400 if path.endswith("/contact/") else 200)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "FOO", "TRACE"])
@pytest_twisted.ensureDeferred
async def test_a_method_that_is_not_taken_is_405_with_those_that_are(api: World, path: str, method: str) -> None:
    methods = {route.method for route in all_routes() if route.address == path}
    if method in methods:
        return
    expected = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
    for form in (filled(path), filled(path).removesuffix("/")):
        reply = await api.ask(method, form)
        assert (reply.status, reply.headers["allow"]) == (405, expected)
        assert expected in reply.error


@pytest.mark.parametrize(
    "path", ["/", "/api/", "/api/dialer_campaign", "campaigns/", "/api//dialer_campaign/campaign/", "campaign/1/2"]
)
@pytest_twisted.ensureDeferred
async def test_an_address_that_is_not_there_is_404(api: World, path: str) -> None:
    assert (await api.get(path)).refusal == (404, "There is no such resource")


@pytest_twisted.ensureDeferred
async def test_an_address_that_is_not_utf_8_is_refused(api: World) -> None:
    assert (await api.get("campaign/%ff")).refusal == (400, "The address is not UTF-8")


@pytest.mark.parametrize("key", ["0", "-1", "x", "1.0", "9223372036854775808", "99999999999999999999", "%20", "%00", "é"])
@pytest_twisted.ensureDeferred
async def test_an_id_that_is_none_is_refused_by_name(api: World, key: str) -> None:
    for path, name in (("campaign", "campaign_id"), ("phonebook", "phonebook_id"), ("contact", "campaign_id")):
        reply = await api.get(f"{path}/{key}/")
        assert reply.refusal == (400, f"{name}: expected a whole number from 1 to 9223372036854775807")


@pytest_twisted.ensureDeferred
async def test_head_is_get_without_the_body(api: World) -> None:
    await api.campaign()
    whole = await api.get("campaign/1")
    head = await api.ask("HEAD", "campaign/1")
    assert (head.status, head.text) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.text))


@pytest_twisted.ensureDeferred
async def test_any_host_header_is_served(api: World) -> None:
    for host in (b"example.org", b"\xff\xfe", b"[::1", b"a b", b"", b"x" * 300):
        request = b"GET /api/dialer_campaign/campaign/ HTTP/1.1\r\nHost: " + host + b"\r\n" + AUTHORIZATION
        assert (await exchange(api, request + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


# --- headers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["campaign/", "campaign/x", "campaign/9", "nowhere/", "bulkcontact/", "campaign/%ff"])
@pytest.mark.parametrize("user", ["ann", None])
@pytest_twisted.ensureDeferred
async def test_every_answer_has_the_usual_headers_and_no_banner(api: World, case: str, user: str | None) -> None:
    reply = await api.get(case, user=user)
    assert reply.headers["vary"] == "Authorization"
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"
    assert "server" not in reply.headers
    assert reply.length == len(reply.text)


# --- bodies ---------------------------------------------------------------------------------------------------------------

NOT_JSON = "The body is not JSON"
BODIES: list[tuple[str | bytes, str]] = [
    ("[1]", "The body must be a JSON object"),
    ("1", "The body must be a JSON object"),
    ("null", "The body must be a JSON object"),
    ("", NOT_JSON),
    ('{"name": "x"', NOT_JSON),
    ('{"name": "x",}', NOT_JSON),
    ('\ufeff{"name": "x"}', NOT_JSON),
    ('{"name": ' + "9" * 5000 + "}", NOT_JSON),
    (b'{"name": "\xff"}', "The body is not UTF-8"),
    ('{"name": NaN}', "The body holds NaN, which JSON does not have"),
    ('{"name": -Infinity}', "The body holds -Infinity, which JSON does not have"),
    ('{"name": "a", "name": "b"}', "name: is given more than once"),
    ('{"name": {"a": 1, "a": 2}}', "a: is given more than once"),
    ('{"name":' * 10_000 + "1" + "}" * 10_000, "The body is JSON that is nested too deep"),
    ("[" * 10_000, "The body is JSON that is nested too deep"),
    ('{"name": 1}', "name: expected a text of 1 to 255 characters, without control characters"),
    ('{"name": null}', "name: expected a text of 1 to 255 characters, without control characters"),
    ('{"name": ["x"]}', "name: expected a text of 1 to 255 characters, without control characters"),
    ('{"name": "\\ud800"}', "name: expected a text of 1 to 255 characters, without control characters"),
    ('{"name": "x", "campaign_id": 1e400}', "campaign_id: expected a whole number from 1 to 9223372036854775807"),
    ('{"name": "x", "campaign_id": true}', "campaign_id: expected a whole number from 1 to 9223372036854775807"),
    ('{"name": "x", "campaign_id": 1.5}', "campaign_id: expected a whole number from 1 to 9223372036854775807"),
    ('{"name": "x", "colour": 1}', "colour: is not an attribute here; those are: name, description, campaign_id"),
    ('{"name": "x", "\\u0000": 1}', "'\\x00': is not an attribute here; those are: name, description, campaign_id"),
    ("{" + ",".join(f'"a{n}": 1' for n in range(101)) + "}", "The body has too many attributes"),
    ("{}", "name: is missing; expected a text of 1 to 255 characters, without control characters"),
]


@pytest.mark.parametrize(("body", "sentence"), BODIES, ids=range(len(BODIES)))
@pytest_twisted.ensureDeferred
async def test_json_that_is_not_accepted_is_refused_with_its_reason(api: World, body: str | bytes, sentence: str) -> None:
    before = api.dump()
    reply = await api.post("phonebook/", body, content_type=JSON)
    assert reply.refusal == (400, sentence)
    assert api.dump() == before


FORMS: list[tuple[str | bytes, str]] = [
    ("", "name: is missing; expected a text of 1 to 255 characters, without control characters"),
    ("name=a&name=b", "name: is given more than once"),
    ("name", "name: has no value; the body must be name=value pairs"),
    ("name=%ff", "name: is not UTF-8"),
    (b"name=\xff", "name: is not UTF-8"),
    ("%ff=1", "The body has an attribute whose name is not UTF-8"),
    ("name=a&colour=1", "colour: is not an attribute here; those are: name, description, campaign_id"),
    ("&".join(f"a{n}=1" for n in range(102)), "The body has too many attributes"),
    ("name=a&campaign_id=", "campaign_id: expected a whole number from 1 to 9223372036854775807"),
    ("name=a%00b", "name: expected a text of 1 to 255 characters, without control characters"),
]


@pytest.mark.parametrize(("body", "sentence"), FORMS, ids=range(len(FORMS)))
@pytest_twisted.ensureDeferred
async def test_a_form_that_is_not_accepted_is_refused_with_its_reason(api: World, body: str | bytes, sentence: str) -> None:
    before = api.dump()
    reply = await api.post("phonebook/", body)
    assert reply.refusal == (400, sentence)
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_blanks_plus_signs_and_percent_signs_mean_what_they_mean_in_a_form(api: World) -> None:
    reply = await api.post("phonebook/", "name=+%C3%A9t%c3%a9+%26+%2B%zz&&description=")
    assert reply.json["name"] == "été & +%zz"


TYPES: list[tuple[str | None, int]] = [
    ("application/x-www-form-urlencoded; charset=UTF-8", 200),
    ("Application/X-WWW-Form-Urlencoded", 200),
    ('application/x-www-form-urlencoded; charset="utf-8"', 200),
    ("application/x-www-form-urlencoded; charset=latin-1", 415),
    ("text/plain", 415),
    ("application/xml", 415),
    ("", 415),
    (None, 415),
]


@pytest.mark.parametrize(("content_type", "status"), TYPES)
@pytest_twisted.ensureDeferred
async def test_a_content_type_that_is_not_known_is_415(api: World, content_type: str | None, status: int) -> None:
    reply = await api.post("phonebook/", "name=x", content_type=content_type)
    assert reply.status == status


@pytest_twisted.ensureDeferred
async def test_attributes_in_the_wrong_place_or_unknown_to_a_query_are_refused(api: World) -> None:
    assert (await api.post("phonebook/?name=x", "name=x")).refusal == (
        400,
        "name: belongs into the body, not into the address",
    )
    assert (await api.get("phonebook/?x=1")).refusal == (400, "x: is not an attribute here; those are: none")
    assert (await api.get("campaign/?status=1&status=2")).refusal == (400, "status: is given more than once")
    assert (await api.get("campaign/?status=%ff")).refusal == (400, "status: is not UTF-8")


# --- limits ---------------------------------------------------------------------------------------------------------------

SMALL = evolve(MANY, max_body=1000)


@pytest_twisted.ensureDeferred
async def test_a_body_at_the_limit_is_taken_and_one_beyond_it_is_413(tmp_path: Path) -> None:
    async with world(tmp_path, SMALL) as api:
        fits = "name=" + "x" * 255 + "&description="
        fits += "d" * (1000 - len(fits))
        assert (await api.post("phonebook/", fits)).status == 200
        reply = await api.post("phonebook/", fits + "d")
        assert reply.refusal == (413, "The body is too large; at most 1000 bytes are accepted")


HEAD = b"POST /api/dialer_campaign/phonebook/ HTTP/1.1\r\nHost: x\r\n" + AUTHORIZATION
HEAD += b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest_twisted.ensureDeferred
async def test_a_declared_body_beyond_the_limit_is_refused_before_it_comes(tmp_path: Path) -> None:
    async with world(tmp_path, SMALL) as api:
        request = HEAD + b"Content-Length: 400000000\r\nExpect: 100-continue\r\n\r\n"
        received = await exchange(api, request)
        assert received.startswith(b"HTTP/1.1 413 ")
        assert b"Connection: close" in received
        assert b"100 Continue" not in received


@pytest_twisted.ensureDeferred
async def test_a_chunked_body_beyond_the_limit_is_413_and_its_rest_is_thrown_away(tmp_path: Path) -> None:
    async with world(tmp_path, SMALL) as api:
        chunks = b"400\r\n" + b"x" * 1024 + b"\r\n"
        received = await exchange(api, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 50 + b"0\r\n\r\n")
        assert received.startswith(b"HTTP/1.1 413 ")
        assert received.count(b"HTTP/1.1") == 1


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_cut_short_writes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(SMALL, request_timeout=0.3)) as api:
        received = await exchange(api, HEAD + b"Content-Length: 50\r\n\r\nname=half")
        assert received == b"", "the time for the request ran out"
        assert api.sql("SELECT count(*) FROM phonebook") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_an_address_or_a_header_that_is_too_long_is_refused(api: World) -> None:
    long = b"x" * 20_000
    assert (await exchange(api, b"GET /" + long + b" HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 414 ")
    assert (await exchange(api, b"GET / HTTP/1.1\r\nX: " + long + b"\r\n\r\n")).startswith(b"HTTP/1.1 431 ")
    many = b"".join(b"X%d: %s\r\n" % (n, b"y" * 100) for n in range(400))
    assert (await exchange(api, b"GET / HTTP/1.1\r\n" + many + b"\r\n")).startswith(b"HTTP/1.1 400 ")


MALFORMED = [
    b"rubbish\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
]


@pytest.mark.parametrize("data", MALFORMED, ids=range(len(MALFORMED)))
@pytest_twisted.ensureDeferred
async def test_what_is_not_http_is_told_so_in_json_and_closed(api: World, data: bytes) -> None:
    received = await exchange(api, data)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert received.endswith(b'{"error":"This is not a request of HTTP/1.1, or its headers are too long"}')


@pytest_twisted.ensureDeferred
async def test_a_slow_client_is_cut_off_however_steadily_it_sends(api: World) -> None:
    clock, channel, transport = connected(api)
    for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 100:
        if transport.disconnecting:
            break
        channel.dataReceived(bytes([byte]))
        clock.advance(1)
    assert clock.seconds() == MANY.request_timeout
    channel.connectionLost()


def connected(api: World) -> tuple[Clock, Any, StringTransport]:
    """A connection of the site, on a stepped clock."""
    api.site.reactor = clock = Clock()
    channel = api.site.buildProtocol(None)
    transport = StringTransport()
    transport.abortConnection = transport.loseConnection
    channel.makeConnection(transport)
    return clock, channel, transport


@pytest_twisted.ensureDeferred
async def test_a_connection_beyond_the_limit_takes_the_place_of_the_oldest_stranger(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, max_connections=2)) as api:
        first, second = await connect(api), await connect(api)
        assert (await api.get("campaign/")).status == 200
        assert await first.closed == b""
        assert len(api.site._channels) == 2
        third = await connect(api)
        assert await second.closed == b""
        assert (await api.get("campaign/")).status == 200
        assert not third.closed.called


async def _turn() -> None:
    from twisted.internet import reactor

    await deferLater(reactor, 0.01)


def instead_of_a_list(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    """The list of phonebooks is asked for in vain."""
    asked = Management.ask

    def ask(self: Management, use_case: Any, *arguments: Any, **more: Any) -> Any:
        return function() if use_case is phonebooks.listed else asked(self, use_case, *arguments, **more)

    monkeypatch.setattr(Management, "ask", ask)


# --- faults of ours -------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_what_goes_wrong_inside_is_500_without_a_word_about_it(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    instead_of_a_list(monkeypatch, broken)
    reply = await api.get("phonebook/")
    assert reply.refusal == (500, "Internal error")
    assert b"secret" not in reply.text


@pytest_twisted.ensureDeferred
async def test_a_database_that_is_away_is_503_with_retry_after(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise StoreError("the database /secret/path is locked")

    instead_of_a_list(monkeypatch, away)
    reply = await api.get("phonebook/")
    assert reply.refusal == (503, "The service cannot answer at the moment; try again later")
    assert reply.headers["retry-after"] == "1"


@pytest_twisted.ensureDeferred
async def test_what_goes_wrong_for_everybody_is_a_line_a_minute(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise StoreError("the database is locked")

    instead_of_a_list(monkeypatch, away)
    with structlog.testing.capture_logs() as lines:
        for _ in range(20):
            assert (await api.get("phonebook/")).status == 503
    (line,) = lines
    assert (line["log_level"], line["times"]) == ("error", 1)
    assert line["reason"] == "the database is away: the database is locked"


@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_wait_for_its_refusal_leaves_no_trace_in_the_log(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: Deferred[list[Any]] = Deferred()
    asked: list[Any] = []

    def slow(*_: Any) -> Deferred[list[Any]]:
        asked.append(waiting)
        return waiting

    instead_of_a_list(monkeypatch, slow)
    problems: list[Any] = []

    def keep(event: Any) -> None:
        if event.get("log_level") is LogLevel.critical:
            problems.append(event)

    globalLogPublisher.addObserver(keep)
    try:
        client = await connect(api)
        client.send(b"GET /api/dialer_campaign/phonebook/ HTTP/1.1\r\nHost: x\r\n" + AUTHORIZATION + b"\r\n")
        while not asked:
            await _turn()
        client.transport.loseConnection()
        await client.closed
        while api.site.in_flight:
            await _turn()
        waiting.errback(NotFound("phonebook", 7))
        gc.collect()
    finally:
        globalLogPublisher.removeObserver(keep)
    assert problems == []


# --- the end --------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_drain_answers_what_is_in_flight_and_closes_what_is_idle(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: Deferred[list[Any]] = Deferred()
    asked: list[Any] = []

    def slow(*_: Any) -> Deferred[list[Any]]:
        asked.append(True)
        return waiting

    instead_of_a_list(monkeypatch, slow)
    idle, busy = await connect(api), await connect(api)
    busy.send(b"GET /api/dialer_campaign/phonebook/ HTTP/1.1\r\nHost: x\r\n" + AUTHORIZATION + b"\r\n")
    while not asked:
        await _turn()
    drained = api.site.drain()
    assert await idle.closed == b""
    assert not drained.called
    waiting.callback([])
    received = await busy.closed
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in received
    assert received.endswith(b"\r\n\r\n[]")
    await drained


@pytest_twisted.ensureDeferred
async def test_a_drain_that_is_cancelled_cuts_off_what_is_left(api: World) -> None:
    client = await connect(api)
    client.send(b"GET / HTTP/1.1\r\n")
    while not api.site.in_flight:
        await _turn()
    drained = api.site.drain()
    assert not drained.called
    drained.cancel()
    await drained
    assert await client.closed == b""


@pytest_twisted.ensureDeferred
async def test_a_change_has_its_effects_although_its_client_went_away(api: World) -> None:
    await api.campaign()
    client = await connect(api)
    body = b"status=3"
    client.send(
        b"PUT /api/dialer_campaign/campaign/1/ HTTP/1.1\r\nHost: x\r\n"
        + AUTHORIZATION
        + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body)
        + body
    )
    client.transport.loseConnection()
    await client.closed
    while not api.flow.hung_up:
        await _turn()
    assert api.flow.hung_up == [1]


@pytest_twisted.ensureDeferred
async def test_other_limits_hold_from_the_next_request_on(api: World) -> None:
    api.site.use(HttpSettings(max_body=1000))
    assert (await api.post("phonebook/", "name=" + "x" * 2000)).status == 413


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_is_closed_after_its_time(api: World) -> None:
    clock, channel, transport = connected(api)
    clock.advance(59)
    assert not transport.disconnecting
    clock.advance(2)
    assert transport.disconnecting
    channel.connectionLost()
