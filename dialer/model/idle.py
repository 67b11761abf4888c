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
    PAUSED_BY_DIALER = "paused-by-dialer"
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
    DO_NOT_CALL = "do-not-call"
    CONSENT = "consent"
    NO_GATEWAY = "no-gateway"
    NO_DIALER = "no-dialer"
    NO_SWITCH = "no-switch"
    SWITCH_DRAINED = "switch-drained"
    SWITCH_FULL = "switch-full"
    NO_DATABASE = "no-database"
    GATEWAY_MISSING = "gateway-missing"
    GATEWAY_INACTIVE = "gateway-inactive"
    GATEWAY_PAUSED = "gateway-paused"
    GATEWAY_DOWN = "gateway-down"
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
class PausedCampaign:
    """A campaign that the dialer itself has paused, and why."""

    id: int
    name: str
    reason: str


@frozen(kw_only=True)
class ObeyedRefusals:
    """What came of gateways that refuse us: campaigns that are `paused` for it, and the ids of the gateways through which no
    campaign calls any more."""

    paused: tuple[PausedCampaign, ...]
    unused: frozenset[int]


@frozen(kw_only=True)
class BlockedContacts:
    """Contacts of a campaign that may not be called: how many are called no more, and how many wait until they may. `reason`
    is a word of `BlockReason`."""

    reason: str
    blocked: int
    waiting: int


@frozen(kw_only=True)
class Explanation:
    """A campaign as it is now: `reason` is None when nothing keeps it from calling; `blocked` are contacts that may not be
    called, by what for."""

    campaign: Campaign
    progress: Progress
    reason: IdleReason | None
    blocked: tuple[BlockedContacts, ...] = ()
