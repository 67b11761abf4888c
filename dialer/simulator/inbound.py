"""Connections that a client opens to the switch: authentication, then commands and events."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

from attrs import define
from twisted.internet.interfaces import IAddress, ITransport
from twisted.internet.protocol import Factory, Protocol

from dialer.simulator import wire
from dialer.simulator.listener import Listener, ListenerProtocol
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


class InboundFactory(Factory):
    """The listening end. Its flags are faults that new connections meet: garbage, a wrong address, silence, late replies."""

    noisy = False

    def __init__(self, make: Callable[[ITransport], InboundListener], rng: random.Random) -> None:
        self.make = make
        self.rng = rng
        self.protocols: set[ListenerProtocol] = set()
        self.reject = False
        self.garbage = False
        self.silent = False
        self.delay = 0.0

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """A protocol for a new connection."""
        return ListenerProtocol(self._accept, self.protocols.discard)

    def _accept(self, protocol: ListenerProtocol) -> Listener | None:
        """Greet the client, unless a fault forbids it."""
        self.protocols.add(protocol)
        transport = cast(Any, protocol.transport)
        if self.garbage:
            transport.write(self.rng.randbytes(GARBAGE_LENGTH))
            return None
        if self.reject:
            transport.write(wire.rude_rejection() + wire.disconnect_notice())
            transport.loseConnection()
            return None
        listener = self.make(transport)
        listener.silent, listener.delay = self.silent, self.delay
        listener.greet()
        return listener
