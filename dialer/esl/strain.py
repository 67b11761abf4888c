"""A switch under strain is given fewer calls before it breaks.

Its replies to commands that come late, a processor with little idle time and sessions near their limit tell of strain
(HEARTBEAT of FreeSWITCH, which comes every 20 s by default: Idle-CPU, Session-Count, Max-Sessions). Each halves the pace, at
most once in so many seconds; without them, it grows again by steps. So a switch that bears less than it is given for good
is held about where it bears it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

LATE: Final = 1.0
"""Seconds to a reply: 0.02 are usual, and callees wait for the rest."""
IDLE: Final = 10.0
"""Per cent of the processor, of all its cores, below which sound begins to stutter."""
NEAR: Final = 0.9
"""Of the sessions that FreeSWITCH admits: those of others come and go between two looks."""

LEAST: Final = 0.05
"""Of the pace. It is never zero: only calls show that the switch bears them again."""
STEP: Final = 0.1
HALVED_FOR: Final = 3.0
"""Seconds after a late reply in which others say the same."""
BEAT: Final = 20.5
"""Seconds for which a HEARTBEAT says something: until the next one is due, and a little longer."""
GROW_EVERY: Final = 2.0
"""Seconds from step to step."""

log = structlog.get_logger()


@define(eq=False)
class Strain:
    """How one switch bears its calls; `name` is for the log. `changed` is told the share of the pace, from `LEAST` to 1."""

    clock: IReactorTime
    name: str
    changed: Callable[[float], None]
    share: float = field(default=1.0, init=False)
    _holds_until: float = field(default=0.0, init=False)
    _growing: IDelayedCall | None = field(default=None, init=False)

    def replied(self, seconds: float) -> None:
        """A command was replied to after so long."""
        if seconds > LATE:
            self._less(f"it takes {seconds:.1f} s to reply", HALVED_FOR)

    def beat(self, idle: str, sessions: str, most: str) -> None:
        """A HEARTBEAT came, with these headers; what is no number says nothing. An idle time of 0 is that of a system on
        which FreeSWITCH cannot tell."""
        idle_cpu = _number(idle)
        if idle_cpu is not None and 0 < idle_cpu < IDLE:
            self._less(f"{idle_cpu:.1f} % of its processor is idle", BEAT)
            return
        there, limit = _number(sessions), _number(most)
        if there is not None and limit and there >= NEAR * limit:
            self._less(f"it has {there:.0f} of at most {limit:.0f} sessions", BEAT)

    def forget(self) -> None:
        """The switch is not there; who knows how it comes back."""
        if self._growing is not None:
            self._growing.cancel()
            self._growing = None
        self._holds_until = 0.0
        self._set(1.0)

    def _less(self, reason: str, seconds: float) -> None:
        now = self.clock.seconds()
        if now < self._holds_until:
            return
        if self.share == 1.0:
            log.warning("the switch is under strain: it is given fewer calls", switch=self.name, reason=reason)
        self._holds_until = now + seconds
        self._set(max(LEAST, self.share / 2))
        if self._growing is None:
            self._growing = self.clock.callLater(GROW_EVERY, self._grow)

    def _grow(self) -> None:
        self._growing = None
        if self.clock.seconds() >= self._holds_until:
            self._set(min(1.0, round(self.share + STEP, 6)))
        if self.share < 1.0:
            self._growing = self.clock.callLater(GROW_EVERY, self._grow)
        else:
            log.info("the switch bears its calls again", switch=self.name)

    def _set(self, share: float) -> None:
        if share != self.share:
            self.share = share
            self.changed(share)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
