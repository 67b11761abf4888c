"""Values for the tests of the decisions: everything has a default, a test names what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from dialer.model import (
    Campaign,
    CampaignStatus,
    Candidate,
    Gateway,
    Outcome,
    VoipApp,
    VoipAppType,
)

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
"""A Monday."""


def campaign(**changes: Any) -> Campaign:
    """A campaign that is open all day long on all days."""
    values: dict[str, Any] = {
        "id": 1,
        "user_id": 1,
        "name": "spring",
        "status": CampaignStatus.START,
        "starting_at": NOON - timedelta(days=30),
        "expires_at": NOON + timedelta(days=30),
        "daily_start": time(0, 0),
        "daily_stop": time(23, 59, 59),
        "weekdays": (True,) * 7,
        "time_zone": "UTC",
        "frequency": 60,
        "call_max_duration": 60,
        "max_retry": 3,
        "interval_retry": 300,
        "call_timeout": 30,
        "gateway_id": 1,
        "voip_app_id": 1,
        "voip_app": VoipApp(id=1, name="hello", type=VoipAppType.SPEAK),
    }
    return Campaign(**{**values, **changes})


def candidate(**changes: Any) -> Candidate:
    """A contact that was never called."""
    return Candidate(
        **{
            "subscriber_id": 1,
            "contact_id": 1,
            "campaign_id": 1,
            "number": "4930123456",
            "identity": changes.get("number", "4930123456"),
            **changes,
        }
    )


def gateway(**changes: Any) -> Gateway:
    """An active gateway without limits."""
    return Gateway(**{"id": 1, "name": "carrier", "dial_string": "sofia/gateway/carrier/{number}", **changes})


def outcome(cause: str, *, rang: bool = False, answered: bool = False, **changes: Any) -> Outcome:
    """An end with that cause, after ringing or an answer."""
    values: dict[str, Any] = {
        "cause": cause,
        "ended_at": NOON,
        "rang_at": NOON - timedelta(seconds=9) if rang or answered else None,
        "answered_at": NOON - timedelta(seconds=5) if answered else None,
    }
    return Outcome(**{**values, **changes})
