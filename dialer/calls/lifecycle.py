"""The flow of an attempt, from a contact to a stored end: one method per arrow, in order.

 1. contact      `_contacts`        the store knows the ready ones              (of the scheduler; dialer.store)
 2. how many     `_how_many`        evenly spaced due times                     (of the scheduler; dialer.limiter)
 3. which        `_which`           gateway, dial string                        (of the scheduler; dialer.campaigns.planning)
 4. attempt      `begin`            durable before the next step                (dialer.store)
 5. originate    `_submit`          at the due time, through the switch         (dialer.esl)
 6. events       `signal_received`  what the switch told, already a signal      (dialer.esl)
 7. state        `signal_received`  the table decides                           (dialer.calls.machine)
 8. voice app    `connected`        a session for the answered call             (dialer.apps)
 9. disposition  `_conclude`        why it ended, in business words             (dialer.calls.verdict)
10. retry        `_conclude`        what becomes of the contact                 (dialer.calls.retry)
11. finish       `_finish`          one transaction, events included            (dialer.store)

The first three arrows are methods of `dialer.campaigns.scheduler`, which asks how many before it asks for contacts, so that no
more are read than may be called; the others are methods of this module.

It decides nothing itself and does no I/O but through its interfaces. The attempts that this process owns are in the register
(`dialer.calls.register`). Everything happens on the reactor thread, so the signals of one attempt are handled one after the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from attrs import Factory, define, field, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from dialer.calls import machine, retry
from dialer.calls.corrections import Correction, CorrectionLog
from dialer.calls.health_log import HealthLog, words
from dialer.calls.live import LiveAttempt, hang_up
from dialer.calls.recovery import Reconciler
from dialer.calls.register import ForeignHangups, OpenAttempts
from dialer.calls.sweeper import Sweeper
from dialer.calls.verdict import Health, got_through_at, judge
from dialer.errors import SessionGone, StoreError, SwitchUnavailable
from dialer.interfaces import AnsweredCall, FlowStore, Now, Switch, VoiceApplication
from dialer.model import (
    Attempt,
    AttemptResult,
    AttemptState,
    Campaign,
    Origination,
    OwnCause,
    Plan,
    Signal,
    SignalKind,
)
from dialer.settings import RecoverySettings


@frozen(kw_only=True)
class FlowSettings:
    """The facts of the installation for the flow. Durations in seconds.

    `hangup_wait` is how long the end of a call waits for the switch's account of it after the job failed; `session_wait`, for
    the end of the voice application after the hangup.
    """

    installation: str
    outbound: str
    inline: bool = False
    recovery: RecoverySettings = Factory(RecoverySettings)
    hangup_wait: float = 1.0
    session_wait: float = 5.0
    finish_retry: float = 1.0

    @property
    def account_code(self) -> str:
        """How our channels are told from others' on a shared switch."""
        return f"dialer-{self.installation}"


log = structlog.get_logger()

MOST_KEYS: Final = 200
"""Of a session that are told of: whoever leans on a key makes no flood."""


