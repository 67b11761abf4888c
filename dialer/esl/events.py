"""Event frames to events. JSON is what the dialer asks for; plain is read too, as far as it can be decoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from dialer.errors import ProtocolError
from dialer.esl.frames import Frame, parse_headers, percent_decoded, text

_BODY = "_body"


class Event(Mapping[str, str]):
    """An event of the switch: its headers by the names that FreeSWITCH writes, and its body.

    A header with several values reads as FreeSWITCH's own text form, `ARRAY::first|:second`.
    """

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, object]) -> None:
        self._headers = headers

    @property
    def name(self) -> str:
        """What happened, such as `CHANNEL_ANSWER`."""
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


def decode_event(frame: Frame) -> Event:
    """The event in a `text/event-json` or `text/event-plain` frame.

    Raises `ProtocolError` when the frame is of another type or its body is not what the type promises.
    """
    if frame.content_type == "text/event-json":
        return Event(_json_headers(frame.body))
    if frame.content_type == "text/event-plain":
        return Event(_plain_headers(frame.body))
    raise ProtocolError(f"{frame.content_type} is not a type of event that can be read")


def _json_headers(body: bytes) -> Mapping[str, object]:
    try:
        headers = orjson.loads(body)
    except orjson.JSONDecodeError:
        # FreeSWITCH copies invalid UTF-8 from the far end into the JSON text, which orjson rightly refuses.
        try:
            headers = orjson.loads(text(body))
        except orjson.JSONDecodeError as error:
            raise ProtocolError(f"an event that is not JSON: {error}, beginning {body[:80]!r}") from error
    if not isinstance(headers, dict):
        raise ProtocolError(f"an event that is not a JSON object, beginning {body[:80]!r}")
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


class ChannelData(Event):
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
