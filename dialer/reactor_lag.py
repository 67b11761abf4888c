"""How late the reactor calls back what is due: everything that a dialer does waits as long."""

from __future__ import annotations

from typing import Final

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from dialer.histogram import Histogram

EVERY: Final = 0.25
"""Seconds between two looks."""


@define(eq=False)
class ReactorLag:
    """Asks to be called back again and again, and counts in `seconds` by how much that was late."""

    clock: IReactorTime
    seconds: Histogram = field(factory=Histogram, init=False)
    _due: float = field(default=0.0, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin to look."""
        self._due = self.clock.seconds() + EVERY
        self._timer = self.clock.callLater(EVERY, self._called)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _called(self) -> None:
        self.seconds.observe(self.clock.seconds() - self._due)
        self.start()
