from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from dialer.errors import SwitchUnavailable
from dialer.esl import commands
from dialer.esl.connection import CommandReply
from dialer.esl.events import EslEvent
from dialer.esl.frames import Limits
from dialer.esl.protocol import MAX_UNSENT, EventSocket

OK = b"Content-Type: command/reply\nReply-Text: +OK %d\n\n"


class Notes:
    """An owner that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def connected(self) -> None:
        self.told.append("connected")

    def happened(self, happening: Any) -> None:
        self.told.append(happening)

    def lost(self, reason: str) -> None:
        self.told.append(reason)


def open_socket(limits: Limits | None = None) -> tuple[EventSocket, StringTransport, Notes]:
    notes = Notes()
    socket = EventSocket(notes, limits)
    transport = StringTransport()
    socket.makeConnection(transport)
    return socket, transport, notes


def lose(socket: EventSocket) -> None:
    socket.connectionLost(Failure(ConnectionDone()))


def outcome(deferred: Deferred[CommandReply]) -> Any:
    found: list[Any] = []
    deferred.addCallbacks(lambda reply: found.append(reply.text), lambda failure: found.append(failure.value))
    return found[0] if found else None


def test_each_command_gets_its_own_reply_in_order() -> None:
    socket, transport, _ = open_socket()
    first, second = socket.send(commands.leave()), socket.send(commands.exists("x"))
    assert transport.value() == b"exit\n\napi uuid_exists x\n\n"
    socket.dataReceived(OK % 1 + OK % 2)
    assert (outcome(first), outcome(second), socket.in_flight) == ("+OK 1", "+OK 2", 0)


def test_a_lost_connection_fails_every_written_command_as_perhaps_sent() -> None:
    socket, _, notes = open_socket()
    waiting = [socket.send(commands.exists("x")), socket.send(commands.leave())]
    lose(socket)
    first, second = (outcome(deferred) for deferred in waiting)
    assert isinstance(first, SwitchUnavailable)
    assert (first.command, first.sent, second.command, second.sent) == ("api uuid_exists", True, "exit", True)
    assert "may have reached the switch" in str(first)
    assert notes.told[-1] == "the connection was lost: closed without a notice"


def test_the_owner_learns_of_the_loss_before_the_commands_fail() -> None:
    socket, _, notes = open_socket()
    socket.send(commands.leave()).addErrback(lambda _: notes.told.append("failed"))
    lose(socket)
    assert notes.told[-1] == "failed"


def test_a_command_given_after_the_loss_was_not_sent() -> None:
    socket, _, _ = open_socket()
    lose(socket)
    error = outcome(socket.send(commands.leave()))
    assert isinstance(error, SwitchUnavailable)
    assert error.sent is False


def test_commands_wait_while_the_switch_does_not_read_and_count_as_not_sent() -> None:
    socket, transport, _ = open_socket()
    socket.pauseProducing()
    waiting = socket.send(commands.leave())
    assert transport.value() == b""
    lose(socket)
    error = outcome(waiting)
    assert isinstance(error, SwitchUnavailable)
    assert error.sent is False


def test_waiting_commands_are_written_in_order_once_the_switch_reads_again() -> None:
    socket, transport, _ = open_socket()
    socket.pauseProducing()
    waiting = [socket.send(commands.leave()), socket.send(commands.connect())]
    socket.resumeProducing()
    assert transport.value() == b"exit\n\nconnect\n\n"
    socket.dataReceived(OK % 1 + OK % 2)
    assert [outcome(deferred) for deferred in waiting] == ["+OK 1", "+OK 2"]


def test_only_so_many_commands_wait() -> None:
    socket, _, _ = open_socket()
    socket.pauseProducing()
    for _ in range(MAX_UNSENT):
        socket.send(commands.leave()).addErrback(lambda _: None)
    error = outcome(socket.send(commands.leave()))
    assert isinstance(error, SwitchUnavailable)
    assert error.sent is False
    lose(socket)


@pytest.mark.parametrize("garbage", [b"Server: x\n\n", b"Content-Type: command/reply\n\n", b"x" * 101])
def test_a_broken_protocol_closes_the_connection_at_once_and_says_why(garbage: bytes) -> None:
    socket, transport, notes = open_socket(Limits(header=100))
    socket.dataReceived(garbage)
    assert transport.disconnected
    lose(socket)
    assert "broke the protocol" in notes.told[-1]


def test_events_go_to_the_owner() -> None:
    socket, _, notes = open_socket()
    socket.dataReceived(b'Content-Length: 18\nContent-Type: text/event-json\n\n{"Event-Name":"X"}')
    assert isinstance(notes.told[-1], EslEvent)
    assert socket.heard


def test_the_reason_of_the_notice_is_the_reason_of_the_loss() -> None:
    socket, _, notes = open_socket()
    socket.dataReceived(b"Content-Type: text/disconnect-notice\nContent-Length: 8\n\nGoodbye.")
    lose(socket)
    assert notes.told[-1] == "the connection was lost: Goodbye."
