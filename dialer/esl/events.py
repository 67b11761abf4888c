"""Event frames to events. JSON is what the dialer asks for; plain is read too, as far as it can be decoded."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import orjson

from dialer.errors import ProtocolError, UnreadableEvent
from dialer.esl.frames import Frame, parse_headers, percent_decoded, text

_BODY = "_body"


class EslEvent(Mapping[str, str]):
    """An event of the switch: its headers by the names that FreeSWITCH writes, and its body.

    A header with several values reads as FreeSWITCH's own text form, `ARRAY::first|:second`.
    """

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, object]) -> None:
        self._headers = headers

    @property
    def name(self) -> str:
        """Its name, such as `CHANNEL_ANSWER`."""
        return self.value("Event-Name")

    @property
    def body(self) -> str:
        """The event's body, such as the result of a BACKGROUND_JOB; "" when it has none."""
        return self.value(_BODY)

    def value(self, header: str) -> str:
        """A header's value; "" when it is missing, which FreeSWITCH does not distinguish from empty."""
        value = self._headers.get(header, "")
        return value if type(value) is str else _as_text(value)

    def __getitem__(self, header: str) -> str:
        value = self._headers[header]
        return value if type(value) is str else _as_text(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __repr__(self) -> str:
        return f"<Event {self.name} {self.value('Unique-ID') or self.value('Job-UUID')}>"


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return "ARRAY::" + "|:".join(_as_text(item) for item in value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def decode_event(frame: Frame) -> EslEvent:
    """The event in a `text/event-json` or `text/event-plain` frame.

    Raises `UnreadableEvent` when its body is not what the type promises, `ProtocolError` when the frame is of another type.
    """
    if frame.content_type == "text/event-json":
        return _named(EslEvent(_json_headers(frame.body)), frame)
    if frame.content_type == "text/event-plain":
        return _named(EslEvent(_plain_headers(frame.body)), frame)
    raise ProtocolError(f"{frame.content_type} is not a type of event that can be read")


def _named(event: EslEvent, frame: Frame) -> EslEvent:
    if not event.name:
        raise UnreadableEvent(f"an event without a name, beginning {frame.body[:80]!r}")
    return event


def _json_headers(body: bytes) -> Mapping[str, object]:
    try:
        headers = orjson.loads(body)
    except orjson.JSONDecodeError:
        # FreeSWITCH copies invalid UTF-8 from the far end into the JSON text, which orjson rightly refuses.
        try:
            headers = orjson.loads(text(body))
        except orjson.JSONDecodeError as error:
            raise UnreadableEvent(f"an event that is not JSON: {error}, beginning {body[:80]!r}") from error
    if not isinstance(headers, dict):
        raise UnreadableEvent(f"an event that is not a JSON object, beginning {body[:80]!r}")
    return headers


def _plain_headers(body: bytes) -> Mapping[str, object]:
    # The inner Content-Length is not needed, and `sendevent` makes two of them: the body is what follows the empty line.
    block, _, rest = body.partition(b"\n\n")
    headers: dict[str, object] = {name: _plain_value(value) for name, value in parse_headers(block).items()}
    if rest:
        headers[_BODY] = text(rest)
    return headers


def _plain_value(value: str) -> str:
    return "" if value == "_undef_" else percent_decoded(value)


class ChannelData(EslEvent):
    """A channel's state, percent-encoded. A value is decoded when it is read: few of the two hundred are."""

    __slots__ = ()

    @property
    def encoded(self) -> Mapping[str, object]:
        """The headers as they came."""
        return self._headers

    def value(self, header: str) -> str:
        """A header's value; "" when it is missing."""
        return _plain_value(super().value(header))

    def __getitem__(self, header: str) -> str:
        return _plain_value(super().__getitem__(header))


def channel_data(frame: Frame) -> ChannelData:
    """The channel's state in the reply to `connect`: a header block, percent-encoded whatever format was asked for."""
    return ChannelData(frame.headers)


_CHANNEL: Final = b'"Unique-ID":"'
_JOB: Final = b'"Job-UUID":"'
_END: Final = b'"Event-Name":"CHANNEL_HANGUP_COMPLETE"'
_LONGEST: Final = 64
"""Characters of a UUID, with room."""

HEAD: Final = 200
"""Bytes within which the event's name stands: it is the first header."""


def concerns(body: bytes, owns: Callable[[str], bool]) -> bool:
    """Whether an event is to be decoded: one of a call (or its job) that `owns` knows, the end of any call, and any that is
    not about a call at all.

    A switch tells everybody everything, and decoding 9 kB of another's call is work, so this is told from the bytes.
    FreeSWITCH writes JSON without blanks between a name and its value, and escapes quotation marks in values, so what looks
    like a header here is one. A name inside another (`Caller-Unique-ID`) has no quotation mark before it.
    """
    for name in (_CHANNEL, _JOB):
        at = body.find(name)
        if at >= 0:
            begin = at + len(name)
            end = body.find(b'"', begin, begin + _LONGEST)
            return end < 0 or owns(body[begin:end].decode("ascii", "replace")) or _END in body[:HEAD]
    return True


_BONDED: Final = b'"Channel-Call-UUID":"'


def concerns_legs(body: bytes, owns: Callable[[str], bool]) -> bool:
    """The same, and whether it is an event of a second leg of such a call: FreeSWITCH names the first leg's channel there
    (switch_channel_event_set_basic_data)."""
    if concerns(body, owns):
        return True
    at = body.find(_BONDED)
    begin = at + len(_BONDED)
    return at >= 0 and owns(body[begin : body.find(b'"', begin, begin + _LONGEST)].decode("ascii", "replace"))


_PREFIX = "variable_"
_LEVEL, _WINDOW, _MEMORY = 3, 13, 6
"""zlib's. A window of 8 kB holds the variables of two calls; to set up the usual one of 32 kB takes longer than to pack."""


class VariablePacker:
    """Packs the channel variables of sessions: thousands of sessions keep them for hours, and few look at them.

    Of each call's variables only what they do not share with those of the first call is kept: the calls of an installation
    look alike. The 95 variables of a recorded call (`recordings/21-outbound-async-full-linger`), 4.4 kB, are packed to 0.3 kB.
    """

    def __init__(self) -> None:
        self._model = b""

    def pack(self, channel: ChannelData) -> bytes:
        """The variables of a channel."""
        variables = orjson.dumps({name: value for name, value in channel.encoded.items() if name.startswith(_PREFIX)})
        self._model = self._model or variables
        packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zdict=self._model)
        return packing.compress(variables) + packing.flush()

    def value(self, packed: bytes, name: str) -> str:
        """A variable's value; "" when it is missing."""
        unpacking = zlib.decompressobj(_WINDOW, zdict=self._model)
        return ChannelData(orjson.loads(unpacking.decompress(packed))).value(_PREFIX + name)
