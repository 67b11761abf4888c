"""A TCP in memory: connections that deliver bytes in pieces, late, never, or after their sender has died.

What a process has written is with the kernel: it leaves the machine even when the process is killed in the next instruction.
So each direction of a connection is a queue of its own, which outlives its ends.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.error import (
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    TimeoutError,
    UserError,
)
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from tests.crash.process import Process
    from tests.crash.world import World

HOST = "127.0.0.1"
LATENCY = (0.0005, 0.02)
"""Seconds that a piece is on its way: FreeSWITCH polls its events every 20 ms."""


class Fate(enum.Enum):
    """What becomes of the bytes that a killed process had written and that had not arrived."""

    ARRIVES = "arrives"
    LOST = "lost"
    CUT = "cut"  # a part arrives


class _Opened:
    """The first thing on a connection's way to its client."""


@define(eq=False)
class Pipe:
    """One direction of a connection."""

    world: World
    target: Transport = field(init=False)
    dark: bool = False
    held_until: float = 0.0
    _waiting: deque[Any] = field(factory=deque, init=False)
    _latest: float = field(default=0.0, init=False)

    def put(self, *things: Any) -> None:
        """Bytes, an opening or the reason of an end start on their way."""
        if self.dark:
            return
        for thing in things:
            at = max(self._latest, self.held_until, self.world.clock.seconds() + self.world.rng.uniform(*LATENCY))
            self._latest = at
            self._waiting.append(thing)
            self.world.clock.callLater(max(0.0, at - self.world.clock.seconds()), self._arrive)

    def hold(self, until: float) -> None:
        """The network loses every packet until then; what is sent is sent again, and arrives after that, in order."""
        self.held_until = max(self.held_until, until)

    def darken(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self.dark = True
        self._waiting.clear()

    def end(self, fate: Fate, reason: type[Exception]) -> None:
        """The sender is gone."""
        if fate is Fate.LOST:
            self._waiting.clear()
        elif fate is Fate.CUT and self._waiting:
            kept = self.world.rng.randrange(len(self._waiting) + 1)
            while len(self._waiting) > kept:
                last = self._waiting.pop()
            if kept and isinstance(last := self._waiting[-1], bytes):
                self._waiting[-1] = last[: self.world.rng.randrange(1, len(last) + 1)]
        self.put(reason)

    def _arrive(self) -> None:
        if not self._waiting:
            return
        wait = self.held_until - self.world.clock.seconds()
        if wait > 0:
            self.world.clock.callLater(wait, self._arrive)
            return
        thing = self._waiting.popleft()
        target = self.target
        if not target.process.alive or target.closed:
            return
        if isinstance(thing, bytes):
            target.protocol.dataReceived(thing)
        elif isinstance(thing, _Opened):
            target.opened()
        else:
            target.lost(Failure(thing()))


@define(eq=False)
class Transport:
    """One end of a connection, as Twisted's protocols see it."""

    process: Process
    out: Pipe
    peer: IPv4Address
    host: IPv4Address
    protocol: Any = None
    closed: bool = False
    disconnecting: bool = False

    def write(self, data: bytes) -> None:
        if self.closed or self.disconnecting or not data or not self.process.effect("write"):
            return
        self.out.put(*self.process.world.split(bytes(data)))

    def writeSequence(self, pieces: Any) -> None:
        self.write(b"".join(pieces))

    def loseConnection(self) -> None:
        if not self.closed and not self.disconnecting and self.process.effect("close"):
            self.disconnecting = True
            self.out.put(ConnectionDone)
            self.process.callLater(0, self.lost, connectionDone)

    def abortConnection(self) -> None:
        if not self.closed and not self.disconnecting and self.process.effect("abort"):
            self.disconnecting = True
            self.out.end(self.process.world.rng.choice([Fate.LOST, Fate.ARRIVES]), ConnectionLost)
            self.process.callLater(0, self.lost, Failure(ConnectionLost()))

    def opened(self) -> None:
        self.protocol.makeConnection(self)

    def lost(self, reason: Failure) -> None:
        if not self.closed:
            self.closed = True
            if not self.disconnecting:
                self.out.put(ConnectionDone)
            self.told(reason)

    def told(self, reason: Failure) -> None:
        self.protocol.connectionLost(reason)

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Nothing here is ever slow enough to pause a producer."""

    def unregisterProducer(self) -> None:
        """There was none, as `registerProducer` tells."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """There is no delay to be turned off."""

    def getPeer(self) -> IPv4Address:
        return self.peer

    def getHost(self) -> IPv4Address:
        return self.host


@define(eq=False)
class Client(Transport):
    """The end that asked for the connection: it has no protocol before it knows that there is one."""

    connector: Any = None

    def opened(self) -> None:
        if self.connector.settled:
            self.abortConnection()
            return
        self.connector.settled = True
        self.protocol = self.connector.factory.buildProtocol(self.peer)
        self.protocol.makeConnection(self)

    def told(self, reason: Failure) -> None:
        if self.protocol is None:
            self.connector.fail(ConnectionRefusedError)
        else:
            self.protocol.connectionLost(reason)


@define(eq=False)
class Port:
    """A listening socket."""

    network: Network
    process: Process
    number: int
    factory: Any

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", HOST, self.number)

    def stopListening(self) -> None:
        self.network.ports.pop(self.number, None)


@define(eq=False)
class Connector:
    """A connection that a client asked for."""

    network: Network
    process: Process
    port: int
    factory: Any
    settled: bool = False

    def stopConnecting(self) -> None:
        self.fail(UserError)

    disconnect = stopConnecting

    def fail(self, reason: type[Exception]) -> None:
        if not self.settled and self.process.alive:
            self.settled = True
            self.factory.clientConnectionFailed(self, Failure(reason()))

    def reach(self) -> None:
        """The first packet has arrived."""
        port = self.network.ports.get(self.port)
        refused = self.network.world.clock.seconds() < self.network.refused_until.get(self.port, 0.0)
        if self.settled or not self.process.alive:
            return
        if port is None or refused or not port.process.alive:
            self.fail(ConnectionRefusedError)
            return
        self.network.join(self, port)


@define(eq=False)
class Network:
    """Every connection of the world."""

    world: World
    ports: dict[int, Port] = field(factory=dict)
    refused_until: dict[int, float] = field(factory=dict)
    dark_until: float = 0.0
    held_until: float = 0.0
    transports: list[Transport] = field(factory=list)
    _client_port: int = 40_000

    def listen(self, process: Process, number: int, factory: Any) -> Port:
        factory.doStart()
        port = self.ports[number] = Port(self, process, number, factory)
        return port

    def connect(self, process: Process, port: int, factory: Any, timeout: float) -> Connector:
        connector = Connector(self, process, port, factory)
        factory.doStart()
        factory.startedConnecting(connector)
        now = self.world.clock.seconds()
        self.world.clock.callLater(timeout, connector.fail, TimeoutError)
        if now >= self.dark_until:
            self.world.clock.callLater(self.world.rng.uniform(*LATENCY), connector.reach)
        return connector

    def join(self, connector: Connector, port: Port) -> None:
        self._client_port += 1
        ours, theirs = IPv4Address("TCP", HOST, self._client_port), port.getHost()
        there, back = Pipe(self.world), Pipe(self.world)
        client = Client(connector.process, there, theirs, ours, connector=connector)
        server = Transport(port.process, back, ours, theirs)
        there.target, back.target = server, client
        server.protocol = port.factory.buildProtocol(ours)
        back.put(_Opened())
        if server.protocol is None:
            server.closed = True
            back.put(ConnectionDone)
            return
        self.transports = [one for one in self.transports if not one.closed]
        self.transports += [client, server]
        server.opened()

    def died(self, process: Process, fate: Fate) -> None:
        """The kernel closes what a killed process had open."""
        for number in [number for number, port in self.ports.items() if port.process is process]:
            del self.ports[number]
        for transport in self._open():
            if transport.process is process:
                transport.closed = True
                transport.out.end(fate, ConnectionDone)

    def cut(self) -> None:
        """Every connection breaks, and both ends learn it."""
        for transport in self._open():
            transport.out.end(self.world.rng.choice(list(Fate)), ConnectionLost)

    def abort(self, process: Process) -> None:
        """A process breaks its connections, in the order of their making: the simulator keeps them in sets."""
        for transport in self._open():
            if transport.process is process:
                transport.abortConnection()

    def silence(self, seconds: float) -> None:
        """No packet of what is open arrives ever again; new connections succeed after so many seconds."""
        self.dark_until = self.world.clock.seconds() + seconds
        for transport in self._open():
            transport.out.darken()

    def stall(self, process: Process, seconds: float) -> None:
        """What the process has sent and sends now on its open connections arrives so much later."""
        self.held_until = self.world.clock.seconds() + seconds
        for transport in self._open():
            if transport.process is process:
                transport.out.hold(self.held_until)

    def _open(self) -> list[Transport]:
        return [one for one in self.transports if not one.closed]
