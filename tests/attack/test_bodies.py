"""Bodies and addresses that cost memory or time: without a login they are not kept, with one they are measured first."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from api import prepared
from api.bodies import MOST_MEMBERS, parse_json
from api.channel import ApiChannel
from api.errors import HttpError
from tests.unit.api.raw import connect, exchange
from tests.unit.api.world import World, basic, world

PATH = b"/api/dialer_campaign/phonebook/"
LONG = 1_000_000


def head(login: str, length: int, *more: bytes) -> bytes:
    lines = [b"POST " + PATH + b" HTTP/1.1", b"Host: x", b"Content-Type: application/json", b"Content-Length: %d" % length]
    if login:
        lines.append(b"Authorization: " + login.encode())
    return b"\r\n".join([*lines, *more, b"", b""])


async def channel_of(api: World) -> ApiChannel:
    """The one connection, once the server knows of it."""
    while len(api.site._channels) != 1:
        await turn()
    (channel,) = api.site._channels
    return channel


async def turn() -> None:
    from twisted.internet import reactor

    await deferLater(reactor, 0)


def kept(channel: ApiChannel) -> int:
    return sum(len(request.body()) for request in channel.requests if request.content is not None)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("login", ["", "Basic nonsense", basic("ann", "wrong")])
async def test_the_body_of_a_stranger_is_not_kept(tmp_path: Path, login: str) -> None:
    async with world(tmp_path) as api:
        client = await connect(api)
        channel = await channel_of(api)
        client.send(head(login, LONG) + b"x" * (LONG - 1))
        while client.transport._tempDataBuffer or client.transport.dataBuffer:
            await turn()
        for _ in range(50):
            await turn()
        assert kept(channel) == 0
        client.send(b"x")
        while b"\r\n\r\n" not in client.received:
            await turn()
        assert client.received.startswith(b"HTTP/1.1 401 ")


@pytest_twisted.ensureDeferred
async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked_once_its_login_is_right(tmp_path: Path) -> None:
    body = b'{"name":"book"}'
    async with world(tmp_path) as api:
        client = await connect(api)
        client.send(head(basic("ann", "ann"), len(body), b"Expect: 100-continue", b"Connection: close"))
        while not client.received:
            await turn()
        assert client.received.startswith(b"HTTP/1.1 100 ")
        client.send(body)
        assert b"HTTP/1.1 200 " in await client.closed


@pytest_twisted.ensureDeferred
async def test_a_large_body_of_a_user_arrives_whole_with_his_first_request(tmp_path: Path) -> None:
    body = b'{"name":"book","description":"%b"}' % (b" " * 500_000)
    async with world(tmp_path) as api:
        reply = await exchange(api, head(basic("ann", "ann"), len(body), b"Connection: close") + body)
        assert reply.startswith(b"HTTP/1.1 200 ")


@pytest_twisted.ensureDeferred
async def test_long_addresses_are_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    original = prepared.PreparedMap.__init__
    monkeypatch.setattr(prepared.PreparedMap, "__init__", lambda self, bind: original(self, bind) or made.append(self))
    async with world(tmp_path) as api:
        for number in range(20):
            assert (await api.get(f"campaign/{number:08000d}/", user=None)).status == 401
        assert sum(len(path) for routes in made for path, _ in routes._known) == 0


@pytest_twisted.ensureDeferred
async def test_more_headers_than_anybody_needs_are_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as api:
        reply = await exchange(api, b"GET " + PATH + b" HTTP/1.1\r\n" + b"a:b\r\n" * 200 + b"\r\n")
        assert reply.startswith(b"HTTP/1.1 400 ")


WIDE = [
    b'{"name":[' + b"[]," * 600_000 + b"1]}",
    b'{"name":[' + b"1," * 900_000 + b"1]}",
    b'{"name":[' + b'"",' * 600_000 + b"1]}",
    b'{"name":{' + b'"a":1,' * 200_000 + b'"b":1}}',
    b'{"name":' + b"[" * 900 + b"]" * 900 + b"}",
]


@pytest.mark.parametrize("body", WIDE, ids=lambda body: body[:14].decode())
def test_json_that_is_deep_or_wide_is_refused_before_it_is_read(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(HttpError) as refused:
            parse_json(body)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    assert len(refused.value.sentence) < 60


def test_texts_are_no_structure_whatever_they_hold() -> None:
    text = "[{," * MOST_MEMBERS + '\\\\ \\" [' * 10
    body = b'{"name":"' + text.encode() + b'"}'
    assert parse_json(body) == {"name": text.replace('\\"', '"').replace("\\\\", "\\")}
    with pytest.raises(HttpError, match="not JSON"):
        parse_json(b'{"name":"' + b"[" * 100)


@pytest_twisted.ensureDeferred
async def test_a_refusal_is_short_whatever_was_sent(tmp_path: Path) -> None:
    digits = "9" * 400
    async with world(tmp_path) as api:
        campaign = {"name": "x", "aleg_gateway": 1, "voipapp": 1}
        for name in ("startingdate", "frequency", "daily_start_time", "maxretry", "monday", "voipapp_data", "status"):
            body = b'{"name":"x","aleg_gateway":1,"voipapp":1,"%b":%b}' % (name.encode(), digits.encode())
            reply = await api.post("campaign/", body, content_type="application/json")
            assert reply.status == 400, (name, reply)
            assert len(reply.error) < 600
        for value in (digits, "x" * 100_000, [1] * 1000, {"a": "b" * 10_000}):
            for name in ("startingdate", "callmaxduration", "phonebook", "x" * 1000):
                reply = await api.post("campaign/", json={**campaign, name: value})
                assert reply.status == 400, (name, reply)
                assert len(reply.error) < 600, reply.error
