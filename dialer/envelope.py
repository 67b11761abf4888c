"""An event as others get it: one shape for webhooks, streams and terminals, and one form of its id.

Ids are numbers that grow; in another database they begin anew. So the outward id has the installation in it, which was
generated with the database: a receiver that takes each id once loses nothing when a database is made anew.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.errors import BadValue
from dialer.kinds import LARGEST_ID, Kind
from dialer.model.event import Told

ID_PATTERN: Final = "evt_([0-9a-f]{16})_(0|[1-9][0-9]{0,18})"
"""Of the outward id: the installation, and the number."""


def outward_id(installation: str, number: int) -> str:
    """The id by which others know an event."""
    return f"evt_{installation}_{number}"


@frozen
class EventId(Kind):
    """An outward id."""

    takes = "the id of an event as it came, such as evt_3f9a0c1d2b4e5f60_4711"

    def parse(self, value: Any) -> tuple[str, int]:
        """The installation and the number."""
        match = re.fullmatch(ID_PATTERN, value)
        if match is None or int(match[2]) > LARGEST_ID:
            raise ValueError
        return match[1], int(match[2])

    def schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string", "pattern": f"^{ID_PATTERN}$"}


def parse_id(text: str, field: str = "id") -> tuple[str, int]:
    """The installation and the number of an outward id. Raises `BadValue`, which names `field`."""
    try:
        return EventId().parse(text)
    except ValueError:
        raise BadValue(field, f"expected {EventId.takes}") from None


def envelope(told: Told) -> dict[str, Any]:
    """The event as a JSON object. `attempt_id` is the UUID of the call's channel: the one name that FreeSWITCH, its
    records and the dialer share. Times are of RFC 3339."""
    event = told.event
    return {
        "id": outward_id(told.installation, event.id),
        "type": event.kind,
        "version": event.version,
        "timestamp": event.at.isoformat(),
        "sequence": event.sequence,
        "campaign_id": event.campaign_id,
        "contact_id": event.contact_id,
        "attempt_id": event.call_uuid or None,
        "reference": told.reference or None,
        "data": orjson.loads(event.data),
    }


def line(told: Told) -> str:
    """The same as one line of JSON."""
    return orjson.dumps(envelope(told)).decode()
