"""How many calls are due, and when: evenly spaced, whatever the rhythm in which one asks.

The rule is that of a virtual scheduling algorithm (GCRA, ITU-T I.371): a call is due one interval after the one before, an
interval being 60 / frequency seconds. The due times are handed out; whoever gets them sends each call at its own time, so the
tick at which they were computed cannot be heard in the traffic.

The state is the due time of the last call, not that of the next one: so a change of frequency acts at once, in both
directions (a campaign that goes from one call per minute to 600 waits a tenth of a second, not the old minute out).

Who asks too late catches up on at most `SLACK`, who had nothing to send on nothing: after a pause of an hour no hour's worth
of calls bursts out. Within any span of T seconds at most T / interval + 1 calls are due, and at most
(T + SLACK) / interval + 1 sent.

A campaign keeps `next_call_at` over restarts: the last due time plus the interval of that moment. `resume` turns it back into
a `Pace`; as the frequency may have changed since, it never waits longer than one interval of the frequency that holds now.

The same value limits calls per second of a gateway or a switch: `throttle` moves due times apart where they are too close.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

SLACK: Final = timedelta(milliseconds=100)
"""What may be caught up after a late tick: a few times the usual delay of a busy reactor, and too short to be a burst."""

PER_SECOND: Final = 60
"""Multiply a number of calls per second by this to get a frequency."""


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


def resume(next_call_at: datetime | None, frequency: float, now: datetime) -> Pace:
    """The pace of a campaign as it was stored."""
    if next_call_at is None or frequency <= 0:
        return Pace()
    interval = timedelta(seconds=60 / frequency)
    return Pace(min(next_call_at, now + interval) - interval)


def due_times(
    pace: Pace, frequency: float, now: datetime, horizon: timedelta, limit: int, slack: timedelta = SLACK
) -> list[datetime]:
    """The due times up to `now + horizon`, at most `limit`, in order; those before `now` (by `slack` at most) are due at once.
    `slack` is zero for who had nothing to send: there is nothing to catch up on.

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


def throttle(pace: Pace, frequency: float, due: Iterable[datetime], until: datetime) -> list[datetime]:
    """`due` (in order) moved later where a second limiter, of `frequency` with the state `pace`, asks for it; what would be
    moved beyond `until` is left out. Afterwards the limiter's pace is `Pace` of the last time that was used."""
    if frequency <= 0:
        return []
    moved: list[datetime] = []
    for wanted in due:
        earliest = pace.next_at(frequency)
        at = wanted if earliest is None else max(earliest, wanted)
        if at > until:
            break
        moved.append(at)
        pace = Pace(at)
    return moved
