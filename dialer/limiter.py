"""How many, and when: the one rate limiter of the campaigns, the gateways, the switch and the API.

The rule is that of a virtual scheduling algorithm (GCRA, ITU-T I.371): one moment tells how far a limit is used up, and each
use moves it on by an interval. It comes in two shapes, for two questions.

`Pace` answers "at which moments?". A call is due one interval after the one before, an interval being 60 / frequency seconds.
The due times are handed out and each call is sent at its own time, so the tick at which they were computed cannot be heard in
the traffic. The state is the due time of the last call, not that of the next one: so a change of frequency acts at once, in
both directions (a campaign that goes from one call per minute to 600 waits a tenth of a second, not the old minute out).

A campaign that asks too late catches up on at most `SLACK`, one that had nothing to send on nothing: after a pause of an hour
no hour's worth of calls bursts out. Within any span of T seconds at most T / interval + 1 calls are due, and at most
(T + SLACK) / interval + 1 sent.

`Limiter` answers "now?", for any number of keys, with a burst.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

SLACK: Final = timedelta(milliseconds=100)
"""How much may be caught up after a late tick: a few times the usual delay of a busy reactor, and too short to be a burst."""

PER_SECOND: Final = 60
"""Multiply a number of calls per second by this to get a frequency."""

MOST_KEYS: Final = 10_000
"""Keys that a `Limiter` remembers. A client that makes up more names than that in a minute makes it forget the oldest ones."""

_ROUNDING: Final = 1e-6
"""Seconds; a float that holds the time since 1970 is exact to a quarter of this."""


@frozen
class Pace:
    """When the last call was due; None when there was none."""

    last_at: datetime | None = None

    def next_at(self, frequency: float) -> datetime | None:
        """The earliest moment for the next call at `frequency` (calls per minute); None when it may be made any time, or
        never (`frequency` 0)."""
        if self.last_at is None or frequency <= 0:
            return None
        return self.last_at + timedelta(seconds=60 / frequency)

    def not_after(self, now: datetime) -> Pace:
        """The same for a clock that was set back to `now`."""
        return self if self.last_at is None or self.last_at <= now else Pace(now)


def resume(next_call_at: datetime | None, frequency: float, now: datetime, ahead: timedelta = timedelta()) -> Pace:
    """The pace that was stored as the moment of the next call. As the frequency may have changed since, a moment that is
    further away than one interval of the present frequency, and `ahead`, counts as one interval from now."""
    if next_call_at is None or frequency <= 0:
        return Pace()
    interval = timedelta(seconds=60 / frequency)
    return Pace(now if next_call_at > now + interval + ahead else next_call_at - interval)


def due_times(
    pace: Pace, frequency: float, now: datetime, horizon: timedelta, limit: int, slack: timedelta = SLACK
) -> list[datetime]:
    """The due times up to `now + horizon`, at most `limit`, in order; those before `now` (by `slack` at most) are due at once.
    `slack` is zero for a campaign that had nothing to send: there is nothing to catch up on.

    They are an offer: after using the first n of them, the pace is `Pace(times[n - 1])`; those not used are offered again
    while they are not older than `SLACK`. A horizon of at least the time to the next tick keeps calls off the tick.
    """
    if frequency <= 0 or limit <= 0:
        return []
    first = max(pace.next_at(frequency) or now, now - slack)
    span = (now + horizon - first).total_seconds()
    if span < 0:
        return []
    count = min(limit, int(span * frequency / 60) + 1)
    return [first + timedelta(seconds=60 * step / frequency) for step in range(count)]


def spread(pace: Pace, frequency: float, due: Iterable[datetime], until: datetime) -> list[datetime]:
    """`due` (in order) moved later where a second limit, of `frequency` with the state `pace`, asks for it, without those that
    would be moved beyond `until`. Afterwards the limit's pace is `Pace` of the last time that was used."""
    if frequency <= 0:
        return []
    moved: list[datetime] = []
    for wanted in due:
        at = max(wanted, pace.next_at(frequency) or wanted)
        if at > until:
            break
        moved.append(at)
        pace = Pace(at)
    return moved


@define(eq=False)
class Limiter:
    """One per `interval` (seconds) for each key, `burst` of them at once after a pause; an interval of 0 allows any number.
    `now` is seconds of any one clock; one that is set back is followed."""

    interval: float
    burst: int = 1
    _used_until: dict[Hashable, float] = field(factory=dict, init=False)
    _latest: float = field(default=0.0, init=False)

    @classmethod
    def per_minute(cls, number: int) -> Limiter:
        """So many a minute for each key, all at once or spread; 0 for any number."""
        return cls(60 / number, number) if number else cls(0.0)

    def wait(self, key: Hashable, now: float) -> float:
        """How many seconds the key has to wait for its next one; 0 when it may have it at once."""
        wait = self.interval - self._spare(key, now)
        return wait if wait > _ROUNDING else 0.0

    def unused(self, key: Hashable, now: float) -> bool:
        """Whether the key is as if it had never asked."""
        self._follow(now)
        return self._used_until.get(key, now) <= now

    def full_after(self, key: Hashable, now: float) -> float:
        """In how many seconds the key will be as if it had never asked."""
        self._follow(now)
        return max(0.0, self._used_until.get(key, now) - now)

    def available(self, key: Hashable, now: float, within: float = 0.0) -> int:
        """How many the key may have within so many seconds, one after the other; at once by default. Not for an interval
        of 0."""
        return int((self._spare(key, now) + within + _ROUNDING) / self.interval)

    def take(self, key: Hashable, now: float) -> float:
        """Take one, unless the key has to wait: the seconds of `wait`."""
        wait = self.wait(key, now)
        if not wait:
            self.charge(key, now)
        return wait

    def charge(self, key: Hashable, now: float) -> None:
        """Take one, whatever is left."""
        if self.interval:
            self._follow(now)
            self._used_until[key] = max(self._used_until.pop(key, now), now) + self.interval
            if len(self._used_until) > MOST_KEYS:
                self._forget(now)

    def give_back(self, key: Hashable) -> None:
        """Undo one `charge`."""
        if key in self._used_until:
            self._used_until[key] -= self.interval

    def _spare(self, key: Hashable, now: float) -> float:
        """Seconds of the burst that the key has not used."""
        self._follow(now)
        return self.burst * self.interval - max(0.0, self._used_until.get(key, now) - now)

    def _follow(self, now: float) -> None:
        """Nobody waits out the hour by which a clock was set back."""
        if now < self._latest:
            back = self._latest - now
            self._used_until = {key: until - back for key, until in self._used_until.items()}
        self._latest = now

    def _forget(self, now: float) -> None:
        """Forget the keys that are as if they had never asked; else the one that asked the longest ago."""
        self._used_until = {key: until for key, until in self._used_until.items() if until > now}
        if len(self._used_until) > MOST_KEYS:
            del self._used_until[next(iter(self._used_until))]
