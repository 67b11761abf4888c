"""Twisted's side of one Event Socket connection: a Deferred for each command, in order, and every one of them ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Protocol as Interface

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IAddress, IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from dialer.errors import ProtocolError, SwitchUnavailable
from dialer.esl.commands import Command
from dialer.esl.connection import AuthRequested, CommandReply, Disconnected, EslConnection, Rejected, Unreadable
from dialer.esl.events import EslEvent
from dialer.esl.frames import Limits

MAX_UNSENT = 10_000
"""How many commands may wait for a peer that does not read."""


class Owner(Interface):
    """The user of a connection. Called on the reactor thread."""

    def connected(self) -> None:
        """The connection is open; nothing was received yet."""
        ...

    def happened(self, happening: EslEvent | Unreadable | AuthRequested | Disconnected | Rejected) -> None:
        """The peer said something that is not a reply."""
        ...

    def lost(self, reason: str) -> None:
        """The connection is closed. The commands that were not answered fail after this returns."""
        ...


@implementer(IPushProducer)
class EventSocket(Protocol):
    """One connection, of either direction."""

    transport: Any

    def __init__(self, owner: Owner, limits: Limits | None = None, concerns: Callable[[bytes], bool] | None = None) -> None:
        self._owner = owner
        self._connection = EslConnection(limits, concerns)
        self._sent: list[tuple[Command, Deferred[CommandReply]]] = []
        self._unsent: list[tuple[Command, Deferred[CommandReply]]] = []
        self._writable = False
        self._open = False
        self._why = ""
        self.heard = False
        """Set whenever bytes arrive; the owner resets it."""

    @property
    def in_flight(self) -> int:
        """How many commands were not answered yet."""
        return len(self._sent) + len(self._unsent)

    def send(self, command: Command) -> Deferred[CommandReply]:
        """Give a command; fires with its reply, whatever that says.

        Fails with `SwitchUnavailable` when the connection is lost before, or too many commands wait to be written.
        """
        if not self._open:
            return fail(SwitchUnavailable(command.name, self._why or "not connected", sent=False))
        if len(self._unsent) >= MAX_UNSENT:
            return fail(SwitchUnavailable(command.name, "the switch does not read its commands", sent=False))
        answered: Deferred[CommandReply] = Deferred()
        if self._writable:
            self._write(command, answered)
        else:
            self._unsent.append((command, answered))
        return answered

    def limit(self, limits: Limits) -> None:
        """Other limits of a message, from the next one on."""
        self._connection.limit(limits)

    def abort(self, reason: str) -> None:
        """Close at once; `reason` is what the pending commands and the owner are told."""
        if self._open:
            self._why = self._why or reason
            self.transport.abortConnection()

    def close(self) -> None:
        """Close after what was written has left."""
        if self._open:
            self._why = self._why or "closed by the dialer"
            self.transport.loseConnection()

    @property
    def peer(self) -> IAddress:
        """The address of the other side."""
        return self.transport.getPeer()

    def _write(self, command: Command, answered: Deferred[CommandReply]) -> None:
        self._sent.append((command, answered))
        self.transport.write(self._connection.send(command))

    def connectionMade(self) -> None:
        """Twisted: the connection is open."""
        self._open = self._writable = True
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)
        self._owner.connected()

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes have come."""
        self.heard = True
        connection = self._connection
        happened = self._owner.happened
        connection.receive_data(data)
        try:
            while self._open and (happening := connection.next_event()) is not None:
                if isinstance(happening, CommandReply):
                    self._sent.pop(0)[1].callback(happening)
                else:
                    happened(happening)
        except ProtocolError as error:
            self.abort(f"the peer broke the protocol: {error}")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted: the connection is closed."""
        self._open = self._writable = False
        ended = self._connection.receive_eof()
        self._why = self._why or f"the connection was lost: {ended.reason}"
        sent, self._sent = self._sent, []
        unsent, self._unsent = self._unsent, []
        self._owner.lost(self._why)
        for command, answered in sent:
            answered.errback(SwitchUnavailable(command.name, self._why, sent=True))
        for command, answered in unsent:
            answered.errback(SwitchUnavailable(command.name, self._why, sent=False))

    def pauseProducing(self) -> None:
        """Twisted: the peer reads more slowly than we write; keep commands back, so that they count as not sent."""
        self._writable = False

    def resumeProducing(self) -> None:
        """Twisted: the peer has caught up."""
        self._writable = self._open
        while self._writable and self._unsent:
            self._write(*self._unsent.pop(0))

    def stopProducing(self) -> None:
        """Twisted: the connection is going away; `connectionLost` does the rest."""
