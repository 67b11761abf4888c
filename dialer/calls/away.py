"""The attempts of a switch that stays away, or that is not configured any more.

Nobody can ask for their calls, which may go on. Once they can last no longer, by the limits that the switch itself was given
for each of them, they end as unknown, and their contacts may be called through another switch. As long as none is there, they
wait: the switch that comes back can tell more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from dialer.calls.corrections import Correction, CorrectionLog
from dialer.calls.fleet import Fleet
from dialer.calls.live import LiveAttempt
from dialer.calls.register import OpenAttempts
from dialer.interfaces import Now
from dialer.model import AttemptState, OwnCause, Signal, SignalKind
from dialer.periodic import PeriodicLoop
from dialer.rules.book import RuleBook

EVERY = 10.0
"""Seconds between two looks."""


@define(eq=False, kw_only=True)
class AwaySweeper:
    """Looks every few seconds while it runs. `grace` are the seconds that a switch may take to begin a call or to end it;
    `tell` takes a signal to the flow; `calling_rules` gives those of the moment."""

    clock: IReactorTime
    now: Now
    fleet: Fleet
    attempts: OpenAttempts
    grace: float
    tell: Callable[[Signal], None]
    corrections: CorrectionLog
    calling_rules: Callable[[], RuleBook]
    _loop: PeriodicLoop = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("calls of switches that are away", EVERY, self.sweep, self.clock)

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._loop.stop()

    async def sweep(self) -> None:
        """One look."""
        if not self.fleet.ready:
            return
        for live in self.attempts:
            if live.state is AttemptState.UNCONFIRMED and self._is_away(live) and self._is_over(live):
                self._end(live)

    def _is_away(self, live: LiveAttempt) -> bool:
        member = self.fleet.of(live)
        return member is None or not member.switch.ready

    def _is_over(self, live: LiveAttempt) -> bool:
        """A call that began at its deadline, rang as long as it may, and was talked on as long as it may, has ended."""
        return self.now() - live.attempt.deadline > live.longest(self.calling_rules()) + timedelta(seconds=self.grace)

    def _end(self, live: LiveAttempt) -> None:
        uuid, name = live.attempt.call_uuid, live.attempt.plan.switch
        self.corrections.note(Correction.LOST_AWAY, uuid, f"switch {name} is away, and the call can last no longer")
        self.tell(Signal(kind=SignalKind.FOUND_GONE, call_uuid=uuid, at=self.now(), cause=OwnCause.UNKNOWN))
