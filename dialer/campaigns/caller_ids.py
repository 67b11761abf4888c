"""Which caller id a call shows: a pure choice among the numbers of a pool, from what is known of them at the moment.

A number can be used when it is active, rests no more, and has calls left of the day; for a call, when it may be shown through
its gateway, and to its country. A contact that had a number of the pool keeps it as long as that can be used; another one gets
the next in turn, or the nearest. Nothing is random: the same facts give the same choice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Final
from zoneinfo import ZoneInfo

from attrs import define, field, frozen

from dialer.model.caller_id import CallerId, CallerIdPool, CallerIdStrategy, CallerIdWait, ForeignPolicy, ShownCaller

RECHECK: Final = timedelta(minutes=10)
"""After so long at the latest, a contact for which no number can be used is looked at again: its gateway may be another."""

_id_of = attrgetter("id")


@frozen
class PooledNumber:
    """A number as it is now: the gateways that may show it (none: all), the calls of the day that showed it, and why its
    owner may not show it, "" when it may."""

    caller: CallerId
    gateways: frozenset[int]
    used: int
    refusal: str = ""


@frozen
class CallerIdObstacle:
    """Why a number cannot be used, and until when, where that is known. `word` is for counting."""

    word: str
    text: str
    until: datetime | None = None


@frozen(kw_only=True)
class CallToShow:
    """A call for which a number is wanted: whom it goes to, through which gateway, the number that the contact had. With
    `only`, no other one will do; `name` is shown with a number that has none."""

    identity: str
    country: str
    gateway_id: int
    earlier: int | None = None
    only: int | None = None
    name: str = ""


def day_of(pool: CallerIdPool, at: datetime) -> date:
    """The day of the pool."""
    return at.astimezone(ZoneInfo(pool.time_zone)).date()


@lru_cache(maxsize=4096)
def _day_in(zone: str, at: datetime) -> date:
    """Of moments that are asked for again and again."""
    return at.astimezone(ZoneInfo(zone)).date()


def next_day(pool: CallerIdPool, at: datetime) -> datetime:
    """When the next day of the pool begins."""
    begins = datetime.combine(day_of(pool, at) + timedelta(days=1), time.min, ZoneInfo(pool.time_zone))
    return begins.astimezone(UTC)


def allowed_on(caller: CallerId, pool: CallerIdPool, day: date) -> int | None:
    """How many calls may show a number on a day: from `warm_up_start` on the day of its first use, growing evenly to its cap;
    None for any number."""
    cap, days = caller.daily_cap, caller.warm_up_days
    if cap is None or not days:
        return cap
    first = day if caller.first_used_at is None else _day_in(pool.time_zone, caller.first_used_at)
    passed = min(max((day - first).days, 0), days)
    start = min(caller.warm_up_start, cap)
    return start + (cap - start) * passed // days


def obstacle(number: PooledNumber, pool: CallerIdPool, now: datetime, day: date | None = None) -> CallerIdObstacle | None:
    """Why a number cannot be used for any call; None when it can. `day` is that of the pool, where it is known already."""
    caller = number.caller
    if not caller.active:
        return CallerIdObstacle("inactive", "it is inactive")
    if number.refusal:
        return CallerIdObstacle("refused", number.refusal)
    resting = caller.rest_until if caller.rest_until is not None and caller.rest_until > now else None
    allowed = allowed_on(caller, pool, day or day_of(pool, now))
    if allowed is not None and number.used >= allowed:
        until = next_day(pool, now)
        return CallerIdObstacle("at its daily cap", f"it has its {allowed} calls of the day", max(until, resting or until))
    return None if resting is None else CallerIdObstacle("resting", f"it rests until {_shown(resting)}", resting)


@define(eq=False)
class PoolChoice:
    """Chooses numbers for the calls that are begun together: what it gives away counts. `turn` is the id that was given in
    turn last, `chosen` are the ids of all numbers that were given."""

    pool: CallerIdPool
    numbers: Sequence[PooledNumber]
    now: datetime
    turn: int = field(init=False)
    chosen: set[int] = field(factory=set, init=False)
    _usable: list[PooledNumber] = field(factory=list, init=False)
    _left: dict[int, int] = field(factory=dict, init=False)
    _suitable: dict[tuple[int, str, int | None], dict[int, CallerId]] = field(factory=dict, init=False)
    """The numbers in the order of their ids, by what tells them apart for a call; until one of them is used up."""
    _day: date = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.turn = self.pool.turn
        self._day = day_of(self.pool, self.now)
        for each in sorted(self.numbers, key=attrgetter("caller.id")):
            if obstacle(each, self.pool, self.now, self._day) is None:
                self._usable.append(each)
                allowed = allowed_on(each.caller, self.pool, self._day)
                if allowed is not None:
                    self._left[each.caller.id] = allowed - each.used

    def is_exhausted(self, only: int | None = None, gateways: Collection[int] | None = None) -> bool:
        """Whether no number, or with `only` not that one, can be used for any call; with `gateways`, through any of these."""
        able = (each for each in self._usable if only in (None, each.caller.id))
        if gateways is not None:
            able = (each for each in able if not each.gateways or not each.gateways.isdisjoint(gateways))
        return next(able, None) is None

    def has_for(self, call: CallToShow) -> bool:
        """Whether a number can be used for a call."""
        return bool(self._for(call))

    def choose(self, call: CallToShow) -> ShownCaller | None:
        """The number for a call, which is given away by that; None when none can be used."""
        suitable = self._for(call)
        if not suitable:
            return None
        found = suitable.get(call.earlier or 0) or self._new(list(suitable.values()), call)
        self._take(found)
        return ShownCaller(id=found.id, number=found.number, name=found.name or call.name, day=self._day.isoformat())

    def _for(self, call: CallToShow) -> dict[int, CallerId]:
        alike = (call.gateway_id, call.country, call.only)
        known = self._suitable.get(alike)
        if known is None:
            known = {each.caller.id: each.caller for each in self._usable if self._may_be_shown(each, call)}
            self._suitable[alike] = known
        return known

    def until(self, call: CallToShow) -> datetime | None:
        """When a number can be used for a call for which none can; None when that is not known."""
        held = [obstacle(each, self.pool, self.now) for each in self.numbers if self._may_be_shown(each, call)]
        known = [each.until for each in held if each is not None and each.until is not None]
        if any(each is None for each in held):  # it was given away to calls of this very moment
            known.append(next_day(self.pool, self.now))
        return min(known, default=None)

    def _may_be_shown(self, number: PooledNumber, call: CallToShow) -> bool:
        caller = number.caller
        if call.only is not None and caller.id != call.only:
            return False
        if number.gateways and call.gateway_id not in number.gateways:
            return False
        return self.pool.foreign_callees is ForeignPolicy.ALLOW or caller.country == call.country

    def _new(self, suitable: list[CallerId], call: CallToShow) -> CallerId:
        if self.pool.strategy is CallerIdStrategy.NEAREST:
            most = max(_common(each.identity, call.identity) for each in suitable)
            suitable = [each for each in suitable if _common(each.identity, call.identity) == most]
        place = bisect_right(suitable, self.turn, key=_id_of)
        found = suitable[place % len(suitable)]
        self.turn = found.id
        return found

    def _take(self, caller: CallerId) -> None:
        self.chosen.add(caller.id)
        if caller.id in self._left:
            self._left[caller.id] -= 1
            if self._left[caller.id] <= 0:
                self._usable = [each for each in self._usable if each.caller.id != caller.id]
                self._suitable.clear()


def _common(one: str, other: str) -> int:
    """The leading digits that two numbers have in common."""
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length


def pool_wait(pool: CallerIdPool, numbers: Iterable[PooledNumber], now: datetime) -> CallerIdWait | None:
    """Why no call of a pool can be made; None when one of its numbers can be used."""
    counts: dict[str, int] = {}
    moments = []
    for each in numbers:
        found = obstacle(each, pool, now)
        if found is None:
            return None
        counts[found.word] = counts.get(found.word, 0) + 1
        if found.until is not None:
            moments.append(found.until)
    if not counts:
        return CallerIdWait(text=f"the pool {pool.name} has no caller ids", for_all=True)
    until = min(moments, default=None)
    then = "" if until is None else f"; the first can be used again on {_shown(until)}"
    told = ", ".join(f"{word}: {count}" for word, count in sorted(counts.items()))
    return CallerIdWait(text=f"no caller id of the pool {pool.name} can be used ({told}){then}", until=until, for_all=True)


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d at %H:%M:%S} UTC"
