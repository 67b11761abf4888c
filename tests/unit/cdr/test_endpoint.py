"""The address to which FreeSWITCH posts its records, byte by byte."""

from __future__ import annotations

import base64

import pytest
from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from api.records import build_record_site
from dialer.cdr import read_record
from dialer.errors import StoreError
from tests.unit.cdr.bodies import recorded

HEAD = (
    b"%b %b HTTP/1.1\r\nHost: 127.0.0.1:8085\r\nAuthorization: Basic %b\r\nUser-Agent: freeswitch-json/1.0\r\nAccept: */*\r\n"
    b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n"
)
PATH = b"/cdr/?uuid=8109c086-a6ba-42aa-87e9-6feedc05b207"
TYPES = {"json": b"application/json", "form": b"application/x-www-form-urlencoded"}


@define
class Endpoint:
    """A site with a receiver that remembers the calls that it was told of."""

    calls: list[str] = field(factory=list)
    error: Exception | None = None
    waits: Deferred[None] | None = None

    async def take(self, content: bytes) -> None:
        if self.waits is not None:
            await self.waits
        if self.error is not None:
            raise self.error
        self.calls.append(read_record(content).call_uuid)

    def post(
        self,
        body: bytes,
        *,
        user: bytes = b"freeswitch:secret word",
        path: bytes = PATH,
        method: bytes = b"POST",
        kind: str = "json",
    ) -> StringTransport:
        site = build_record_site(self.take, ("freeswitch", "secret word"), 20_000, Clock())
        protocol = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 40000))
        transport = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(HEAD % (method, path, base64.b64encode(user), TYPES[kind], len(body)) + body)
        return transport

    def status(self, body: bytes, **more: object) -> int:
        return int(self.post(body, **more).value().split(b" ", 2)[1])  # type: ignore[arg-type]


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.mark.parametrize("name", ["answered.json", "busy.json", "busy-encoded.form", "busy-base64.form"])
def test_a_record_is_taken_as_freeswitch_posts_it(endpoint: Endpoint, name: str) -> None:
    assert endpoint.status(recorded(name), kind=name.rpartition(".")[2]) == 200
    assert endpoint.calls == [read_record(recorded(name)).call_uuid]


def test_the_answer_waits_until_the_record_is_taken(endpoint: Endpoint) -> None:
    endpoint.waits = Deferred()
    transport = endpoint.post(recorded("busy.json"))
    assert transport.value() == b""
    endpoint.waits.callback(None)
    assert transport.value().startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("user", [b"freeswitch:wrong", b"admin:secret word", b"", b":"])
def test_who_has_not_the_credentials_is_refused(endpoint: Endpoint, user: bytes) -> None:
    assert endpoint.status(recorded("busy.json"), user=user) == 401
    assert endpoint.calls == []


def test_other_addresses_and_methods_are_refused(endpoint: Endpoint) -> None:
    assert endpoint.status(recorded("busy.json"), path=b"/api/dialer_campaign/campaign/") == 404
    assert endpoint.status(b"", method=b"GET") == 405
    assert endpoint.calls == []


def test_a_body_beyond_the_limit_is_refused(endpoint: Endpoint) -> None:
    assert endpoint.status(b"{" * 20_001) == 413
    assert endpoint.calls == []


def test_what_is_no_record_is_a_bad_request(endpoint: Endpoint) -> None:
    assert endpoint.status(b"{}") == 400


def test_a_database_that_is_away_lets_freeswitch_keep_the_record(endpoint: Endpoint) -> None:
    endpoint.error = StoreError("locked")
    assert endpoint.status(recorded("busy.json")) == 503
