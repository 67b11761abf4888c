"""Objects of the API v2: events.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Any, Literal, TypedDict


class EventObject(TypedDict):
    """Something that happened, as webhooks and live events tell it."""

    id: str
    type: Literal[
        "attempt.started", "attempt.ringing", "attempt.answered", "attempt.digits", "attempt.ended", "attempt.corrected",
        "contact.opted_out", "contact.completed", "contact.failed", "contact.blocked", "contact.held", "campaign.created",
        "campaign.started", "campaign.paused", "campaign.aborted", "campaign.ended", "campaign.finished", "campaign.idle",
        "import.finished", "switch.up", "switch.down", "gateway.up", "gateway.down", "hook.switched_off", "webhook.disabled",
        "webhook.test",
    ]
    version: int
    """of its data"""
    timestamp: str
    sequence: int
    """its place among the events of its attempt"""
    campaign_id: int | None
    contact_id: int | None
    attempt_id: str | None
    """the UUID of the call's channel"""
    reference: str | None
    """your own word for the contact"""
    data: dict[str, Any]
