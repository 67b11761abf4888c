"""Why a campaign is not calling, and how far it is."""

from __future__ import annotations

import enum
from datetime import datetime

from attrs import frozen

from dialer.model.campaign import Campaign
from dialer.model.contact import Progress


class IdleCode(enum.StrEnum):
    """A stable word for each reason."""

    PAUSED = "paused"
    ABORTED = "aborted"
    ENDED = "ended"
    CALLER_ID = "caller-id"
    EXPIRES_BEFORE_START = "expires-before-start"
    EXPIRED = "expired"
    NOT_STARTED = "not-started"
    NO_WEEKDAYS = "no-weekdays"
    WEEKDAY_OFF = "weekday-off"
    OUTSIDE_HOURS = "outside-hours"
    FREQUENCY_ZERO = "frequency-zero"
    NO_CONTACTS = "no-contacts"
    ALL_DONE = "all-done"
    LAST_CALLS = "last-calls"
    RETRIES_LATER = "retries-later"
    CALLING_RULES = "calling-rules"
    NO_DIALER = "no-dialer"
    NO_SWITCH = "no-switch"
    SWITCH_FULL = "switch-full"
    NO_DATABASE = "no-database"
    GATEWAY_MISSING = "gateway-missing"
    GATEWAY_INACTIVE = "gateway-inactive"
    GATEWAY_PAUSED = "gateway-paused"
    GATEWAY_FULL = "gateway-full"
    GATEWAY_UNREACHABLE = "gateway-unreachable"
    CAMPAIGN_FULL = "campaign-full"
    NEXT_CALL_LATER = "next-call-later"
    NO_CALLER_ID = "no-caller-id"


@frozen
class IdleReason:
    """Why a campaign is not calling: a code, a sentence, and the moment at which that may change, where it is known."""

    code: IdleCode
    text: str
    until: datetime | None = None


@frozen(kw_only=True)
class Explanation:
    """A campaign as it is now: `reason` is None when nothing keeps it from calling."""

    campaign: Campaign
    progress: Progress
    reason: IdleReason | None
