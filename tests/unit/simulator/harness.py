"""The simulator in memory: a stepped clock, no socket."""

from __future__ import annotations

import random
from typing import Any

from attrs import Factory, define, field
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from dialer.simulator.callees import NumberPlan, parse_mix, parse_pattern
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.listener import ListenerProtocol
from dialer.simulator.service import Simulator
from tests.unit.simulator.recordings import Frame, Headers, parse_event, split

STEP = 1 / 64  # seconds; a binary fraction, so that the clock is exact
START = 1_795_403_000.0  # seconds since 1970: when the clock of every test begins


@define
class Client:
    """A connection to the simulator in memory."""

    protocol: ListenerProtocol
    transport: StringTransport
    _read: int = 0

    def send(self, text: str) -> None:
        """Send bytes as they are."""
        self.protocol.dataReceived(text.encode("latin-1"))

    def said(self) -> bytes:
        """What came since the last look."""
        data = self.transport.value()[self._read :]
        self._read += len(data)
        return bytes(data)

    def frames(self) -> list[Frame]:
        """The same as frames."""
        return list(split(self.said()))

    def events(self) -> list[Headers]:
        """The events among them."""
        return [parse_event(f) for f in self.frames() if f.content_type.startswith("text/event-")]

    def ask(self, command: str) -> str:
        """The output of an API command; whatever came before is dropped."""
        self.said()
        self.send(f"api {command}\n\n")
        return next(f.body.decode() for f in self.frames() if f.content_type == "api/response")

    def close(self) -> None:
        """The connection is lost."""
        from twisted.internet.error import ConnectionDone
        from twisted.python.failure import Failure

        self.protocol.connectionLost(Failure(ConnectionDone()))


@define
class Bench:
    """A simulator whose time stands still until `pass_time`."""

    config: SimulatorConfig
    clock: Clock = Factory(Clock)
    simulator: Simulator = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.clock.advance(START)
        self.simulator = Simulator(self.clock, self.config, random.Random(7))

    def connect(self, *, login: bool = True) -> Client:
        """A new connection."""
        protocol: Any = self.simulator.inbound.buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        client = Client(protocol, transport)
        if login:
            client.send(f"auth {self.config.password}\n\n")
            client.said()
        return client

    def pass_time(self, seconds: float, step: float = STEP) -> None:
        """Let time pass in small steps."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)


def bench(callee: str = "stays", *, mix: str = "", **settings: Any) -> Bench:
    """A simulator where everybody is the same callee, or the callees of a mix."""
    patterns = () if mix else (parse_pattern(f"*={callee}"),)
    plan = NumberPlan(patterns, parse_mix(mix)) if mix else NumberPlan(patterns)
    return Bench(SimulatorConfig(plan=plan, **settings))


def named(events: list[Headers], name: str) -> list[dict[str, str]]:
    """The events of that name."""
    return [headers for event in events if (headers := dict(event))["Event-Name"] == name]
