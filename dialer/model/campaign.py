"""A campaign: whom to call is its phonebooks' affair, when and how is its own."""

from __future__ import annotations

import enum
from datetime import datetime, time

from attrs import frozen

from dialer.model.voip_app import VoipApp


class CampaignStatus(enum.IntEnum):
    """The four values of the 2011 API."""

    START = 1
    PAUSE = 2
    ABORT = 3
    END = 4


class UnknownPolicy(enum.StrEnum):
    """What to do with a contact whose attempt ended in a way that nobody can tell any more."""

    RETRY = "retry"
    NEVER = "never"


@frozen(kw_only=True)
class Campaign:
    """The rules of a campaign. `frequency` is calls per minute; `weekdays` are seven flags from Monday on; the daily window
    is local to `time_zone` (IANA name) and may cross midnight. `max_retry` counts the attempts after the first.
    `next_call_at` is the earliest moment at which the pacing allows the next call; None when it never called."""

    id: int
    user_id: int
    name: str
    status: CampaignStatus
    starting_at: datetime
    expires_at: datetime
    daily_start: time
    daily_stop: time
    weekdays: tuple[bool, bool, bool, bool, bool, bool, bool]
    time_zone: str
    frequency: int
    call_max_duration: int
    max_retry: int
    interval_retry: int
    call_timeout: int
    gateway_id: int
    voip_app: VoipApp
    voip_app_data: str = ""
    caller_id: str = ""
    caller_name: str = ""
    unknown_policy: UnknownPolicy = UnknownPolicy.RETRY
    max_concurrent: int | None = None
    next_call_at: datetime | None = None
