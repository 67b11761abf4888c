"""Answers that are made while they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted
from attrs import define, evolve, field
from twisted.internet.task import deferLater

from tests.unit.api.raw import connect, exchange
from tests.unit.api.world import MANY, World, world

MEGABYTE = b"x" * 2**20


@define(eq=False)
class Maker:
    """Makes pieces for whoever asks for /stream; knows how many it has made, and whether it was closed."""

    pieces: tuple[bytes, ...] = (b"one ", b"", b"two")
    error: Exception | None = None
    made: int = 0
    closed: bool = False
    ends: list[Any] = field(factory=list)

    async def make(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                self.made += 1
                yield piece
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True

    def serve(self, request: Any) -> None:
        request.headed(200, {"Content-Type": "text/plain"}, b"")
        request.write_pieces(self.make()).addBoth(self._sent, request)

    def _sent(self, result: Any, request: Any) -> None:
        self.ends.append(result)
        if not request._disconnected:
            request.finish()


def asked(version: str = "1.1", method: str = "GET") -> bytes:
    return f"{method} /stream HTTP/{version}\r\nHost: x\r\n\r\n".encode()


def parts(received: bytes) -> tuple[bytes, bytes]:
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


async def until(condition: Any) -> None:
    from twisted.internet import reactor

    for _ in range(500):
        if condition():
            return
        await deferLater(reactor, 0.01)
    raise AssertionError("it does not come to that")


@pytest_twisted.ensureDeferred
async def test_a_stream_comes_in_chunks_and_the_connection_goes_on(api: World) -> None:
    maker = Maker()
    api.site.pages = {b"/stream": maker.serve}
    client = await connect(api)
    for number in (1, 2):
        client.received = b""
        client.send(asked())
        await until(lambda: client.received.endswith(b"0\r\n\r\n"))
        head, body = parts(client.received)
        assert body == b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"
        assert b"Transfer-Encoding: chunked" in head
        assert b"Content-Length" not in head
        assert (len(maker.ends), maker.closed) == (number, True)
    assert client.transport is not None
    client.transport.loseConnection()
    await client.closed


@pytest_twisted.ensureDeferred
async def test_an_old_client_gets_all_up_to_the_end_of_the_connection(api: World) -> None:
    api.site.pages = {b"/stream": Maker().serve}
    head, body = parts(await exchange(api, asked("1.0")))
    assert (body, b"Transfer-Encoding" in head, b"Content-Length" in head) == (b"one two", False, False)


@pytest_twisted.ensureDeferred
async def test_the_head_alone_makes_nothing(api: World) -> None:
    maker = Maker()
    api.site.pages = {b"/stream": maker.serve}
    client = await connect(api)
    client.send(asked(method="HEAD"))
    await until(lambda: maker.ends)
    head, body = parts(client.received)
    assert (b"Transfer-Encoding: chunked" in head, body, maker.made) == (True, b"", 0)
    assert client.transport is not None
    client.transport.loseConnection()
    await client.closed


@pytest_twisted.ensureDeferred
async def test_an_answer_that_cannot_be_completed_is_cut_off(api: World) -> None:
    maker = Maker(error=ValueError("broken"))
    api.site.pages = {b"/stream": maker.serve}
    received = await exchange(api, asked())
    assert not received.endswith(b"0\r\n\r\n")
    assert maker.ends[0].check(ValueError)


@pytest_twisted.ensureDeferred
async def test_pieces_are_made_as_they_are_read_and_a_reader_that_stalls_is_cut_off(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, idle_timeout=0.5)) as api:
        maker = Maker((MEGABYTE,) * 100)
        api.site.pages = {b"/stream": maker.serve}
        client = await connect(api)
        transport: Any = client.transport
        transport.pauseProducing()
        client.send(asked())
        await until(lambda: maker.made)
        await until(lambda: maker.ends)
        assert maker.made < 20
        assert maker.closed
        transport.resumeProducing()
        await client.closed


@pytest_twisted.ensureDeferred
async def test_a_slow_reader_gets_everything(tmp_path: Path) -> None:
    from twisted.internet import reactor

    async with world(tmp_path, evolve(MANY, idle_timeout=1.0)) as api:
        maker = Maker((MEGABYTE,) * 48)
        api.site.pages = {b"/stream": maker.serve}
        client = await connect(api)
        transport: Any = client.transport
        client.send(asked())
        got, last = 0, b""
        began = reactor.seconds()
        while not last.endswith(b"\r\n0\r\n\r\n"):
            transport.pauseProducing()
            await deferLater(reactor, 0.1)
            transport.resumeProducing()
            await until(lambda: client.received)
            got, last, client.received = got + client.received.count(b"x"), (last + client.received)[-9:], b""
        assert got >= 48 * len(MEGABYTE)
        assert reactor.seconds() - began > 1.0
        transport.loseConnection()
        await client.closed


@pytest_twisted.ensureDeferred
async def test_a_client_that_goes_away_ends_the_making(api: World) -> None:
    maker = Maker((MEGABYTE,) * 100)
    api.site.pages = {b"/stream": maker.serve}
    client = await connect(api)
    client.send(asked())
    await until(lambda: client.received)
    transport: Any = client.transport
    transport.abortConnection()
    await client.closed
    await until(lambda: maker.closed)
    assert maker.made < 100
