"""An event as others get it: one JSON object, the same whichever way it goes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

import orjson

from dialer.model.event import Told

MARK: Final = 8
"""Characters of the installation's id that tell its events from those of another one."""


def event_id(installation: str, number: int) -> str:
    """The id of the event of that number in the table: the same whenever and however often it is sent, and of no other one in
    the world. It holds no full stop (Standard Webhooks, "Webhook metadata")."""
    return f"evt_{installation[:MARK]}_{number}"


def request_id(installation: str, numbers: Sequence[int], *, batched: bool) -> str:
    """The id of a request with these events: that of its only one, or one that is made of all in a batch."""
    if not batched:
        return event_id(installation, numbers[0])
    digest = hashlib.sha256(",".join(map(str, numbers)).encode()).hexdigest()
    return f"batch_{installation[:MARK]}_{numbers[0]}_{digest[:16]}"


def envelope(id_: str, told: Told) -> dict[str, Any]:
    """The JSON object of an event. `attempt_id` is the UUID of the call's channel, null for an event of none; `reference` is
    the client's own word for the contact, `sequence` its place among the events of its attempt, 0 for an event of none."""
    event = told.event
    return {
        "id": id_,
        "type": event.kind,
        "version": event.version,
        "timestamp": event.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "sequence": event.sequence,
        "campaign_id": event.campaign_id,
        "contact_id": event.contact_id,
        "attempt_id": event.call_uuid or None,
        "reference": told.reference,
        "data": orjson.Fragment(event.data),
    }


def body_of(envelopes: Sequence[dict[str, Any]], *, batched: bool) -> bytes:
    """The body of a request: the event, or `{"type":"batch","events":[...]}`."""
    return orjson.dumps({"type": "batch", "events": envelopes} if batched else envelopes[0])


def body(installation: str, events: Sequence[Told], *, batched: bool) -> bytes:
    """The body of a request with these events of the table."""
    return body_of([envelope(event_id(installation, one.event.id), one) for one in events], batched=batched)
