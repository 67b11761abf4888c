"""The frames of the Event Socket: commands that come in, replies and events that go out.

Taken from recordings and from `read_packet` and `parse_command` of mod_event_socket.c. Replies put Content-Type before
Content-Length, events the other way round. Text is `str` with surrogate escapes, so that bytes which are no UTF-8 pass through
unchanged, as they do in FreeSWITCH.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import Factory, define, frozen

AUTH_REQUEST = b"Content-Type: auth/request\n\n"
GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
SHUT_DOWN = "The system is being shut down.\n"
NOT_FOUND = "-ERR command not found"
MAX_COMMAND = 10 * 1024 * 1024  # bytes; max_len of read_packet
MAX_REPLY = 511  # bytes; the reply buffer of listener_run is 512 with its end

_JSON_SPECIAL = re.compile(r'["\\\x00-\x1f]')
_JSON_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

# SWITCH_URL_UNSAFE of switch_utils.h, and everything outside of printable ASCII; a `%` before two capital
# hexadecimal digits is taken for an escape and left alone (switch_url_encode without double_encode).
_PLAIN_SPECIAL = re.compile(rb'%(?![0-9A-F]{2})|[\x00-\x20\x7f-\xff#&+:;<=>?@\[\\\]^`{|}"]')
_PLAIN_SAFE = re.compile(r"[A-Za-z0-9_./,()!$*'~-]+")

UNDEFINED = "_undef_"  # what a plain event shows for an empty value (switch_event_serialize)


@frozen
class ReceivedCommand:
    """A command as it came: the line, the headers under it (names in lower case), the body when it has a length."""

    line: str
    headers: Mapping[str, str] = Factory(dict)
    body: str = ""

    def argument(self, verb: str) -> str:
        """The text after the verb, without leading blanks."""
        return self.line[len(verb) :].lstrip(" ")


@define
class CommandParser:
    """Cuts the bytes of a connection into commands. `half` tells whether a command has begun and not ended: FreeSWITCH sends
    no event to a connection in that state."""

    _buffer: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection."""
        self._buffer += data

    @property
    def half(self) -> bool:
        """True when bytes of a command are waiting for their end."""
        if self._buffer[:1] in (b"\n", b"\r"):
            self._buffer = self._buffer.lstrip(b"\r\n")
        return bool(self._buffer)

    def next(self) -> ReceivedCommand | None:
        """The next complete command, or None."""
        data = self._buffer = self._buffer.lstrip(b"\r\n")
        end, after = _end_of_block(data)
        if end < 0:
            return None
        lines = to_text(data[:end]).replace("\r", "\n").split("\n")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.lower(), value.lstrip(" "))
        length = _length(headers.get("content-length", ""))
        if len(data) < after + length:
            return None
        self._buffer = data[after + length :]
        return ReceivedCommand(lines[0], headers, to_text(data[after : after + length]))


def _end_of_block(data: bytes) -> tuple[int, int]:
    """Where the first empty line begins and where it ends; (-1, -1) when there is none. CR is ignored between LFs."""
    start = data.find(b"\n")
    while start >= 0:
        after = start + 1
        while data[after : after + 1] == b"\r":
            after += 1
        if data[after : after + 1] == b"\n":
            return start, after + 1
        start = data.find(b"\n", start + 1)
    return -1, -1


def _length(text: str) -> int:
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return min(int(digits or 0), MAX_COMMAND)


def reply(text: str, extra: str = "") -> bytes:
    """A `command/reply`, cut as FreeSWITCH cuts it. `extra` are further header lines."""
    return b"Content-Type: command/reply\nReply-Text: " + to_bytes(text)[:MAX_REPLY] + to_bytes(f"\n{extra}\n")


def job_reply(job_uuid: str) -> bytes:
    """The answer to `bgapi`."""
    return reply(f"+OK Job-UUID: {job_uuid}", f"Job-UUID: {job_uuid}\n")


def api_response(output: str) -> bytes:
    """The answer to `api`; no output at all is an error of its own."""
    body = to_bytes(output or "-ERR no reply\n")
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(body), body)


def event(kind: str, body: bytes) -> bytes:
    """An event of `kind` plain or json."""
    return b"Content-Length: %d\nContent-Type: text/event-%b\n\n%b" % (len(body), kind.encode(), body)


def rude_rejection() -> bytes:
    """The frame for a peer whose address is not allowed."""
    body = b"Access Denied, go away.\n"
    return b"Content-Type: text/rude-rejection\nContent-Length: %d\n\n%b" % (len(body), body)


def disconnect_notice(text: str = GOODBYE, session: str = "") -> bytes:
    """The last frame of a connection; `session` is the call that an outbound one controlled."""
    body = text.encode()
    controlled = f"Controlled-Session-UUID: {session}\nContent-Disposition: disconnect\n".encode() if session else b""
    return b"Content-Type: text/disconnect-notice\n%bContent-Length: %d\n\n%b" % (controlled, len(body), body)


def linger_notice(session: str, channel_name: str, seconds: int) -> bytes:
    """Tells a lingering connection that its call has ended; it stays open for `seconds`, -1 for ever."""
    return to_bytes(
        f"Content-Type: text/disconnect-notice\nControlled-Session-UUID: {session}\nContent-Disposition: linger\n"
        f"Channel-Name: {channel_name}\nLinger-Time: {seconds}\nContent-Length: 0\n\n"
    )


def to_bytes(text: str) -> bytes:
    """The bytes that the text stands for."""
    return text.encode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    """The text for bytes; bytes that are no UTF-8 survive the way back."""
    return data.decode("utf-8", "surrogateescape")


def json_text(value: str) -> str:
    """The inside of a JSON string, as cJSON prints it: nothing but quotes, backslashes and control characters escaped."""
    if not _JSON_SPECIAL.search(value):
        return value
    return _JSON_SPECIAL.sub(lambda m: _JSON_SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", value)


def plain_text(value: str) -> str:
    """A header's value as a plain event shows it: percent-encoded, `_undef_` when empty. Not reversible (see above)."""
    if not value:
        return UNDEFINED
    if _PLAIN_SAFE.fullmatch(value):
        return value
    return _PLAIN_SPECIAL.sub(lambda m: b"%%%02X" % m[0][0], to_bytes(value)).decode("ascii")
