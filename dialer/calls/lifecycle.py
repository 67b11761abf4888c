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
from functools import partial
from typing import Any

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from dialer.calls import machine, retry
from dialer.calls.causes import Fault
from dialer.calls.corrections import Correction, CorrectionLog
from dialer.calls.fleet import Fleet, FleetMember
from dialer.calls.flow_settings import FlowSettings, origination
from dialer.calls.health_log import HealthLog, words
from dialer.calls.keys import hear_keys
from dialer.calls.live import LiveAttempt, hang_up
from dialer.calls.register import ForeignHangups, OpenAttempts
from dialer.calls.verdict import got_through_at, is_refusal, judge
from dialer.calls.watchers import Watchers
from dialer.calls.way_back import WayBack
from dialer.errors import SessionGone, StoreError, SwitchUnavailable
from dialer.interfaces import UNFINISHED, AnsweredCall, FlowStore, Now, Switch, VoiceApplication
from dialer.model import (
    Attempt,
    AttemptResult,
    AttemptState,
    Campaign,
    Gateway,
    OwnCause,
    Plan,
    Refusals,
    Signal,
    SignalKind,
)
from dialer.rules.book import NO_RULES, RuleBook
from dialer.rules.decide import least_ring
from dialer.rules.last_moment import last_moment

log = structlog.get_logger()


