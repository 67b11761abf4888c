"""The state of one Event Socket connection, without the socket: bytes in, happenings out; commands in, bytes out.

Replies are paired with commands in the order in which these were sent and by nothing else: an `api` that was refused answers
as `command/reply`, a permitted one as `api/response` (mod_event_socket.c, parse_command), and both are the next reply.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from dialer.errors import CommandFailed, ProtocolError, UnreadableEvent
from dialer.esl.commands import Command
from dialer.esl.events import ChannelData, EslEvent, channel_data, decode_event
from dialer.esl.frames import Frame, FrameDecoder, Limits, text


@frozen
class AuthRequested:
    """The switch wants a password; the first thing it says."""


@frozen
class CommandReply:
    """The switch's answer to `command`. `text` is what it said, without line ends: `+OK ...`, `-ERR ...`, an api's output."""

    command: Command
    text: str
    frame: Frame

    @property
    def failed(self) -> bool:
        """Whether the switch refused the command."""
        return self.text.startswith(("-ERR", "-USAGE"))

    def checked(self) -> CommandReply:
        """The reply itself; raises `CommandFailed` when the switch refused the command."""
        if self.failed:
            raise CommandFailed(self.command.name, self.text)
        return self

    def channel_data(self) -> ChannelData:
        """The channel's variables and state, in the answer to `connect`."""
        return channel_data(self.frame)


@frozen
class Disconnected:
    """The switch ends the connection, and why. With `lingering` it only says that the call is over: events may follow, and
    a second notice ends the connection."""

    reason: str
    lingering: bool = False


@frozen
class Rejected:
    """The switch does not accept connections from this address."""

    reason: str


@frozen
class Unreadable:
    """An event came whole and could not be read. The stream goes on behind it."""

    reason: str


Happening = EslEvent | Unreadable | AuthRequested | CommandReply | Disconnected | Rejected
"""The things that happen on a connection."""


class EslConnection:
    """One connection, of either direction. `receive_data` stores, `next_event` gives what happened, one at a time. JSON events
    whose body does not `concern` the owner are passed over undecoded."""

    def __init__(self, limits: Limits | None = None, concerns: Callable[[bytes], bool] | None = None) -> None:
        self._concerns = concerns
        self._decoder = FrameDecoder(limits)
        self._pending: list[Command] = []  # short; an empty deque weighs 760 bytes, and thousands of sessions wait
        self._notice: Disconnected | None = None

    def send(self, command: Command) -> bytes:
        """Note that the command will be answered; returns the bytes to write at once."""
        self._pending.append(command)
        return command.payload

    @property
    def in_flight(self) -> int:
        """How many commands wait for their reply."""
        return len(self._pending)

    def limit(self, limits: Limits) -> None:
        """Other limits of a message, from the next one on."""
        self._decoder.limit(limits)

    def receive_data(self, data: bytes) -> None:
        """Store what the socket brought."""
        self._decoder.receive_data(data)

    def next_event(self) -> Happening | None:
        """The next thing that happened, None when more bytes are needed. Raises `ProtocolError`."""
        while True:
            frame = self._decoder.next_frame()
            if frame is None:
                return None
            if frame.content_type == "text/event-json":
                if self._concerns is None or self._concerns(frame.body):
                    return _event(frame)
                continue
            happening = self._interpret(frame)
            if happening is not None:
                return happening

    def receive_eof(self) -> Disconnected:
        """The peer closed. Tells the reason that its notice gave, or that there was none."""
        if self._notice is not None:
            return self._notice
        rest = self._decoder.pending
        if rest:
            return Disconnected(f"closed in the middle of a message beginning {rest!r}")
        return Disconnected("closed without a notice")

    def _interpret(self, frame: Frame) -> Happening | None:
        kind = frame.content_type
        if kind in ("command/reply", "api/response"):
            return self._reply(frame)
        if kind == "text/event-plain":
            return _event(frame)
        if kind == "auth/request":
            return AuthRequested()
        if kind == "text/disconnect-notice":
            lingering = frame.headers.get("Content-Disposition") == "linger"
            notice = Disconnected(_one_line(text(frame.body)) or "the call is over", lingering)
            self._notice = None if lingering else notice
            return notice
        if kind == "text/rude-rejection":
            return Rejected(_one_line(text(frame.body)))
        if kind == "log/data":
            return None
        raise ProtocolError(f"a message of the unknown type {kind[:80]!r}")

    def _reply(self, frame: Frame) -> CommandReply:
        if not self._pending:
            raise ProtocolError("a reply that no command was waiting for")
        command = self._pending.pop(0)
        answer = text(frame.body) if frame.content_type == "api/response" else frame.headers.get("Reply-Text", "")
        return CommandReply(command, answer.strip("\r\n"), frame)


def _event(frame: Frame) -> EslEvent | Unreadable:
    try:
        return decode_event(frame)
    except UnreadableEvent as error:
        return Unreadable(str(error))


def _one_line(words: str) -> str:
    return " ".join(words.split())
