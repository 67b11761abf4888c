"""Bytes to frames: a header block, an empty line and, when `Content-Length` says so, a body. No socket.

`FrameDecoder` is fed whatever the socket brought, in pieces of any size, and gives whole frames; how the stream was cut never
shows in them. Each byte is looked at a bounded number of times, and a frame may not exceed `Limits`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from attrs import frozen

from dialer.errors import ProtocolError


@frozen(kw_only=True)
class Limits:
    """The largest header block and body that are accepted, in bytes.

    The answer to `connect` is a header block of 7 to 30 kB (`recordings/21-outbound-async-full-linger`); `show channels` is a
    body of 1.2 kB for each channel, which leaves room for 13,000 of them.
    """

    header: int = 256 * 1024
    body: int = 16 * 1024 * 1024


@frozen
class Frame:
    """One message of the peer. `headers` are as on the wire: values are decoded from UTF-8 but not from percent signs (only
    the answer to `connect` has those, see `percent_decoded`); of headers that appear twice, the first counts."""

    content_type: str
    headers: Mapping[str, str]
    body: bytes = b""


_END_OF_HEADERS = re.compile(rb"\n\r?\n")
_LONGEST_END = 3
_BLANK_LINES = re.compile(rb"[\r\n]*")
# What nearly all frames look like, byte for byte (mod_event_socket.c, read_packet).
_EVENT_HEAD = re.compile(rb"Content-Length: (\d{1,12})\nContent-Type: (text/event-(?:json|plain))\n\n")
_EVENT_HEADERS: Mapping[bytes, Mapping[str, str]] = {
    b"text/event-json": {"Content-Type": "text/event-json"},
    b"text/event-plain": {"Content-Type": "text/event-plain"},
}
_DIGITS = re.compile(r"\d{1,12}", re.ASCII)


def text(raw: bytes) -> str:
    """UTF-8 as text; other bytes are replaced, because FreeSWITCH passes on whatever the far end sent."""
    return raw.decode("utf-8", "replace")


def percent_decoded(value: str) -> str:
    """The value that FreeSWITCH wrote percent-encoded. Not exact: it leaves a `%XX` that was there already alone."""
    return text(unquote_to_bytes(value)) if "%" in value else value


def parse_headers(block: bytes) -> dict[str, str]:
    """Split a header block into its headers; of duplicates the first counts (`Hangup-Cause` comes twice).

    Lines are split before percent signs are decoded, so no value can become a header. (UTF-8 may be decoded before: bytes that
    are not UTF-8 never take a line feed or a colon with them.) A line without a colon continues the value before it: the
    reply to `getvar` carries a variable's line feeds as they are (`recordings/21-outbound-async-full-linger`).
    """
    headers: dict[str, str] = {}
    last = ""
    for line in text(block).split("\n"):
        name, colon, value = line.removesuffix("\r").partition(":")
        if colon:
            last = name
            if name not in headers:
                headers[name] = value.removeprefix(" ")
        elif last and name:
            headers[last] += "\n" + name
    return headers


class FrameDecoder:
    """An incremental decoder: `receive_data` stores, `next_frame` gives one frame or None for "need more".

    Raises `ProtocolError` from `next_frame` at the place in the stream where the peer broke the protocol, and from then on.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._buffer = bytearray()
        self._position = 0
        self._scanned = 0
        self._head: tuple[str, Mapping[str, str], int] | None = None
        self._error: ProtocolError | None = None

    def limit(self, limits: Limits) -> None:
        """Other limits, from the next frame on."""
        self._limits = limits

    def receive_data(self, data: bytes) -> None:
        """Store what the socket brought."""
        self._buffer += data

    @property
    def pending(self) -> bytes:
        """The beginning (at most 80 bytes) of what is stored and not yet a frame, for messages."""
        return bytes(self._buffer[self._position : self._position + 80])

    def next_frame(self) -> Frame | None:
        """The next frame, or None when more bytes are needed."""
        if self._error is not None:
            raise self._error
        try:
            return self._next_frame()
        except ProtocolError as error:
            self._error = error
            raise

    def _next_frame(self) -> Frame | None:
        if self._head is None:
            self._head = self._read_head()
            if self._head is None:
                self._forget_read()
                return None
        content_type, headers, length = self._head
        start = self._position
        end = start + length
        if len(self._buffer) < end:
            self._forget_read()
            return None
        with memoryview(self._buffer) as view:
            body = bytes(view[start:end])
        self._position = end
        self._head = None
        return Frame(content_type, headers, body)

    def _forget_read(self) -> None:
        """An idle connection keeps no buffer."""
        del self._buffer[: self._position]
        self._scanned = max(0, self._scanned - self._position)
        self._position = 0

    def _read_head(self) -> tuple[str, Mapping[str, str], int] | None:
        event = _EVENT_HEAD.match(self._buffer, self._position)
        if event is not None:
            length, kind = event.groups()
            self._position = event.end()
            headers = _EVENT_HEADERS[bytes(kind)]
            return headers["Content-Type"], headers, self._accept_length(int(length))
        return self._read_any_head()

    def _read_any_head(self) -> tuple[str, Mapping[str, str], int] | None:
        blank = _BLANK_LINES.match(self._buffer, self._position)
        if blank is not None:
            self._position = blank.end()
        searched_from = max(self._position, self._scanned - _LONGEST_END)
        end = _END_OF_HEADERS.search(self._buffer, searched_from)
        self._scanned = end.end() if end else len(self._buffer)
        size = (end.start() if end else self._scanned) - self._position
        if size > self._limits.header:
            raise ProtocolError(f"a header block of more than {self._limits.header} bytes, beginning {self.pending!r}")
        if end is None:
            return None
        block = bytes(self._buffer[self._position : end.start()])
        self._position = end.end()
        headers = parse_headers(block)
        if "Content-Type" not in headers:
            raise ProtocolError(f"a header block without Content-Type, beginning {block[:80]!r}")
        length = headers.get("Content-Length", "0")
        if not _DIGITS.fullmatch(length):
            raise ProtocolError(f"Content-Length is {length[:40]!r}, not a number of bytes")
        return headers["Content-Type"], headers, self._accept_length(int(length))

    def _accept_length(self, length: int) -> int:
        if length > self._limits.body:
            raise ProtocolError(f"a body of {length} bytes; at most {self._limits.body} are accepted")
        return length
