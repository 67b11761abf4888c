"""Gauges that run inside the dialer's process: how late its reactor is, and what its reactor thread uses."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

EVERY = 0.01


@define(eq=False)
class LagGauge:
    """Asks the reactor to call back every 10 ms, and notes by how much it was late, in seconds."""

    reactor: IReactorTime
    lags: list[float] = field(factory=list, init=False)
    _due: float = field(default=0.0, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin anew."""
        self.stop()
        self.lags = []
        self._again()

    def stop(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        self._due = time.perf_counter() + EVERY
        self._timer = self.reactor.callLater(EVERY, self._called)

    def _called(self) -> None:
        self.lags.append(time.perf_counter() - self._due)
        self._again()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def thread_cpu_seconds() -> float:
    """User and system time of the calling thread so far."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime


def worst_second(times: Sequence[float]) -> int:
    """The most moments within any one second."""
    worst = start = 0
    for end, moment in enumerate(times):
        while moment - times[start] >= 1.0:
            start += 1
        worst = max(worst, end - start + 1)
    return worst
