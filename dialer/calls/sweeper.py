"""Finds what fell through: calls that nobody drives, and attempts of which nothing was heard for too long.

An answered call is driven by a session. When none comes, because the dialer's port cannot be reached, the dialplan is not
ours, or FreeSWITCH lost the call on its way there, the callee hears nothing: the call is ended, at the second look. Not so
when it had a session before, of this process or of an earlier one: what that began, such as a talk to an agent, goes on
without it, and behind it the dialplan asks for another session or hangs up; its limit is the call's own.
An attempt that is open for longer than its call can last has missed its end: the switch is asked, and it ends as unknown when
the call is gone.

What is looked at is this process's own memory; the switch is asked about single calls only, and once in a while for all of its
channels, to find those of ours that no attempt knows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from dialer.calls.corrections import Correction, CorrectionLog
from dialer.calls.live import LiveAttempt
from dialer.calls.register import OpenAttempts
from dialer.errors import CommandFailed, SwitchUnavailable
from dialer.interfaces import Now, Switch
from dialer.model import AttemptState, OwnCause, Signal, SignalKind
from dialer.periodic import PeriodicLoop
from dialer.rules.book import RuleBook

log = structlog.get_logger()

CAUSE = "ALLOTTED_TIMEOUT"
"""With which a call is ended that nobody drives or that outlasts its limit."""


@frozen(kw_only=True)
class SweepRules:
    """Seconds: how often to look; how long after its answer a call may wait for a session, and an attempt without news beyond
    the time that its ringing and its call may take; how often to look for channels that nobody knows."""

    every: float = 10.0
    without_session: float = 20.0
    without_news: float = 60.0
    orphans_every: float = 60.0


@define(eq=False, kw_only=True)
class Sweeper:
    """Looks every few seconds while it runs and the switch is there, at the attempts whose calls are on it (`is_here`). `tell`
    takes a signal to the flow; `look_for_orphans` is the reconciler's; `calling_rules` gives those of the moment."""

    clock: IReactorTime
    now: Now
    switch: Switch
    attempts: OpenAttempts
    is_here: Callable[[LiveAttempt], bool] = lambda _: True
    tell: Callable[[Signal], None]
    look_for_orphans: Callable[[], None]
    corrections: CorrectionLog
    calling_rules: Callable[[], RuleBook]
    rules: SweepRules = field(factory=SweepRules)
    _absent: set[str] = field(factory=set, init=False)
    _undriven: set[str] = field(factory=set, init=False)
    """Seen without a session at the last look. Who was frozen meanwhile finds those who have waited long for it: they come in
    a moment, and are not hung up for that."""
    _orphans_at: float = field(default=0.0, init=False)
    _loop: PeriodicLoop = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("sweeper", self.rules.every, self.sweep, self.clock)

    def start(self) -> None:
        """Begin to look."""
        self._orphans_at = self.clock.seconds() + self.rules.orphans_every
        self._loop.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._loop.stop()

    async def sweep(self) -> None:
        """One look. Calls whose switch is away are unconfirmed, and none of this loop's business."""
        if not self.switch.ready:
            self._absent.clear()
            self._undriven.clear()
            return
        now = self.now()
        before, self._undriven = self._undriven, set()
        try:
            for live in filter(self.is_here, self.attempts):
                if self._is_undriven(live, now):
                    self._undriven.add(live.attempt.call_uuid)
                    if live.attempt.call_uuid in before:
                        await self._end(live, Correction.UNDRIVEN_HUNG_UP, "the call was answered, and no session drives it")
                elif self._is_overdue(live, now):
                    await self._end(live, Correction.OVERDUE_HUNG_UP, "the call has lasted longer than it may")
        except (SwitchUnavailable, CommandFailed) as error:
            log.warning("cannot ask the switch about our calls", switch=self.switch.name, reason=str(error))
        self._absent &= self.attempts.calls
        if self.clock.seconds() >= self._orphans_at:
            self._orphans_at = self.clock.seconds() + self.rules.orphans_every
            self.look_for_orphans()

    # --- which ------------------------------------------------------------------------------------------------------------

    def _is_undriven(self, live: LiveAttempt, now: datetime) -> bool:
        return (
            live.state is AttemptState.ANSWERED
            and not live.had_session
            and now - live.last_heard_at > timedelta(seconds=self.rules.without_session)
        )

    def _is_overdue(self, live: LiveAttempt, now: datetime) -> bool:
        if not live.sent or live.concluding or live.state in _ANOTHERS_BUSINESS:
            return False
        allowed = live.longest(self.calling_rules()) + timedelta(seconds=self.rules.without_news)
        return now - max(live.attempt.plan.due_at, live.attempt.planned_at) > allowed

    # --- what becomes of them ---------------------------------------------------------------------------------------------

    async def _end(self, live: LiveAttempt, kind: Correction, why: str) -> None:
        """Hang the call up; its end is told as any other. Where there is no call, its end may be on its way to us; it is lost
        when there is none at the next look, either."""
        uuid = live.attempt.call_uuid
        if await self.switch.kill(uuid, CAUSE):
            self.corrections.note(kind, uuid, why)
            return
        if await self.switch.is_alive(uuid) or live.state in _ANOTHERS_BUSINESS or not self.attempts.holds(live):
            return
        if uuid not in self._absent:
            self._absent.add(uuid)
            return
        self.corrections.note(Correction.LOST_WITHOUT_A_WORD, uuid, "the call is gone, and its end was not told")
        self.tell(Signal(kind=SignalKind.FOUND_GONE, call_uuid=uuid, at=self.now(), cause=OwnCause.UNKNOWN))


_ANOTHERS_BUSINESS = frozenset({AttemptState.UNCONFIRMED, AttemptState.ENDED})
