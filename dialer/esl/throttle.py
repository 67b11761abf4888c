"""A token bucket: how many calls may start now, at so many per second, evenly."""

from __future__ import annotations

MAX_BURST_SECONDS = 0.1
"""A burst is at most what a tenth of a second brings: a stock switch admits 29 calls in a second of its own, and a cap of 25
with a burst of 2 never asks for more than 27."""


class Throttle:
    """Tokens that grow at `rate` per second up to a small burst, from a full bucket. Times are seconds on any one clock."""

    __slots__ = ("_rate", "_since", "_size", "_tokens")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._size = max(1.0, float(int(rate * MAX_BURST_SECONDS)))
        self._tokens = self._size
        self._since = now

    def available(self, now: float, within: float = 0.0) -> int:
        """How many may start within so many seconds, one after the other; at once by default."""
        self._refill(now)
        return int(self._tokens + within * self._rate + 1e-9)

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        if self.available(now) < 1:
            return False
        self._tokens -= 1
        return True

    def wait(self, now: float) -> float:
        """Seconds until the next one is there."""
        self._refill(now)
        return max(0.0, (1 - self._tokens) / self._rate)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._since) * self._rate)
        self._since = now