@define(eq=False)
class Lifecycle:
    """Owns the open attempts of this process. See the module's text for the flow."""

    clock: IReactorTime
    now: Now
    store: FlowStore
    switch: Switch
    settings: FlowSettings
    application: VoiceApplication
    finished: Callable[[AttemptResult], None] = lambda _: None
    submitted: Callable[[datetime], None] = lambda _: None
    foreign_hangups: ForeignHangups = field(factory=ForeignHangups)
    corrections: CorrectionLog = field(factory=CorrectionLog, init=False)
    register: OpenAttempts = field(factory=OpenAttempts, init=False)
    health: Health = field(factory=Health, init=False)
    health_log: HealthLog = field(factory=HealthLog)
    _rules: dict[int, Campaign] = field(factory=dict, init=False)
    _reconciler: Reconciler = field(init=False)
    sweeper: Sweeper = field(init=False)
    _steps: Any = field(init=False)
    """Tells each step of a call at debug. Bound to the level of the moment once for many calls: at a higher one, its `debug`
    does nothing, at the price of a call."""

    def __attrs_post_init__(self) -> None:
        self._steps = log.bind()
        self._reconciler = Reconciler(
            clock=self.clock,
            now=self.now,
            switch=self.switch,
            account_code=self.settings.account_code,
            grace=self.settings.recovery.grace,
            attempts=self.register,
            tell=self.signal_received,
            known=self.store.known,
            corrections=self.corrections,
        )
        self.sweeper = Sweeper(
            clock=self.clock,
            now=self.now,
            switch=self.switch,
            attempts=self.register,
            tell=self.signal_received,
            look_for_orphans=self._reconciler.look_soon,
            corrections=self.corrections,
        )

    def use_rules(self, campaigns: Iterable[Campaign]) -> None:
        """Campaigns as they are now: retries follow the rules of the moment, not those of the attempt's begin."""
        self._rules = {campaign.id: campaign for campaign in campaigns}

    # --- 4. attempt -------------------------------------------------------------------------------------------------------

    async def begin(self, plans: Sequence[Plan], until: datetime | None = None) -> list[Attempt]:
        """Write the attempts, then let each be submitted at its due time, which may be later than planned, but not after
        `until` (the latest due time of the plans). Returns those that were begun.

        Nothing goes to the switch before the store says that the rows are durable. Fails with `StoreError`: nothing was begun.
        """
        now = self.now()
        latest = max(plan.due_at for plan in plans)
        latest = latest if until is None else max(latest, until)
        deadline = latest + timedelta(seconds=self.settings.recovery.originate_window)
        attempts = await self.store.begin(plans, now, latest, deadline)
        now = self.now()
        self._steps = log.bind()
        for attempt in attempts:
            plan = attempt.plan
            self._steps.debug(
                "planned", call=attempt.call_uuid, campaign=plan.campaign.id, gateway=plan.gateway.name, dial=plan.dial_string
            )
            live = LiveAttempt(attempt, AttemptState.PLANNED)
            self.register.add(live)
            wait = (plan.due_at - now).total_seconds()
            live.timer = self.clock.callLater(max(wait, 0.0), self._submit, live)
        return attempts

    # --- 5. originate -----------------------------------------------------------------------------------------------------

    def _submit(self, live: LiveAttempt) -> None:
        live.timer = None
        attempt = live.attempt
        campaign = attempt.plan.campaign
        call = Origination(
            call_uuid=attempt.call_uuid,
            dial_string=attempt.plan.dial_string,
            account_code=self.settings.account_code,
            timeout=campaign.call_timeout,
            max_duration=campaign.call_max_duration,
            deadline=attempt.deadline,
            outbound=self.settings.outbound,
            inline=self.settings.inline,
            caller_id_number=attempt.plan.shown.number,
            caller_id_name=attempt.plan.shown.name,
            variables=attempt.plan.gateway.parameters,
        )
        self.register.sending(live)
        live.core_uuid = self.switch.core_uuid
        try:
            job = self.switch.submit(call)
        except Exception:
            self._not_submitted(Failure(), live)
            return
        self.submitted(self.now())
        job.addCallbacks(self._accepted, self._not_submitted, callbackArgs=(live,), errbackArgs=(live,))

    def _accepted(self, _: None, live: LiveAttempt) -> None:
        self._tell(live, SignalKind.SUBMITTED)

    def _not_submitted(self, failure: Failure, live: LiveAttempt) -> None:
        error = failure.value
        if isinstance(error, SwitchUnavailable):
            if error.sent:
                return  # it may ring: the next connection tells, see Reconciler
            live.sent = False
            self._tell(live, SignalKind.REFUSED, OwnCause.NOT_SENT)
            return
        log.error("originate refused", call=live.attempt.call_uuid, reason=failure.getErrorMessage())
        live.sent = False
        self._tell(live, SignalKind.REFUSED, OwnCause.REFUSED)

    def release_unsent(self, campaign_id: int | None = None) -> None:
        """Give back every attempt (of one campaign) of which no byte was written: the contact is as ready as it was before."""
        for live in self.register.take_unsent(campaign_id):
            self._tell(live, SignalKind.REFUSED, OwnCause.NOT_SENT)

    # --- 6. events, 7. state ----------------------------------------------------------------------------------------------

    def signal_received(self, signal: Signal) -> None:
        """Something happened to a call. Calls that are not ours, or have ended, are none of this flow's business."""
        live = self.register.find(signal.call_uuid)
        if live is None:
            self.foreign_hangups.note(signal)
        if live is None or live.concluding:
            return
        before = live.state
        if signal.kind is SignalKind.JOB_FAILED and self._reconciler.doubts(live, signal):
            return
        live.note(signal)
        live.state = machine.next_state(before, signal.kind)
        if live.state is AttemptState.ENDED:
            self._ending(live, signal)
        elif live.state is not before:
            self._steps.debug(live.state, call=signal.call_uuid)
            self.store.move(live.attempt, live.state, signal.at, live.core_uuid)
            if live.state in _GOT_THROUGH:
                self.health.got_through(live.attempt.plan)

    def _ending(self, live: LiveAttempt, signal: Signal) -> None:
        """Wait for the rest of the story, but not for long: the switch's account of the call, the session's end."""
        live.cancel_timer()
        if live.hangup is None and signal.kind is SignalKind.JOB_FAILED and signal.cause != OwnCause.LATE:
            live.timer = self.clock.callLater(self.settings.hangup_wait, self._conclude, live)
        elif live.sessions > 0 and signal.kind is not SignalKind.FOUND_GONE:
            live.timer = self.clock.callLater(self.settings.session_wait, self._conclude, live)
        else:
            self._conclude(live)

    def _tell(self, live: LiveAttempt, kind: SignalKind, cause: str = "") -> None:
        if self.register.holds(live):
            self.signal_received(Signal(kind=kind, call_uuid=live.attempt.call_uuid, at=self.now(), cause=cause))

    # --- 8. voice application ---------------------------------------------------------------------------------------------

    async def connected(self, call: AnsweredCall) -> None:
        """Drive an answered call; the outbound server runs this for each session and hangs up when it returns."""
        live = self.register.find(call.call_uuid)
        if live is None:
            return
        self._tell(live, SignalKind.SESSION_OPENED)
        try:
            self._hear_keys(call, live, MOST_KEYS)
            notes = await self.application(call, live.attempt)
            live.notes = {**(live.notes or {}), **notes}
        except SessionGone:
            pass  # the callee hung up: the usual end of a call
        finally:
            self._tell(live, SignalKind.SESSION_CLOSED)

    def _hear_keys(self, call: AnsweredCall, live: LiveAttempt, left: int) -> None:
        """Note each key that the callee presses, until the session or the attempt is over."""

        def pressed(digit: str) -> None:
            if self.register.holds(live) and not live.concluding:
                self.store.pressed(live.attempt, digit, self.now())
                self._hear_keys(call, live, left - 1)

        if left:
            call.next_digit().addCallback(pressed).addErrback(_over)

    # --- 9. disposition, 10. retry ----------------------------------------------------------------------------------------

    def _conclude(self, live: LiveAttempt) -> None:
        live.cancel_timer()
        live.concluding = True
        now = self.now()
        plan = live.attempt.plan
        campaign = self._rules.get(plan.campaign.id, plan.campaign)
        outcome = live.outcome(now)
        verdict = judge(outcome)
        got_through = got_through_at(outcome, verdict)
        self.health.ended(plan, verdict.fault, got_through, now, words(outcome))
        backoff = self.health.gateways.get(plan.gateway.id)
        self.health_log.look_at_gateway(plan.gateway, backoff, now, got_through=got_through is not None)
        self.health_log.look("the switch", self.health.switch, now)
        if self.health.switch.blocks(now):
            self.release_unsent()
        decision = retry.decide(verdict, outcome, plan.candidate, campaign, now)
        self._finish(
            live, AttemptResult(attempt=live.attempt, outcome=outcome, disposition=verdict.disposition, decision=decision)
        )

    # --- 11. finish -------------------------------------------------------------------------------------------------------

    def _finish(self, live: LiveAttempt, finish: AttemptResult) -> None:
        """Store the end. When nobody could tell how the call ended, it is stored only while no call detail record is pending;
        that is one statement, so a record that comes at this very moment either wins or finds the attempt ended."""
        unheard = live.hangup is None and finish.outcome.cause in _UNEXPLAINED
        done = self.store.finish(finish, unless_recorded=unheard)
        stored = self._finished_unheard if unheard else self._finished
        done.addCallbacks(stored, self._not_finished, callbackArgs=(live, finish), errbackArgs=(live, finish))

    def _finished(self, changed: bool, live: LiveAttempt, finish: AttemptResult) -> None:
        self.register.remove(live, ended=changed)
        if changed:
            self._steps.debug("ended", call=live.attempt.call_uuid, cause=finish.outcome.cause, disposition=finish.disposition)
            self.finished(finish)

    def _finished_unheard(self, changed: bool, live: LiveAttempt, finish: AttemptResult) -> None:
        if changed:
            self._finished(changed, live, finish)
            return
        pending = self.store.pending_cdr(live.attempt)
        pending.addCallbacks(self._recorded, self._not_finished, callbackArgs=(live, finish), errbackArgs=(live, finish))

    def _recorded(self, hung_up: Signal | None, live: LiveAttempt, finish: AttemptResult) -> None:
        if hung_up is None:  # it had ended, or is another node's
            self._finished(False, live, finish)
            return
        self.corrections.note(Correction.RECORD_ENDED, hung_up.call_uuid, f"a record tells the end: {hung_up.cause}")
        live.note(hung_up)
        self._conclude(live)

    def _not_finished(self, failure: Failure, live: LiveAttempt, finish: AttemptResult) -> None:
        """The database is away: the end is kept in memory and written as soon as that is possible again."""
        if not failure.check(StoreError):
            log.error("end of an attempt not stored", call=live.attempt.call_uuid, reason=failure.getTraceback())
        if self.register.holds(live):
            live.timer = self.clock.callLater(self.settings.finish_retry, self._finish, live, finish)
        live.tell_stored(failure)

    # --- the switch goes and comes ----------------------------------------------------------------------------------------

    def switch_up(self, switch: Switch) -> None:
        """Compare what we own with what lives on the switch. Connections do not break at the same moment: what the last one
        told of a call, after the first had broken, says nothing about what became of it since."""
        self._make_unconfirmed()
        self._reconciler.start()

    def switch_down(self, switch: Switch, reason: str) -> None:
        """Sent attempts are unconfirmed until the switch is back; unsent ones are given back."""
        self._reconciler.stop()
        self.release_unsent()
        self._make_unconfirmed()

    def _make_unconfirmed(self) -> None:
        for live in self.register:
            if live.sent and live.state is not AttemptState.UNCONFIRMED:
                self._tell(live, SignalKind.SWITCH_LOST)

    def take_over(self, attempts: Iterable[Attempt]) -> None:
        """Own what an earlier process of this node left open, or another node that is dead; at any time.

        Each of them may have been sent, `planned` included; the switch tells what became of them, now or when it is there.
        """
        for attempt in attempts:
            if attempt.call_uuid not in self.register.calls:
                self.register.add(LiveAttempt(attempt, AttemptState.UNCONFIRMED, sent=True))
                self.store.move(attempt, AttemptState.UNCONFIRMED, self.now())
                for ended in self.foreign_hangups.recall(attempt.call_uuid):
                    self.signal_received(ended)
        self._reconciler.look_soon()

    def forget(self, call_uuids: Iterable[str]) -> None:
        """Other nodes have these attempts by now: nothing is written about them any more, what was not sent stays so, and
        their calls and sessions go on."""
        for call_uuid in call_uuids:
            live = self.register.find(call_uuid)
            if live is None:
                continue
            live.cancel_timer()
            self.corrections.note(Correction.DISOWNED, call_uuid, f"another node has this attempt by now; it was {live.state}")
            self.register.remove(live, ended=False)

    async def hang_up_all(self, campaign_id: int | None = None) -> int:
        """Hang up every call (of one campaign) that this process owns. Returns how many the switch knew."""
        return await hang_up(self.register.of_campaign(campaign_id), self.switch, self.clock)


def _over(failure: Failure) -> None:
    """The session has ended, as it does."""
    failure.trap(SessionGone)


_UNEXPLAINED = frozenset({OwnCause.UNKNOWN, OwnCause.LOST_SWITCH})
"""Ends that the dialer concludes from a call's absence."""

_GOT_THROUGH = frozenset({AttemptState.RINGING, AttemptState.ANSWERED, AttemptState.CONNECTED})
