"""Connections that a client opens to the switch: authentication, then commands and events."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

from attrs import define
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from dialer.simulator import wire
from dialer.simulator.listener import Listener
from dialer.simulator.wire import ReceivedCommand

GARBAGE_LENGTH = 4096  # bytes of a garbage fault


@define(eq=False)
class InboundListener(Listener):
    """A client that must authenticate first."""

    password: str = ""
    trusted: bool = False

    def greet(self) -> None:
        """The first frame of a connection."""
        self.send(wire.AUTH_REQUEST)

    def handle(self, command: ReceivedCommand) -> bool:
        """Before authentication: only that, and the end."""
        line = command.line.lower()
        if self.trusted or line.startswith(("exit", "...")):
            return Listener.handle(self, command)
        if line.startswith("auth ") and command.line[5:] == self.password:
            self.trusted = True
            self.reply("+OK accepted")
        elif line.startswith(("auth ", "userauth ")):
            self.reply("-ERR invalid")
            self.hang_up()
        else:
            self.reply(wire.NOT_FOUND)
        return True


class InboundProtocol(Protocol):
    """Hands bytes to a listener."""

    def __init__(self, owner: InboundFactory) -> None:
        self._owner = owner
        self.listener: InboundListener | None = None

    def connectionMade(self) -> None:
        """Greet the client, unless a fault forbids it."""
        self._owner.accept(self)

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the client."""
        if self.listener is not None:
            self.listener.receive(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        if self.listener is not None:
            self.listener.forget()
        self._owner.protocols.discard(self)


class InboundFactory(Factory):
    """The listening end. `refuse` and `reject` are faults: wrong password for everybody, wrong address for everybody."""

    noisy = False

    def __init__(self, make: Callable[[InboundProtocol], InboundListener], rng: random.Random) -> None:
        self.make = make
        self.rng = rng
        self.protocols: set[InboundProtocol] = set()
        self.reject = False
        self.garbage = False
        self.silent = False
        self.delay = 0.0

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """A protocol for a new connection."""
        return InboundProtocol(self)

    def accept(self, protocol: InboundProtocol) -> None:
        """A client has connected."""
        self.protocols.add(protocol)
        transport = cast(Any, protocol.transport)
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        if self.garbage:
            transport.write(self.rng.randbytes(GARBAGE_LENGTH))
            return
        if self.reject:
            transport.write(wire.rude_rejection() + wire.disconnect_notice())
            transport.loseConnection()
            return
        listener = protocol.listener = self.make(protocol)
        listener.silent, listener.delay = self.silent, self.delay
        listener.greet()
