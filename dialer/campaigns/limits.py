"""The limits that hold over all nodes: which of the planned calls may be begun, and when.

A node plans by what it knows; another one may have begun calls since. Whoever begins calls holds the campaign and its
gateways, reads how far they are, and asks here. Calls keep their order; one that has to wait for the pace of the campaign or
of its gateway is due later, and is left out when that would be after `until`: its contact stays ready for the next tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, frozen

from dialer.campaigns.pacing import PER_SECOND, Pace
from dialer.model import Plan

AHEAD: Final = timedelta(seconds=1)
"""More than any node plans ahead: who is further ahead than this and an interval had another frequency when it was written."""


@frozen(kw_only=True)
class Limit:
    """How far a campaign or a gateway is. `frequency` is in calls per minute, None for no pace; `room` is how many calls more
    may be open, None for any number; `next_call_at` is what its row says."""

    frequency: float | None = None
    room: int | None = None
    next_call_at: datetime | None = None


def pace_of(limit: Limit, now: datetime) -> Pace:
    """The pace of which a row tells the next moment."""
    if limit.frequency is None or limit.frequency <= 0 or limit.next_call_at is None:
        return Pace()
    interval = timedelta(seconds=60 / limit.frequency)
    stale = limit.next_call_at > now + interval + AHEAD
    return Pace(now if stale else limit.next_call_at - interval)


def per_minute(calls_per_second: int | None) -> float | None:
    """A gateway's rate as a frequency."""
    return None if calls_per_second is None else calls_per_second * PER_SECOND


def admit(
    plans: Iterable[Plan], campaigns: Mapping[int, Limit], gateways: Mapping[int, Limit], now: datetime, until: datetime
) -> list[Plan]:
    """The calls of `plans` (in the order of their due times) that may be begun. Both mappings are by id; what they do not
    list may not be called."""
    open_campaigns = {key: _Meter.of(limit, now) for key, limit in campaigns.items()}
    open_gateways = {key: _Meter.of(limit, now) for key, limit in gateways.items()}
    admitted = []
    for plan in plans:
        campaign, gateway = open_campaigns.get(plan.campaign.id), open_gateways.get(plan.gateway.id)
        if campaign is None or gateway is None or not (campaign.has_room and gateway.has_room):
            continue
        due_at = max(plan.due_at, campaign.earliest, gateway.earliest)
        if due_at > until:
            continue
        campaign.take(due_at)
        gateway.take(due_at)
        admitted.append(plan if due_at == plan.due_at else evolve(plan, due_at=due_at))
    return admitted


@define(eq=False)
class _Meter:
    interval: timedelta | None
    earliest: datetime
    room: int | None

    @classmethod
    def of(cls, limit: Limit, now: datetime) -> _Meter:
        frequency = limit.frequency
        never = datetime.min.replace(tzinfo=now.tzinfo)
        if frequency is None:
            return cls(None, never, limit.room)
        room = limit.room if frequency > 0 else 0
        interval = timedelta(seconds=60 / frequency) if frequency > 0 else timedelta()
        return cls(interval, pace_of(limit, now).next_at(frequency) or never, room)

    @property
    def has_room(self) -> bool:
        return self.room is None or self.room > 0

    def take(self, at: datetime) -> None:
        if self.interval is not None:
            self.earliest = at + self.interval
        if self.room is not None:
            self.room -= 1
