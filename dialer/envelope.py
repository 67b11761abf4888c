"""An event as others get it: one shape for webhooks, streams and terminals."""

from __future__ import annotations

from typing import Any

import orjson

from dialer.model.event import Told


def event_id(number: int) -> str:
    """By which others know an event."""
    return f"evt_{number}"


def envelope(told: Told) -> dict[str, Any]:
    """The event as a JSON object. `attempt_id` is the UUID of the call's channel: the one name that FreeSWITCH, its
    records and the dialer share. Times are of RFC 3339."""
    event = told.event
    return {
        "id": event_id(event.id),
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
