"""When a campaign can make calls, one after the other: its hours, its pace, its limit and those of its gateways.

It goes by the functions that the scheduler plans with, for calls that all last equally long. Moments are whole microseconds
since 1970, which count exactly and cost little; `moment` and `micros` convert.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

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


class Showable(Protocol):
    """The caller ids that calls show, as of moments that are asked for in their order."""

    @property
    def counts(self) -> bool:
        """Whether calls use up what there is."""
        ...

    @property
    def by_gateway(self) -> bool:
        """Whether it matters through which gateway a call goes."""
        ...

    @property
    def changes_at(self) -> int:
        """When more of them may be there than now."""
        ...

    def opens(self, at: int) -> int:
        """From when on some call may be made: `at` when one may be made then."""
        ...

    def is_bound(self, free: Sequence[int], busy: Sequence[int], at: int) -> bool:
        """Whether the gateways that are `free` have none for anybody, and those that are `busy` have."""
        ...


@define(eq=False)
class Timetable:
    """The moments for the calls of a campaign from `begin` on. `gateways` of `routes` are taken to serve as they are set;
    `switch_rate` is how many calls per second the switches take, None for any number; each call, also one of `live` (its
    gateways by id), lasts for `call_seconds`. Calls show numbers of `shown`, where that is given."""

    campaign: Campaign
    begin: datetime
    routes: Routes
    call_seconds: float
    switch_rate: float | None = None
    live: Counter[int] = field(factory=Counter)
    shown: Showable | None = None
    calls_per_minute: float = field(init=False)
    _open: PlayedCalls = field(factory=PlayedCalls, init=False)
    _ends: list[tuple[int, int]] = field(factory=list, init=False)
    _interval: int = field(init=False)
    _next: int = field(init=False)
    _next_through: dict[int, int] = field(factory=dict, init=False)
    _hours: tuple[int, int] = field(default=(0, 0), init=False)
    _way: Gateway | None = field(default=None, init=False)
    _has_limits: bool = field(init=False)
    _chain: Sequence[Gateway] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.routes = Routes(self.routes.gateways, self._open, {}, self.routes.reaches)
        self._open.gateways.update(self.live)
        self._open.campaigns[self.campaign.id] = sum(self.live.values())
        ways = self._chain = list(chain(self.routes.gateways, self.campaign.gateway_id))
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
            if self.shown is not None and (opens := self.shown.opens(at)) > at:
                if opens >= _FOR_EVER:
                    return None
                at = opens
                continue
            while self._ends and self._ends[0][0] <= at:
                self._end_one()
            way = self._usable(at)
            if way is None:
                later = self._next_change(at)
                if later is None:
                    return None
                at = later
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
        shown = self.shown
        if self._has_limits or way is None or way.calls_per_second is not None:
            return 0, at
        if shown is not None and (shown.counts or shown.by_gateway):
            return 0, at
        return self._interval, self._hours[1] if shown is None else min(self._hours[1], shown.changes_at)

    def free(self, at: int) -> list[int]:
        """The gateways that have room at the moment `at`, which `next_at` gave, in the order in which they are tried."""
        first = [] if self._way is None else [self._way]
        if self.shown is None or not self.shown.by_gateway:
            return [way.id for way in first]
        now = moment(at)
        others = (
            way
            for way in self._chain
            if way is not self._way and self._next_through.get(way.id, 0) <= at and not self.routes.unavailable(way, now)
        )
        return [way.id for way in (*first, *others)]

    @property
    def ways(self) -> list[int]:
        """All gateways of the campaign."""
        return [way.id for way in self._chain]

    def take(self, at: int, gateway_id: int | None = None) -> None:
        """One call is made at that moment, which `next_at` gave: through the gateway that it was given for, or through another
        one that is free."""
        way = self._way if gateway_id is None else self.routes.gateways[gateway_id]
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
        bound = self.shown is not None and self.shown.by_gateway
        if self._way is not None and not self._has_limits and not bound:
            return self._way
        if campaign_headroom(self.campaign, self._open, 1) < 1:
            return None
        if bound and self._is_bound(at):
            return None
        return self.routes.usable(self.campaign.gateway_id, moment(at), {})

    def _is_bound(self, at: int) -> bool:
        """Whether those gateways that have a caller id for somebody have no room."""
        now = moment(at)
        free = [way.id for way in self._chain if self.routes.unavailable(way, now) is None]
        busy = [way.id for way in self._chain if way.id not in free]
        return self.shown is not None and bool(free) and self.shown.is_bound(free, busy, at)

    def _next_change(self, at: int) -> int | None:
        """When a call ends, or, where a gateway is missing that has a caller id, when another one may have one."""
        ends = [self._ends[0][0]] if self._ends else []
        if self.shown is not None and self.shown.by_gateway:
            ends.append(max(self.shown.changes_at, at + 1))
        return min(ends, default=None)

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
