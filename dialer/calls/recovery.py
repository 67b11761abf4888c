"""The fate of our calls while we could not hear the switch: after a lost connection, after a restart, and when another
node's attempts are taken over.

The rules are those of the design's crash section. Alive: adopted. Absent after the grace on the same core: `UNKNOWN`. The core
changed: `LOST_SWITCH`. A channel with our account code that nobody knows is hung up after a second look (see
`dialer.calls.orphans`).

A job outlives the connection that asked for it: FreeSWITCH may still start a call that it was told of just before the
connection broke. So absence counts only when the grace has passed since the last moment at which the originate could have been
written or started, which for an attempt without a reply is its deadline.

An executed originate leaves a mark on the switch before it dials. The switch itself refuses what it gets to after the
deadline, so a call without a mark by then was never dialled, and never will be: `NEVER_DIALLED`, at once, uncounted. So is one
that was executed and for which no channel was made, since its gateway is down, say: that shows after the grace, and by two
looks, so that neither a thread nor a whole FreeSWITCH that was stopped between its mark and its channel is taken for it.

The listed channels are told first, all of them: callees are on those lines. Only then are the others asked for one by one,
since the list is a copy that can lag; as many questions are under way as make the round trip cheap, and no more, for they
share their connection with the originates of other contacts.

It lags the other way round, too: FreeSWITCH lists a channel for a fifth of a second after its end was told (facts, "The end
of a call"), which may have been before we listened. So what was found is asked for once more a second later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from dialer.calls.corrections import Correction, CorrectionLog
from dialer.calls.live import CHANNEL_SEEN, LiveAttempt
from dialer.calls.orphans import OrphanChannels
from dialer.calls.register import OpenAttempts
from dialer.errors import CommandFailed, SwitchUnavailable
from dialer.interfaces import Now, Switch
from dialer.model import AttemptState, Execution, OwnCause, Signal, SignalKind

log = structlog.get_logger()

LOOK_AGAIN = 1.0
"""Seconds between two looks at the attempts whose fate is still open."""

AFTER_DEADLINE = timedelta(seconds=1)
"""What clocks may differ by: from so long after the deadline on, a missing mark counts."""

AT_ONCE = 20
"""Questions about single calls that are under way at a time."""


@define(eq=False, kw_only=True)
class Reconciler:
    """Tells the flow, by signals, what became of the attempts that are unconfirmed and whose calls are on this switch
    (`is_here`). `known` is `FlowStore.known`."""

    clock: IReactorTime
    now: Now
    switch: Switch
    account_code: str
    grace: float
    attempts: OpenAttempts
    is_here: Callable[[LiveAttempt], bool] = lambda _: True
    tell: Callable[[Signal], None]
    known: Callable[[Collection[str]], Deferred[set[str]]]
    corrections: CorrectionLog
    _orphans: OrphanChannels = field(init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _running: bool = field(default=False, init=False)
    _visit: int = field(default=0, init=False)
    """Which connection is looked through: a late answer on an earlier one is not believed."""
    _looking: bool = field(default=False, init=False)
    _soon: bool = field(default=False, init=False)
    _failed: bool = field(default=False, init=False)
    _asked: set[str] = field(factory=set, init=False)
    _asked_marks: set[str] = field(factory=set, init=False)
    """Of which the switch was asked whether they were dialled, and it did not deny that."""
    _without_channel: dict[str, datetime] = field(factory=dict, init=False)
    """Of which it said that they were executed, and that there was no channel until then; and when it said so first."""
    _adopted: dict[str, datetime] = field(factory=dict, init=False)
    """Found alive, and when; not asked for again since."""
    _missed: set[str] = field(factory=set, init=False)
    """Of these, what the switch did not know when it was asked; its end may be on the way to us."""
    _checking: set[str] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self._orphans = OrphanChannels(
            now=self.now,
            switch=self.switch,
            account_code=self.account_code,
            grace=self.grace,
            attempts=self.attempts,
            known=self.known,
            corrections=self.corrections,
        )

    def start(self) -> None:
        """The switch is there: look at once, and again until nothing is unconfirmed and no orphan channel is left."""
        self.stop()
        self._running = True
        self._look()

    def stop(self) -> None:
        """The switch went away: its channels as last seen prove nothing any more."""
        self._running = self._looking = self._soon = self._failed = False
        self._visit += 1
        for told in (self._asked, self._asked_marks, self._without_channel, self._adopted, self._missed):
            told.clear()
        self._orphans.forget()
        self._cancel()

    def look_soon(self) -> None:
        """Something changed, or enough time has passed: look now, or as soon as the look under way has ended. Nothing while
        the switch is away: its coming starts a look."""
        if self._looking:
            self._soon = True
        elif self._running:
            self._cancel()
            self._look()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- a job failed, and that does not say whether the call lives ----------------------------------------------------------

    def doubts(self, live: LiveAttempt, signal: Signal) -> bool:
        """`DESTINATION_OUT_OF_ORDER` before any event of the channel may mean that a channel of this UUID is alive (facts,
        "originate"). Returns True when the switch is asked first; the flow hears the signal again when it is not."""
        uuid = signal.call_uuid
        if signal.cause != "DESTINATION_OUT_OF_ORDER" or live.state not in _UNHEARD or uuid in self._checking:
            return False
        self._checking.add(uuid)
        Deferred.fromCoroutine(self._check(signal))
        return True

    async def _check(self, signal: Signal) -> None:
        uuid = signal.call_uuid
        try:
            alive = await self.switch.is_alive(uuid)
        except (SwitchUnavailable, CommandFailed) as error:
            # It is unconfirmed now, or will be found by the next look.
            log.warning("cannot tell whether a call lives", call=uuid, reason=str(error))
        else:
            if alive:
                self.corrections.note(Correction.JOB_NOT_BELIEVED, uuid, "its job failed, and the switch knows the call")
            else:
                self.tell(signal)
        self._checking.discard(uuid)

    # --- looking ----------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self._timer = None
        self._looking = True
        self._soon = self._failed = False
        visit = self._visit
        looked = Deferred.fromCoroutine(self._look_once(visit))
        looked.addErrback(lambda failure: log.error("reconciliation failed", reason=failure.getTraceback()))
        looked.addCallback(lambda _: self._again(visit))

    def _again(self, visit: int) -> None:
        if visit != self._visit:
            return
        self._looking = False
        if self._soon or self._failed or self._orphans or self._adopted or self._unconfirmed():
            self._timer = self.clock.callLater(0 if self._soon else LOOK_AGAIN, self._look)

    def _unconfirmed(self) -> list[LiveAttempt]:
        return [live for live in self.attempts if self._is_unconfirmed(live) and self.is_here(live)]

    def _is_unconfirmed(self, live: LiveAttempt) -> bool:
        return live.state is AttemptState.UNCONFIRMED and live.sent and self.attempts.holds(live)

    async def _look_once(self, visit: int) -> None:
        try:
            channels = {channel.call_uuid: channel for channel in await self.switch.live_channels()}
        except (SwitchUnavailable, CommandFailed) as error:
            self._cannot_look(visit, error)
            return
        if visit != self._visit:
            return
        doubtful = self._to_confirm()
        unlisted = []
        for live in self._unconfirmed():
            channel = channels.get(live.attempt.call_uuid)
            if channel is None:
                unlisted.append(live)
            else:
                self._found(live, answered=channel.answered)
        self._orphans.look(channels.values())
        await self._ask_for([*self._doubtful(unlisted), *doubtful], visit)

    def _cannot_look(self, visit: int, error: SwitchUnavailable | CommandFailed) -> None:
        if visit == self._visit and not self._failed:
            self._failed = True
            log.warning("cannot compare our calls with the switch", switch=self.switch.name, reason=str(error))

    def _to_confirm(self) -> list[LiveAttempt]:
        """Calls that were found alive a while ago, unless something was heard of them that says more."""
        for uuid in list(self._adopted):
            if self.attempts.state_of(uuid) in _OTHERWISE_KNOWN:
                self._forget(uuid)
        old = self.now() - timedelta(seconds=LOOK_AGAIN)
        return [live for uuid, at in self._adopted.items() if at <= old and (live := self.attempts.find(uuid)) is not None]

    def _forget(self, uuid: str) -> None:
        self._adopted.pop(uuid, None)
        self._missed.discard(uuid)

    # --- single calls -----------------------------------------------------------------------------------------------------

    def _doubtful(self, unlisted: list[LiveAttempt]) -> Iterator[LiveAttempt]:
        """Each is asked for at once, and again when its absence counts; those of another core need not be asked for."""
        self._asked &= self.attempts.calls
        self._asked_marks &= self.attempts.calls
        for uuid in self._without_channel.keys() - self.attempts.calls:
            del self._without_channel[uuid]
        for live in unlisted:
            if self._is_lost(live):
                self._gone(live, OwnCause.LOST_SWITCH)
            elif live.attempt.call_uuid not in self._asked or self._mark_counts(live) or self.now() >= self._proven_by(live):
                yield live

    def _mark_counts(self, live: LiveAttempt) -> bool:
        """Whether the switch shall be asked if it ever executed the originate: it cannot do so any more."""
        if live.attempt.call_uuid in self._asked_marks or live.attempt.state in CHANNEL_SEEN:
            return False
        if live.rang_at is not None or live.answered_at is not None or live.hangup is not None:
            return False
        return self.now() >= live.attempt.deadline + AFTER_DEADLINE

    async def _ask_for(self, doubtful: list[LiveAttempt], visit: int) -> None:
        waiting = iter(doubtful)
        await gatherResults(
            [Deferred.fromCoroutine(self._ask(waiting, visit)) for _ in range(min(AT_ONCE, len(doubtful)))], consumeErrors=True
        )

    async def _ask(self, waiting: Iterator[LiveAttempt], visit: int) -> None:
        for live in waiting:
            uuid = live.attempt.call_uuid
            counts = self.now() >= self._proven_by(live)
            try:
                alive = await self.switch.is_alive(uuid)
                asks_mark = not alive and uuid not in self._adopted and self._mark_counts(live)
                execution = Execution.UNTOLD
                if asks_mark:
                    execution = await self.switch.execution(uuid, live.attempt.planned_at)
            except (SwitchUnavailable, CommandFailed) as error:
                self._cannot_look(visit, error)
                return
            if visit != self._visit:
                return
            if uuid in self._adopted:
                self._confirm(live, alive=alive)
                continue
            self._asked.add(uuid)
            if asks_mark and execution is not Execution.NO_CHANNEL:
                self._asked_marks.add(uuid)
            if not self._is_unconfirmed(live):
                continue  # it was heard of meanwhile
            if alive:
                self._found(live, answered=live.answered_at is not None)
            else:
                self._absent(live, execution, counts=counts)

    def _absent(self, live: LiveAttempt, execution: Execution, *, counts: bool) -> None:
        """The switch knows no such channel now; `counts` tells whether that is an answer by itself."""
        if execution is Execution.NEVER:
            self._gone(live, OwnCause.NEVER_DIALLED)
        elif execution is Execution.NO_CHANNEL:
            first = self._without_channel.setdefault(live.attempt.call_uuid, self.now())
            if counts and self.now() >= first + timedelta(seconds=LOOK_AGAIN):
                self._gone(live, OwnCause.NEVER_DIALLED)
        elif counts:
            self._gone(live, OwnCause.UNKNOWN)

    def _confirm(self, live: LiveAttempt, *, alive: bool) -> None:
        """It was found alive, and we have listened since: when it is, its end will be told."""
        uuid = live.attempt.call_uuid
        if not alive and uuid not in self._missed:
            self._missed.add(uuid)
            return
        self._forget(uuid)
        if not alive and self.attempts.holds(live) and live.state not in _OTHERWISE_KNOWN:
            self._gone(live, OwnCause.UNKNOWN)

    def _is_lost(self, live: LiveAttempt) -> bool:
        return bool(live.core_uuid) and live.core_uuid != self.switch.core_uuid

    def _proven_by(self, live: LiveAttempt) -> datetime:
        started_by = live.last_heard_at if live.heard else live.attempt.deadline
        return started_by + timedelta(seconds=self.grace)

    # --- the verdicts -----------------------------------------------------------------------------------------------------

    def _found(self, live: LiveAttempt, *, answered: bool) -> None:
        uuid = live.attempt.call_uuid
        if answered:
            self.corrections.note(Correction.ADOPTED_ANSWERED, uuid, "the call lives on the switch, answered")
        else:
            self.corrections.note(Correction.ADOPTED_RINGING, uuid, "the call lives on the switch, not answered yet")
        self._adopted[uuid] = self.now()
        kind = SignalKind.FOUND_ANSWERED if answered else SignalKind.FOUND_RINGING
        self.tell(Signal(kind=kind, call_uuid=uuid, at=self.now()))

    def _gone(self, live: LiveAttempt, cause: OwnCause) -> None:
        uuid = live.attempt.call_uuid
        if cause is OwnCause.LOST_SWITCH:
            self.corrections.note(Correction.LOST_SWITCH, uuid, "the FreeSWITCH process that had the call is no more")
        elif cause is OwnCause.NEVER_DIALLED:
            why = "the switch has never executed its originate, and will not"
            if uuid in self._without_channel:
                why = "the switch executed its originate, and made no channel for it"
            self.corrections.note(Correction.NEVER_DIALLED, uuid, why)
        elif live.answered_at is not None:
            self.corrections.note(Correction.ENDED_ANSWERED, uuid, "the call was answered, and it is gone")
        else:
            self.corrections.note(Correction.ENDED_UNKNOWN, uuid, "the call is gone, and nobody heard its end")
        self.tell(Signal(kind=SignalKind.FOUND_GONE, call_uuid=uuid, at=self.now(), cause=cause))


_UNHEARD = frozenset({AttemptState.PLANNED, AttemptState.SUBMITTED})
_OTHERWISE_KNOWN = frozenset({None, AttemptState.UNCONFIRMED, AttemptState.ENDED})
"""States that a call which was found alive leaves to others: it is looked for anew, or its end was told."""
