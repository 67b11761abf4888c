"""A simulated switch and the dialer's outbound server in memory, on one stepped clock, with a network between them that can be
cut at any moment."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from dialer.apps.runner import VoiceApplications
from dialer.esl import commands
from dialer.esl.outbound import OutboundServer
from dialer.model import Attempt, Origination
from dialer.settings import AppSettings
from dialer.simulator.callees import NumberPlan, parse_pattern
from dialer.simulator.channel import Channel
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.outbound import OutboundListener
from dialer.simulator.service import Simulator
from tests.unit.apps.world import MemoryAppStore

STEP = 1 / 32
ADDRESS = IPv4Address("TCP", "127.0.0.1", 40000)
BEGIN = 1_795_403_000.0


class Side:
    """One end of a connection, as a transport. What is written arrives at the next turn of the clock."""

    def __init__(self, clock: Clock, protocol: Any) -> None:
        self.clock = clock
        self.protocol = protocol
        self.other: Side
        self.closed = False

    def write(self, data: bytes) -> None:
        if not self.closed:
            self.clock.callLater(0, self.other.receive, data)

    def receive(self, data: bytes) -> None:
        if not self.closed:
            self.protocol.dataReceived(data)

    def loseConnection(self) -> None:
        self.clock.callLater(0, self.cut)

    def abortConnection(self) -> None:
        self.cut()

    def cut(self) -> None:
        for side in (self, self.other):
            if not side.closed:
                side.closed = True
                self.clock.callLater(0, side.protocol.connectionLost, Failure(ConnectionDone()))

    def getPeer(self) -> IPv4Address:
        return ADDRESS

    def setTcpNoDelay(self, enabled: bool) -> None: ...

    def registerProducer(self, producer: Any, streaming: bool) -> None: ...


class Network(Clock):
    """A clock that can connect: everybody who does reaches `server`, or is refused when it is None."""

    server: OutboundServer | None = None

    def __init__(self) -> None:
        super().__init__()
        self.sides: list[Side] = []

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, *_: Any, **__: Any) -> Any:
        factory.doStart()
        called = self.server.buildProtocol(ADDRESS) if self.server else None
        if called is None:
            self.callLater(0, factory.clientConnectionFailed, None, Failure(ConnectionRefusedError()))
            return None
        caller = factory.buildProtocol(ADDRESS)
        ours, theirs = Side(self, called), Side(self, caller)
        ours.other, theirs.other = theirs, ours
        self.sides += [ours, theirs]
        called.makeConnection(ours)
        caller.makeConnection(theirs)
        return None


@define(eq=False)
class Link:
    """`call` places a call to a callee; `finished` are the notes of each session's application."""

    callee: str
    attempt: Attempt
    settings: AppSettings
    second: str = "stays"
    network: Network = field(factory=Network)
    store: MemoryAppStore = field(factory=MemoryAppStore)
    finished: list[dict[str, str]] = field(factory=list)
    sessions: list[Any] = field(factory=list)
    simulator: Simulator = field(init=False)
    server: OutboundServer = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.network.advance(BEGIN)
        plan = NumberPlan((parse_pattern(f"1*={self.callee}"), parse_pattern(f"*={self.second}")))
        config = SimulatorConfig(plan=plan, heartbeat=0, orphan_window=0.005)
        self.simulator = Simulator(self.network, config, random.Random(3))
        ids = iter(range(10**6))
        self.server = OutboundServer(
            self.network, self.drive, lambda uuid: uuid == self.attempt.call_uuid, lambda: f"ev-{next(ids)}"
        )
        self.network.server = self.server

    async def drive(self, call: Any) -> None:
        self.sessions.append(call)
        runner = VoiceApplications(
            settings=self.settings, store=self.store, clock=self.network, now=lambda: datetime(2027, 3, 1, tzinfo=UTC)
        )
        self.finished.append(await runner.run(call, self.attempt))

    def call(self, max_duration: int = 30) -> None:
        call = Origination(
            call_uuid=self.attempt.call_uuid,
            dial_string="sofia/gateway/carrier/1555",
            account_code="dialer-test",
            timeout=20,
            max_duration=max_duration,
            deadline=datetime.fromtimestamp(self.network.seconds() + 10, UTC),
            outbound="127.0.0.1:8084",
        )
        payload = commands.originate(call, timedelta()).payload.decode()
        line = payload.partition("\n")[0].removeprefix("bgapi ")
        command, _, argument = line.partition(" ")
        self.simulator.api.run(command, argument, lambda _: None)

    def pass_time(self, seconds: float) -> None:
        self.network.pump([STEP] * round(seconds / STEP))

    @property
    def channel(self) -> Channel | None:
        return self.simulator.switch.channels.get(self.attempt.call_uuid)

    @property
    def listeners(self) -> list[OutboundListener]:
        return [one for one in self.simulator._outbound if not one.closed]

    def stop_server(self) -> Deferred[None]:
        self.network.server = None
        return self.server.stop()
