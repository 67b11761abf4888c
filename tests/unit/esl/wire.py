"""A switch's end of in-memory connections: it answers commands as its table says, and tests speak for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

Answers = Callable[[str], bytes | None]


def reply(text: str) -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def api_response(text: str) -> bytes:
    return f"Content-Type: api/response\nContent-Length: {len(text.encode())}\n\n{text}".encode()


def json_event(text: str) -> bytes:
    body = text.encode()
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(body) + body


DAMAGED_EVENTS = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"{}",
    b'{"Event-Name":""}',
    b'{"Event-Name":"CHANNEL_ANSWER","Unique-ID":"c1"',
    b'{"Event-Name":"CHANNEL_ANSWER","Unique-ID":"c1\xff',
    b'{"Event-Name":"CHANNEL_ANSWER","variable_x":"\\ud800"}',
    b"\xff\xfe\x00" * 100,
    b"[" * 10_000,
)
"""Contents of event frames of which nothing can be told."""


def event_frame(body: bytes) -> bytes:
    """A whole frame, whatever its content."""
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(body) + body


class Wire(StringTransport):
    """One connection. `commands` are the first lines of what the dialer wrote."""

    def __init__(self, clock: Clock, answers: Answers) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", "127.0.0.1", 40000))
        self.clock = clock
        self.answers = answers
        self.commands: list[str] = []
        self.protocol: Any = None
        self.closing = False

    def write(self, data: bytes) -> None:
        super().write(data)
        for block in data.decode().split("\n\n"):
            if block:
                self.commands.append(block)
                answer = self.answers(block)
                if answer is not None:
                    self.clock.callLater(0, self.say, answer)

    def say(self, data: bytes) -> None:
        if not self.closing:
            self.protocol.dataReceived(data)

    def close(self) -> None:
        """The connection ends, from whichever side."""
        if not self.closing:
            self.closing = True
            self.clock.callLater(0, self.protocol.connectionLost, Failure(ConnectionDone()))

    def loseConnection(self) -> None:
        super().loseConnection()
        self.close()

    def abortConnection(self) -> None:
        super().abortConnection()
        self.close()


@implementer(IStreamClientEndpoint)
class FakeSwitch:
    """An endpoint. `accepting` False refuses connections; `greeting` is what the switch says first."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.accepting = True
        self.greeting = b"Content-Type: auth/request\n\n"
        self.core_uuid = "core-1"
        self.clock_ahead = 0.0
        self.password = "ClueCon"
        self.silent = False
        self.holding = False
        self.held: list[tuple[Wire, str]] = []
        self.wires: list[Wire] = []
        self.attempts = 0

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        self.attempts += 1
        if not self.accepting:
            return fail(ConnectionRefusedError("111"))
        wire = Wire(self.clock, lambda block: self.answer(wire, block))
        wire.protocol = factory.buildProtocol(wire.getPeer())
        self.wires.append(wire)
        wire.protocol.makeConnection(wire)
        self.clock.callLater(0, wire.say, self.greeting)
        return succeed(wire.protocol)

    def answer(self, wire: Wire, block: str) -> bytes | None:
        line = block.split("\n")[0]
        if self.silent:
            return None
        if line.startswith("auth "):
            return reply("+OK accepted") if line == f"auth {self.password}" else reply("-ERR invalid")
        if line.startswith("event json"):
            return reply("+OK event listener enabled json")
        if line == "api global_getvar core_uuid":
            return api_response(self.core_uuid)
        if line == "api strmicroepoch":
            return api_response(str(int((self.clock.seconds() + self.clock_ahead) * 1_000_000)))
        if line.startswith("api expand hash insert_ifempty/dialer-sent/since/"):
            return api_response("-ERR key already exists\n")
        if self.holding:
            self.held.append((wire, line))
            return None
        if line.startswith("bgapi "):
            return reply("+OK Job-UUID: x")
        if line.startswith("api uuid_exists"):
            return api_response("true")
        return api_response("-ERR No such channel!\n")

    @property
    def open_wires(self) -> list[Wire]:
        return [wire for wire in self.wires if not wire.closing]

    def wire_of(self, first_word: str) -> Wire:
        """The open connection on which such a command came last."""
        return next(w for w in reversed(self.open_wires) if any(c.startswith(first_word) for c in w.commands))

    def settle(self, seconds: float = 0.0) -> None:
        """Let everything that is due now happen, then let time pass in small steps."""
        for _ in range(20):
            self.clock.advance(0)
        steps = int(seconds / 0.05)
        for _ in range(steps):
            self.clock.advance(0.05)
