"""How far the switch's clock is from ours, judged so that a deadline on the switch is never later than meant."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAMPLES = 8
"""How many answers are remembered; with one every 2 s, a clock that is set back is followed within 16 s."""


class ClockOffset:
    """The switch's clock minus ours.

    An answer that says T and arrives at A was true at some moment before A, so the offset is at least T - A; of the last few
    answers the largest such bound is the closest one.
    """

    def __init__(self) -> None:
        self._bounds: deque[timedelta] = deque(maxlen=SAMPLES)

    def answered(self, microseconds: int, at: datetime) -> None:
        """The switch said that its clock showed so many microseconds since 1970; the answer arrived at `at`."""
        self._bounds.append(_EPOCH + timedelta(microseconds=microseconds) - at)

    def forget(self) -> None:
        """Another switch process, perhaps another machine."""
        self._bounds.clear()

    @property
    def offset(self) -> timedelta:
        """Zero before the first answer."""
        return max(self._bounds, default=timedelta(0))
