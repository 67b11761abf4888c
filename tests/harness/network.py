"""A network that loses packets: proxies between a dialer and its switch, in both directions, on a thread of their own.

A lost packet is one that TCP sends again for as long as it takes. So what is kept back arrives when the link heals, in
order, and with it the end of a connection that was closed meanwhile, be it that whoever sent it has long been dead.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

from attrs import define, field

T = TypeVar("T")

LOCAL = "127.0.0.1"
PATIENCE = 10.0
"""Seconds in which the proxies' thread does what it is told."""


@define(eq=False)
class Lane:
    """One direction of a connection. `kept` are pieces that have not been passed on, None being the end."""

    shut: bool = False
    to: asyncio.Transport | None = None
    kept: list[bytes | None] = field(factory=list)

    def put(self, piece: bytes | None) -> None:
        self.kept.append(piece)
        self.flush()

    def flush(self) -> None:
        if self.shut or self.to is None:
            return
        pieces, self.kept = self.kept, []
        for piece in pieces:
            if piece is None:
                self.to.close()
            elif not self.to.is_closing():
                self.to.write(piece)

    def open(self) -> None:
        self.shut = False
        self.flush()


class End(asyncio.Protocol):
    """One end of a connection: what it hears goes into `heard`, what is for it comes out of `told`."""

    def __init__(self, heard: Lane, told: Lane) -> None:
        self._heard = heard
        self._told = told

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._told.to = transport
        self._told.flush()

    def data_received(self, data: bytes) -> None:
        self._heard.put(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._heard.put(None)


@define(eq=False)
class Connection:
    """A connection through the link; `onward` is the way from who has opened it. `reaching` connects to the other side."""

    by_dialer: bool
    onward: Lane
    back: Lane
    reaching: asyncio.Task[None] | None = None

    @property
    def from_dialer(self) -> Lane:
        return self.onward if self.by_dialer else self.back

    @property
    def to_dialer(self) -> Lane:
        return self.back if self.by_dialer else self.onward

    def reset(self) -> None:
        """Break it; what was kept back is lost."""
        if self.reaching is not None:
            self.reaching.cancel()
        for lane in (self.onward, self.back):
            lane.kept.clear()
            lane.shut = True
            if lane.to is not None:
                _reset(lane.to)


@define(eq=False)
class Link:
    """What lies between one dialer and the switch. The dialer connects to `switch_port`, the switch to `outbound_port`."""

    network: Network
    switch_port: int = 0
    outbound_port: int = 0
    _silent: bool = field(default=False, init=False)
    _healed: asyncio.Event = field(factory=asyncio.Event, init=False)
    _connections: list[Connection] = field(factory=list, init=False)
    _servers: list[asyncio.Server] = field(factory=list, init=False)

    # --- what a test does -------------------------------------------------------------------------------------------------

    def is_open(self) -> bool:
        """Whether the dialer has a connection to the switch. One that was broken is none, heard of or not."""
        return self.network.do(self._is_open)

    def silence(self) -> None:
        """Nothing arrives any more, in either direction, and nothing is closed."""
        self.network.do(self._silence)

    def hold(self) -> None:
        """What the dialer has sent and sends on its open connections is kept back; new connections are not concerned."""
        self.network.do(self._hold)

    def mute(self) -> None:
        """What the switch sends on the open connections is kept back; the dialer's bytes arrive, and new connections are not
        concerned."""
        self.network.do(self._mute)

    def held(self) -> bytes:
        """The dialer's bytes that are kept back."""
        return self.network.do(self._held)

    def heal(self) -> None:
        """What was kept back arrives."""
        self.network.do(self._heal)

    def reset(self) -> None:
        """Every connection is broken, what was kept back is lost; new connections can be had."""
        self.network.do(self._reset)

    # --- on the proxies' thread -------------------------------------------------------------------------------------------

    async def listen(self, switch: int, outbound: int) -> None:
        """Serve; `switch` and `outbound` are the real ports."""
        self.switch_port = await self._serve(switch, by_dialer=True)
        self.outbound_port = await self._serve(outbound, by_dialer=False)

    async def _serve(self, target: int, *, by_dialer: bool) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: self._accepted(target, by_dialer=by_dialer), LOCAL, 0)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def _accepted(self, target: int, *, by_dialer: bool) -> End:
        connection = Connection(by_dialer, Lane(self._silent), Lane(self._silent))
        self._connections = [one for one in self._connections if not _is_over(one)]
        self._connections.append(connection)
        connection.reaching = asyncio.get_running_loop().create_task(self._reach(connection, target))
        return End(connection.onward, connection.back)

    async def _reach(self, connection: Connection, target: int) -> None:
        if self._silent:
            await self._healed.wait()
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: End(connection.back, connection.onward), LOCAL, target)
        except OSError:
            connection.reaching = None
            connection.reset()  # nobody listens there
            self._connections = [one for one in self._connections if one is not connection]

    def _is_open(self) -> bool:
        return any(connection.by_dialer and _has_both_ends(connection) for connection in self._connections)

    def _silence(self) -> None:
        self._silent = True
        self._healed.clear()
        for connection in self._connections:
            connection.onward.shut = connection.back.shut = True

    def _hold(self) -> None:
        for connection in self._connections:
            connection.from_dialer.shut = True

    def _mute(self) -> None:
        for connection in self._connections:
            connection.to_dialer.shut = True

    def _held(self) -> bytes:
        lanes = [connection.from_dialer for connection in self._connections]
        return b"".join(piece for lane in lanes if lane.shut for piece in lane.kept if piece is not None)

    def _heal(self) -> None:
        self._silent = False
        self._healed.set()
        for connection in self._connections:
            connection.onward.open()
            connection.back.open()

    def _reset(self) -> None:
        self._silent = False
        self._healed.set()
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.reset()

    def close(self) -> None:
        """No longer serve."""
        for server in self._servers:
            server.close()
        self._reset()


@define(eq=False)
class Network:
    """The proxies' thread; a context manager."""

    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop, init=False)
    _thread: Thread = field(init=False)
    _links: list[Link] = field(factory=list, init=False)

    def __enter__(self) -> Network:
        self._thread = Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for link in self._links:
            self.do(link.close)
        asyncio.run_coroutine_threadsafe(_rest_is_over(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def link(self, switch: int, outbound: int) -> Link:
        """A link to a switch that listens on the port `switch`, for a dialer that listens for calls on `outbound`."""
        link = Link(self)
        asyncio.run_coroutine_threadsafe(link.listen(switch, outbound), self._loop).result(PATIENCE)
        self._links.append(link)
        return link

    def do(self, work: Callable[[], T]) -> T:
        """Run `work` on the proxies' thread, and wait for it."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result(PATIENCE)


def _is_over(connection: Connection) -> bool:
    """Whether both ends are closed, and nothing is on its way."""
    lanes = (connection.onward, connection.back)
    return all(lane.to is not None and lane.to.is_closing() and not lane.kept for lane in lanes)


def _has_both_ends(connection: Connection) -> bool:
    """Whether both ends are there, and neither is closed."""
    return all(lane.to is not None and not lane.to.is_closing() for lane in (connection.onward, connection.back))


def _reset(transport: asyncio.Transport) -> None:
    peer: Any = transport.get_extra_info("socket")
    with suppress(OSError):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _rest_is_over() -> None:
    """What was begun has ended: cancelled tasks, closed transports."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