@define(eq=False)
class Lifecycle:
    """Owns the open attempts of this process. See the module's text for the flow."""

    clock: IReactorTime
    now: Now
    store: FlowStore
    fleet: Fleet
    settings: FlowSettings
    application: VoiceApplication
    finished: Callable[[AttemptResult], None] = lambda _: None
    submitted: Callable[[datetime], None] = lambda _: None
    foreign_hangups: ForeignHangups = field(factory=ForeignHangups)
    rules: RuleBook = NO_RULES
    corrections: CorrectionLog = field(factory=CorrectionLog, init=False)
    register: OpenAttempts = field(factory=OpenAttempts, init=False)
    health_log: HealthLog = field(factory=HealthLog)
    _rules: dict[int, Campaign] = field(factory=dict, init=False)
    watchers: Watchers = field(init=False)
    _way_back: WayBack = field(init=False)
    _steps: Any = field(init=False)
    """Tells each step of a call at debug. Bound to the level of the moment once for many calls: at a higher one, its `debug`
    does nothing, at the price of a call."""

    def __attrs_post_init__(self) -> None:
        self._steps = log.bind()
        self._way_back = WayBack(self.fleet, self.settings.outbound)
        self.watchers = Watchers(
            clock=self.clock,
            now=self.now,
            fleet=self.fleet,
            attempts=self.register,
            account_code=self.settings.account_code,
            grace=self.settings.recovery.grace,
            tell=self.signal_received,
            known=self.store.known,
            corrections=self.corrections,
            calling_rules=lambda: self.rules,
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
        longest = max((latest - now).total_seconds(), 0.0)  # also when the clock is set back meanwhile
        attempts = await self.store.begin(plans, now, latest, deadline)
        now = self.now()
        self._steps = log.bind()
        for attempt in attempts:
            plan = attempt.plan
            self._steps.debug(
                "planned", call=attempt.call_uuid, campaign=plan.campaign.id, gateway=plan.gateway.name, dial=plan.dial_string
            )
            live = LiveAttempt(attempt, AttemptState.PLANNED)
            if (member := self.fleet.of(live)) is not None:
                member.health.begun(plan, now)
            self.register.add(live)
            wait = (plan.due_at - now).total_seconds()
            live.timer = self.clock.callLater(min(max(wait, 0.0), longest), self._submit, live)
        return attempts

    # --- 5. originate -----------------------------------------------------------------------------------------------------

    def _submit(self, live: LiveAttempt) -> None:
        live.timer = None
        attempt, candidate, now = live.attempt, live.attempt.plan.candidate, self.now()
        campaign = self._rules.get(attempt.plan.campaign.id, attempt.plan.campaign)
        self.register.sending(live)
        latest = last_moment(self.rules, candidate, campaign, now, attempt.deadline)
        if latest is None:  # its hours ended while it waited for its moment
            live.sent = False
            self._tell(live, SignalKind.REFUSED, OwnCause.NOT_SENT)
            return
        live.hours_end = latest < attempt.deadline
        call = origination(attempt, self.settings, least_ring(self.rules, candidate, campaign, now), latest)
        try:
            member = self._member(live)
            live.core_uuid = member.switch.core_uuid
            job = member.switch.submit(call)
        except Exception:
            self._not_submitted(Failure(), live)
            return
        self.submitted(self.now())
        job.addCallbacks(self._accepted, self._not_submitted, callbackArgs=(live,), errbackArgs=(live,))

    def _member(self, live: LiveAttempt) -> FleetMember:
        """The switch that has the call, or is to make it. Raises `SwitchUnavailable` when it is none of the fleet."""
        member = self.fleet.of(live)
        if member is None:
            raise SwitchUnavailable("originate", f"switch {live.attempt.plan.switch} is not configured", sent=False)
        return member

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
        self._release(lambda live: campaign_id in (None, live.attempt.plan.campaign.id))

    def _release(self, which: Callable[[LiveAttempt], bool]) -> None:
        for live in self.register.take_unsent(which):
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
        if signal.kind is SignalKind.JOB_FAILED and self.watchers.doubts(live, signal):
            return
        live.note(signal)
        live.state = machine.next_state(before, signal.kind)
        if live.state is AttemptState.ENDED:
            if before is not AttemptState.ENDED or signal.kind in _REST_OF_THE_STORY:
                self._ending(live, signal)
        elif live.state is not before:
            self._steps.debug(live.state, call=signal.call_uuid)
            if live.inherited and before is AttemptState.UNCONFIRMED and live.state in _WITHOUT_SESSION:
                self._way_back.lead(live)
            self.store.move(live.attempt, live.state, signal.at, live.core_uuid)
            if live.state in _GOT_THROUGH and (member := self.fleet.of(live)) is not None:
                member.health.got_through(live.attempt.plan, signal.at)

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
            hear_keys(call, partial(self._pressed, live))
            notes = await self.application(call, live.attempt)
            live.unfinished = UNFINISHED in notes
            notes = {name: note for name, note in notes.items() if name != UNFINISHED}
            live.notes = {**(live.notes or {}), **notes}
        except SessionGone:
            live.unfinished = True  # the callee hung up: the usual end of a call
        finally:
            self._tell(live, SignalKind.SESSION_CLOSED)

    def _pressed(self, live: LiveAttempt, digit: str) -> bool:
        """Note a key; False once the attempt is over."""
        goes_on = self.register.holds(live) and not live.concluding
        if goes_on:
            self.store.pressed(live.attempt, digit, self.now())
        return goes_on

    # --- 9. disposition, 10. retry ----------------------------------------------------------------------------------------

    def _conclude(self, live: LiveAttempt) -> None:
        live.cancel_timer()
        live.concluding = True
        now = self.now()
        plan = live.attempt.plan
        campaign = self._rules.get(plan.campaign.id, plan.campaign)
        outcome = live.outcome(now)
        verdict = judge(outcome)
        member = self.fleet.of(live)
        alone = False
        if member is not None:
            alone = member.health.fails_alone(plan, live.attempt.planned_at - retry.requeued_for(plan.candidate))
            got_through = got_through_at(outcome, verdict)
            cause = words(outcome, verdict)
            refusal = None
            if is_refusal(verdict):
                refusal = Refusals(count=1, first_attempt=live.attempt.id, cause=cause, doubtful=verdict.doubtful)
            fault = Fault.NONE if live.hours_end and outcome.cause == OwnCause.LATE else verdict.fault
            member.health.ended(plan, fault, got_through, now, cause, refusal)
            self._look_at_health(member, plan.gateway, now, got_through=got_through is not None)
        decision = retry.decide(verdict, outcome, plan.candidate, campaign, now, alone=alone)
        self._finish(
            live, AttemptResult(attempt=live.attempt, outcome=outcome, disposition=verdict.disposition, decision=decision)
        )

    def _look_at_health(self, member: FleetMember, gateway: Gateway, now: datetime, *, got_through: bool) -> None:
        self.health_log.look_at_gateway(gateway, self.fleet.backoff_of(gateway, now), now, got_through=got_through)
        self.health_log.look(self.fleet.title(member), member.health.switch, now)
        if member.health.switch.blocks(now):
            self._release(partial(self.fleet.has_call, member))

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
        if changed and live.sent and (member := self.fleet.of(live)) is not None:
            member.switch.forget(live.attempt.call_uuid)
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
        member = self.fleet.member(switch)
        self._make_unconfirmed(member)
        self.watchers.switch_up(member)

    def switch_down(self, switch: Switch, reason: str) -> None:
        """Its sent attempts are unconfirmed until it is back; unsent ones are given back. Those of other switches go on."""
        member = self.fleet.member(switch)
        self.watchers.switch_down(member)
        self._release(partial(self.fleet.has_call, member))
        self._make_unconfirmed(member)

    def _make_unconfirmed(self, member: FleetMember) -> None:
        for live in self.register:
            if live.sent and live.state is not AttemptState.UNCONFIRMED and self.fleet.has_call(member, live):
                self._tell(live, SignalKind.SWITCH_LOST)

    def take_over(self, attempts: Iterable[Attempt]) -> None:
        """Own what an earlier process of this node left open, or another node that is dead; at any time.

        Each of them may have been sent, `planned` included; the switch tells what became of them, now or when it is there.
        """
        for attempt in attempts:
            if attempt.call_uuid not in self.register.calls:
                self.register.add(LiveAttempt(attempt, AttemptState.UNCONFIRMED, sent=True, inherited=True))
                self.store.move(attempt, AttemptState.UNCONFIRMED, self.now())
                for ended in self.foreign_hangups.recall(attempt.call_uuid):
                    self.signal_received(ended)
        self.watchers.look_soon()

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
        """Hang up every call (of one campaign) that this process owns. Returns how many the switches knew."""
        calls = self.register.of_campaign(campaign_id)
        each = []
        for member in self.fleet:
            there = [live for live in calls if self.fleet.has_call(member, live)]
            each.append(Deferred.fromCoroutine(hang_up(there, member.switch, self.clock)))
        return sum(await gatherResults(each, consumeErrors=True))


_UNEXPLAINED = frozenset({OwnCause.UNKNOWN, OwnCause.LOST_SWITCH})
"""Ends that the dialer concludes from a call's absence."""

_REST_OF_THE_STORY = frozenset({SignalKind.HUNG_UP, SignalKind.FOUND_GONE, SignalKind.SESSION_CLOSED})
"""Signals that an attempt which has ended still waits for. Replies of the switch come late, and tell nothing of the end."""

_WITHOUT_SESSION = frozenset({AttemptState.RINGING, AttemptState.ANSWERED})
"""States of a call that has not come to this process, as far as is known."""

_GOT_THROUGH = frozenset({AttemptState.RINGING, AttemptState.ANSWERED, AttemptState.CONNECTED})
