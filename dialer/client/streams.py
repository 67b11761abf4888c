"""Server-sent events, as they come over a connection: lines in, events out."""

from __future__ import annotations

from typing import Any, TypedDict

import orjson
from attrs import define


class StreamEventObject(TypedDict):
    """An event (docs/events.md). One of the type `stream.lost` tells that others are not kept any more."""

    id: str
    type: str
    version: int
    timestamp: str
    sequence: int | None
    campaign_id: int | None
    contact_id: int | None
    attempt_id: str | None
    reference: str | None
    data: dict[str, Any]


@define(eq=False)
class EventReader:
    """Makes events of lines. `last_id` is that of the last one, behind which a broken stream goes on; `retry` are the seconds
    after which it is asked for again."""

    last_id: str = ""
    retry: float = 1.0
    _data: str = ""

    def take(self, line: str) -> StreamEventObject | None:
        """The event that a line completes, if it completes one (HTML, server-sent events, 9.2.6)."""
        if not line:
            data, self._data = self._data, ""
            found: StreamEventObject | None = orjson.loads(data) if data else None
            return found
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data += value
        elif name == "id":
            self.last_id = value
        elif name == "retry" and value.isdecimal():
            self.retry = int(value) / 1000
        return None

    def lost(self) -> None:
        """The connection was lost: what it has begun is not completed."""
        self._data = ""
