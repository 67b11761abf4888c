"""The statistics of a campaign: sums of the attempts that have ended, and when it may come to its end."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from dialer.model.campaign import CampaignStatus
from dialer.model.contact import SubscriberStatus
from dialer.model.flow import Disposition

ANSWERED = frozenset({Disposition.ANSWERED, Disposition.MACHINE})
"""The dispositions of calls that somebody, or a machine, has answered."""


@frozen(kw_only=True)
class Sums:
    """Attempts that have ended, those of them that count as attempts of their contacts, those that were answered, and how
    long these lasted together."""

    attempts: int = 0
    counted: int = 0
    answered: int = 0
    talk_ms: int = 0

    @property
    def answer_rate(self) -> float | None:
        """The part of those that count that was answered, from 0 to 1; None when none counts."""
        return self.answered / self.counted if self.counted else None

    @property
    def mean_talk_ms(self) -> int | None:
        """From the answer to the end, on average; None when none was answered."""
        return round(self.talk_ms / self.answered) if self.answered else None


class NoEnd(enum.StrEnum):
    """Why no end of a campaign is expected."""

    DONE = "done"  # nobody is left to call
    NOT_STARTED = "not-started"
    EXPIRES = "expires-first"  # at this pace, within these hours


@frozen(kw_only=True)
class Forecast:
    """When the last call of a campaign may begin, if all goes on as it did: contacts that are pending or being called, the
    calls that these will take with their retries, and how many are made in a minute. `reason` tells why `ends_at` is None."""

    contacts_left: int
    calls_left: int
    calls_per_minute: float
    ends_at: datetime | None
    reason: NoEnd | None


@frozen(kw_only=True)
class CampaignStatistics:
    """Attempts are those begun from `since` until before `until`, whole hours in UTC, where these are given; `contacts`,
    `live_calls`, `attempts_per_contact` and `forecast` are the campaign's as it is now. Gateways have names unless they were
    removed; `attempts_per_contact` counts the contacts with so many attempts that count."""

    campaign_id: int
    since: datetime | None
    until: datetime | None
    contacts: Mapping[SubscriberStatus, int]
    live_calls: int
    totals: Sums
    by_disposition: Mapping[Disposition, Sums]
    by_cause: Mapping[tuple[Disposition, str], Sums]
    by_hour: Mapping[datetime, Sums]
    by_gateway: Mapping[int, Sums]
    by_number: Mapping[int, Sums]
    gateways: Mapping[int, str]
    attempts_per_contact: Mapping[int, int]
    forecast: Forecast


@frozen(kw_only=True)
class OverallStatistics:
    """All campaigns of a user together: what they are now, and their attempts that were begun from `since` until before
    `until`."""

    since: datetime
    until: datetime
    campaigns: Mapping[CampaignStatus, int]
    contacts: Mapping[SubscriberStatus, int]
    live_calls: int
    totals: Sums
    by_disposition: Mapping[Disposition, Sums]
