"""The pace at which calls were sent, for people."""

from __future__ import annotations

import math
from datetime import datetime

from attrs import define, field, frozen


@frozen(kw_only=True)
class AchievedPace:
    """How calls were spread: `achieved` per minute while there was something to call (`seconds` in all), `worst_second` the
    most in one clock second."""

    calls: int
    seconds: float
    achieved: float
    worst_second: int


@define(eq=False)
class PaceMeter:
    """Counts the calls that were sent. A gap of more than `idle_after` seconds is a pause, for want of contacts or of anything
    else, and says nothing about the pace."""

    idle_after: float = math.inf
    _calls: int = field(default=0, init=False)
    _gaps: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)
    _last: datetime | None = field(default=None, init=False)
    _this_second: int = field(default=0, init=False)
    _in_second: int = field(default=0, init=False)
    _worst: int = field(default=0, init=False)

    def note(self, at: datetime) -> None:
        """A call was sent at `at`."""
        second = int(at.timestamp())
        self._in_second = self._in_second + 1 if second == self._this_second else 1
        self._this_second = second
        self._worst = max(self._worst, self._in_second)
        self._calls += 1
        if self._last is not None and (gap := (at - self._last).total_seconds()) <= self.idle_after:
            self._gaps += 1
            self._seconds += gap
        self._last = at

    def pace(self) -> AchievedPace:
        """The pace that was achieved so far. The rate is that of the gaps between calls, so that two calls a second apart are
        60 a minute; it is 0 with fewer than two."""
        return AchievedPace(
            calls=self._calls,
            seconds=self._seconds,
            achieved=self._gaps * 60 / self._seconds if self._seconds > 0 else 0.0,
            worst_second=self._worst,
        )
