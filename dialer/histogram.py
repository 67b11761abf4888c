"""A histogram that costs an addition: the figures of the hot path, which a scrape of the metrics reads."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from attrs import define, field

FAST: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds in seconds, for what takes milliseconds when all is well."""


@define(eq=False)
class Histogram:
    """Counts seconds by upper bounds (`bounds`, ascending); what is above the last one counts, too. A negative time, as two
    clocks may give one, counts as none.

    One thread observes; others may read meanwhile, and see a state that was, or one whose sum is ahead of its counts.
    """

    bounds: Sequence[float] = FAST
    sum: float = field(default=0.0, init=False)
    _counts: list[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        """It took so long, once more."""
        if seconds < 0.0:
            seconds = 0.0
        self._counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    @property
    def count(self) -> int:
        """How often it was observed."""
        return sum(self._counts)

    def cumulative(self) -> Iterator[int]:
        """For each bound, and last for no bound, how many did not exceed it."""
        return accumulate(self._counts)
