"""When a campaign can make calls, one after the other: its hours, its pace, its limit and those of its gateways.

It goes by the functions that the scheduler plans with, for calls that all last equally long. Moments are whole microseconds
since 1970, which count exactly and cost little; `moment` and `micros` convert.
"""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import define, field

from dialer.campaigns.limits import per_minute
from dialer.campaigns.planning import Routes, campaign_headroom
from dialer.campaigns.windows import closing, next_opening
from dialer.gateways import chain
from dialer.limiter import PER_SECOND, resume
from dialer.model import Campaign, Gateway

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FOR_EVER: Final = 2**62
_MINUTE: Final = 60_000_000


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The aware moment, in UTC."""
    return _EPOCH + timedelta(microseconds=at)


@define(eq=False)
class PlayedCalls:
    """The calls that go on, by gateway and by campaign, as `planning.Usage` has them."""

    gateways: Counter[int] = field(factory=Counter)
    campaigns: Counter[int] = field(factory=Counter)


@define(eq=False)
class Timetable:
    """The moments for the calls of a campaign from `begin` on. `gateways` of `routes` are taken to serve as they are set;
    `switch_rate` is how many calls per second the switches take, None for any number; each call, also one of `live` (its
    gateways by id), lasts for `call_seconds`."""

    campaign: Campaign
    begin: datetime
    routes: Routes
    call_seconds: float
    switch_rate: float | None = None
    live: Counter[int] = field(factory=Counter)
    calls_per_minute: float = field(init=False)
    _open: PlayedCalls = field(factory=PlayedCalls, init=False)
    _ends: list[tuple[int, int]] = field(factory=list, init=False)
    _interval: int = field(init=False)
    _next: int = field(init=False)
    _next_through: dict[int, int] = field(factory=dict, init=False)
    _hours: tuple[int, int] = field(default=(0, 0), init=False)
    _way: Gateway | None = field(default=None, init=False)
    _has_limits: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.routes = Routes(self.routes.gateways, self._open, {}, self.routes.reaches)
        self._open.gateways.update(self.live)
        self._open.campaigns[self.campaign.id] = sum(self.live.values())
        ways = list(chain(self.routes.gateways, self.campaign.gateway_id))
        self._has_limits = self.campaign.max_concurrent is not None or any(way.maximum_call is not None for way in ways)
        now = micros(self.begin)
        self._ends = [(now + round(self.call_seconds * 1e6), key) for key in self.live.elements()]
        frequency = float(self.campaign.frequency)
        self.calls_per_minute = frequency if self.switch_rate is None else min(frequency, self.switch_rate * PER_SECOND)
        self._interval = round(_MINUTE / self.calls_per_minute) if self.calls_per_minute > 0 else _FOR_EVER
        first = resume(self.campaign.next_call_at, self.campaign.frequency, self.begin).next_at(self.campaign.frequency)
        self._next = now if first is None else max(micros(first), now)

    def next_at(self, wanted: int) -> int | None:
        """The earliest moment from `wanted` on for one more call; None when there is none."""
        at = max(wanted, self._next)
        while True:
            opens, closes = self._hours
            if not opens <= at < closes:
                if not self._find_hours(at):
                    return None
                at = max(at, self._hours[0])
            while self._ends and self._ends[0][0] <= at:
                self._end_one()
            way = self._usable(at)
            if way is None:
                if not self._ends:
                    return None
                at = self._ends[0][0]
                continue
            later = self._next_through.get(way.id, 0)
            if later <= at:
                self._way = way
                return at
            at = later

    def evenly(self, at: int) -> tuple[int, int]:
        """From the moment `at` on, which `next_at` gave: the space between calls as long as nothing but the pace counts, and
        until when that is. The space is 0 where limits, or the rate of a gateway, count as well."""
        way = self._way
        if self._has_limits or way is None or way.calls_per_second is not None:
            return 0, at
        return self._interval, self._hours[1]

    def take(self, at: int) -> None:
        """One call is made at that moment, which `next_at` gave."""
        way = self._way
        if way is None:
            raise RuntimeError("no moment was asked for")
        self._next = at + self._interval
        if (rate := per_minute(way.calls_per_second)) is not None:
            self._next_through[way.id] = at + round(_MINUTE / rate)
        if not self._has_limits:  # whoever serves one call serves all
            return
        heapq.heappush(self._ends, (at + round(self.call_seconds * 1e6), way.id))
        self._open.gateways[way.id] += 1
        self._open.campaigns[self.campaign.id] += 1

    def _usable(self, at: int) -> Gateway | None:
        if self._way is not None and not self._has_limits:
            return self._way
        if campaign_headroom(self.campaign, self._open, 1) < 1:
            return None
        return self.routes.usable(self.campaign.gateway_id, moment(at), {})

    def _end_one(self) -> None:
        _, gateway_id = heapq.heappop(self._ends)
        self._open.gateways[gateway_id] -= 1
        self._open.campaigns[self.campaign.id] -= 1

    def _find_hours(self, at: int) -> bool:
        opening = next_opening(self.campaign, moment(at))
        if opening is None:
            return False
        closes = closing(self.campaign, opening)
        last = micros(self.campaign.expires_at)
        self._hours = micros(opening), last if closes is None else min(micros(closes), last)
        return True
