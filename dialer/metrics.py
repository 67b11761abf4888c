"""Figures of a running dialer, for people."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from attrs import define, field, frozen


@frozen(kw_only=True)
class Pace:
    """How calls were spread: `achieved` per minute over the whole time, `worst_second` the most in one clock second."""

    calls: int
    seconds: float
    achieved: float
    worst_second: int


@define(eq=False)
class PaceMeter:
    """Counts the calls that were sent."""

    _per_second: Counter[int] = field(factory=Counter, init=False)
    _first: datetime | None = field(default=None, init=False)
    _last: datetime | None = field(default=None, init=False)

    def note(self, at: datetime) -> None:
        """A call was sent at `at`."""
        self._per_second[int(at.timestamp())] += 1
        self._first = self._first or at
        self._last = at

    def pace(self) -> Pace:
        """What was achieved so far. The rate is that of the gaps between calls, so that two calls a second apart are 60 a
        minute; it is 0 with fewer than two."""
        calls = sum(self._per_second.values())
        seconds = (self._last - self._first).total_seconds() if self._first and self._last else 0.0
        return Pace(
            calls=calls,
            seconds=seconds,
            achieved=(calls - 1) * 60 / seconds if seconds > 0 else 0.0,
            worst_second=max(self._per_second.values(), default=0),
        )
