"""The verdict on an end: why, in business words, what that means for the contact, and whose fault it was.

Each end is judged once; retry and back-off go by that verdict.

The rules, in order:

1. A callee that answered was reached, whatever ended the call: a time limit, the switch's death, a fault of the media.
2. The dialer's own causes speak for themselves.
3. FreeSWITCH's cause by name, refined by the SIP status where the name is vague or stands for several things.
4. A name that is not known: the Q.850 code, then the SIP status; failing these, a failure that counts.
5. A call that rang has disturbed somebody and counts: a REQUEUE becomes a RETRY, and is nobody's fault any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from attrs import define, evolve, field

from dialer.calls import causes
from dialer.calls.causes import CAUSES, OWN_CAUSES, Q850, Blame, Fault, Verdict
from dialer.calls.sip_answers import by_status
from dialer.gateways import Backoff
from dialer.model import GatewayHealth, Outcome, OwnCause, Plan, Refusals, RetryClass

_NO_CODE_OF_ITS_OWN = 16
"""The Q.850 code that FreeSWITCH gives for any cause beyond 127 (`switch_channel_cause_q850`): no information."""

_VAGUE = frozenset({"NONE", "NORMAL_CLEARING", "NORMAL_UNSPECIFIED", "INTERWORKING", "SUCCESS"})
_SAID_BY_THE_NETWORK = frozenset({causes.BUSY, causes.REJECTED, causes.UNWANTED, causes.INVALID, causes.ABSENT})
_SAYS_LESS = MappingProxyType(
    {"CALL_REJECTED": frozenset({401, 402, 403, 407, 607, 608}), "MANDATORY_IE_MISSING": frozenset({401, 407})}
)
"""Statuses that mod_sofia turns into a cause that stands for other things, too: CALL_REJECTED is also a callee's refusal."""


def judge(outcome: Outcome) -> Verdict:
    """Disposition, retry class, reason and whose fault it was. Any cause text is taken."""
    if outcome.answered_at is not None:
        return causes.MACHINE if outcome.machine else causes.ANSWERED
    verdict = _unanswered(outcome)
    if outcome.rang_at is not None and verdict.retry is RetryClass.REQUEUE:
        return evolve(verdict, retry=RetryClass.RETRY)
    return verdict


def got_through_at(outcome: Outcome, verdict: Verdict) -> datetime | None:
    """When the call showed that its gateway works: the first ringing or answer, else the refusal by the contact's network.
    None when it showed nothing of the kind."""
    heard = [at for at in (outcome.rang_at, outcome.answered_at) if at is not None]
    if heard:
        return min(heard)
    return outcome.ended_at if verdict in _SAID_BY_THE_NETWORK else None


def is_refusal(verdict: Verdict) -> bool:
    """Whether the carrier refused the call for reasons of ours, which do not pass by themselves. What FreeSWITCH says of a
    gateway that is down or not there is none: it may be back in a moment. (A challenge to which it has no answer brings a
    cause, and no SIP status: seen on 1.11.2.)"""
    return verdict.fault is Fault.GATEWAY and verdict.blame is Blame.CALLER and verdict != causes.SETTINGS


def _unanswered(outcome: Outcome) -> Verdict:
    own = OWN_CAUSES.get(outcome.cause)
    if own is not None and not _is_unnamed_code(outcome):
        return own
    cause = CAUSES.get(outcome.cause)
    if cause is None:
        return _unnamed(outcome)
    return _refined(outcome, cause.verdict)


def _is_unnamed_code(outcome: Outcome) -> bool:
    """FreeSWITCH's word for a code that it has no name for is that of our own `OwnCause.UNKNOWN`; only it brings a code."""
    return outcome.cause == OwnCause.UNKNOWN and outcome.q850 is not None


def _unnamed(outcome: Outcome) -> Verdict:
    if outcome.q850 is not None and outcome.q850 != _NO_CODE_OF_ITS_OWN and outcome.q850 in Q850:
        return Q850[outcome.q850]
    return by_status(outcome.sip_status, causes.UNSPECIFIED)


def _refined(outcome: Outcome, verdict: Verdict) -> Verdict:
    cause, status = outcome.cause, outcome.sip_status
    if cause in _VAGUE:
        # A call that we hang up while it rings is cancelled, whatever cause was given with the order.
        return causes.CANCELLED if outcome.sip_disposition == "send_cancel" else by_status(status, verdict)
    if status in _SAYS_LESS.get(cause, ()):
        return by_status(status, verdict)
    if cause == "RECOVERY_ON_TIMER_EXPIRE" and outcome.rang_at is not None:
        return causes.NO_ANSWER
    if cause == "ORIGINATOR_CANCEL" and outcome.sip_disposition.startswith("recv"):
        return causes.NO_ANSWER  # a 487 that we did not ask for: the network gave up ringing
    if status is None and cause == "MANDATORY_IE_MISSING":
        return causes.ACCOUNT  # a challenge (401, 407) for which there is no password: seen on 1.11.2 without the status
    # Without a SIP status these two are FreeSWITCH's own words: no route in its own settings, or one of its limits (facts,
    # "originate"); neither tells anything about the number. A call that a limit refuses never has a channel, and so no code.
    if status is None and cause == "NO_ROUTE_DESTINATION":
        return causes.SETTINGS
    if status is None and cause == "DESTINATION_OUT_OF_ORDER":
        return causes.NOT_ADMITTED if outcome.q850 is None else causes.SWITCH_FULL
    return verdict


LONGEST_SWITCH_PAUSE = timedelta(seconds=30)
"""A full switch has room again as soon as some calls have ended."""


@define(eq=False)
class Health:
    """How the ways out fare, as this process sees it: one with faults of late is backed off from for a while. A gateway is
    backed off from after faults of its carrier, the switch as a whole after faults of its own: it is full, paused or going
    away (`dialer.calls.causes.Fault`).

    `gateways` are those that did not fare well of late, by id; `switch` is how the switch fares. `through` tells when a call
    got through a gateway last, `failing` which subscribers' did not since then (two of them are enough), both by its id.
    `refusals` are those in a row of the gateways that refuse us: a fault that may pass by itself begins them anew."""

    gateways: dict[int, Backoff] = field(factory=dict, init=False)
    through: dict[int, datetime] = field(factory=dict, init=False)
    failing: dict[int, frozenset[int]] = field(factory=dict, init=False)
    refusals: dict[int, Refusals] = field(factory=dict, init=False)
    switch: Backoff = field(factory=lambda: Backoff(longest=LONGEST_SWITCH_PAUSE), init=False)

    def ended(
        self,
        plan: Plan,
        fault: Fault,
        got_through_at: datetime | None,
        now: datetime,
        cause: str = "",
        refusal: Refusals | None = None,
    ) -> None:
        """A call has ended, of `cause` in words; `got_through_at` is when it showed that its way out works, if it did;
        `refusal` is that of the carrier, if it was one."""
        gateway_id = plan.gateway.id
        if fault is Fault.GATEWAY:
            before = self.gateways.get(gateway_id, Backoff())
            self.gateways[gateway_id] = before.after_fault(now, cause=cause)
            if self.gateways[gateway_id].faults > before.faults:  # those that were on their way do not count
                self._count(gateway_id, refusal)
            failing = self.failing.get(gateway_id, _NOBODY)
            if len(failing) < MOST_FAILING:
                self.failing[gateway_id] = failing | {plan.candidate.subscriber_id}
            return
        if fault is Fault.SWITCH:
            self.switch = self.switch.after_fault(now, plan.due_at, cause)
        elif got_through_at is not None:
            self.got_through(plan, got_through_at)
        if gateway_id in self.gateways:
            self.gateways[gateway_id] = self.gateways[gateway_id].untried(plan.due_at)

    def of_gateway(self, gateway_id: int, now: datetime) -> GatewayHealth:
        """How one fared of late."""
        backoff = self.gateways.get(gateway_id, Backoff())
        until = backoff.until if backoff.blocks(now) else None
        return GatewayHealth(faults=backoff.faults, cause=backoff.cause, until=until)

    def got_through(self, plan: Plan, at: datetime) -> None:
        """A call rang, or was answered or refused by the contact's network: its gateway works, and the switch had room when
        it was sent."""
        gateway_id = plan.gateway.id
        self.through[gateway_id] = max(at, self.through.get(gateway_id, at))
        self.failing.pop(gateway_id, None)
        if self.switch.faults:
            self.switch = self.switch.after_success(plan.due_at)
        before = self.gateways.get(gateway_id)
        if before is not None and not before.after_success(at).faults:
            del self.gateways[gateway_id]
            self.refusals.pop(gateway_id, None)

    def _count(self, gateway_id: int, refusal: Refusals | None) -> None:
        before = self.refusals.get(gateway_id)
        if refusal is not None:
            self.refusals[gateway_id] = refusal if before is None else before.and_then(refusal)
        elif before is not None:
            del self.refusals[gateway_id]

    def refuses(self, gateway_id: int, most: int) -> Refusals | None:
        """What a gateway refused us with, when that was `most` times in a row or more; None while it may have been about the
        number of a single contact."""
        found = self.refusals.get(gateway_id)
        if found is None or found.count < most:
            return None
        return None if found.doubtful and len(self.failing.get(gateway_id, _NOBODY)) < MOST_FAILING else found

    def forget(self, gateway_id: int) -> None:
        """A gateway was mended, as far as is known: it is used as if nothing had been the matter."""
        for known in (self.gateways, self.failing, self.refusals):
            known.pop(gateway_id, None)

    def begun(self, plan: Plan, now: datetime) -> None:
        """A call is on its way. Through a gateway that had failed, it is the one that shows whether that works again."""
        backoff = self.gateways.get(plan.gateway.id)
        if backoff is not None and backoff.is_on_trial(now):
            self.gateways[plan.gateway.id] = backoff.tried(now)

    def fails_alone(self, plan: Plan, since: datetime) -> bool:
        """Whether the gateway got others through since then, and failed nobody else after the last of them."""
        at = self.through.get(plan.gateway.id)
        failing = self.failing.get(plan.gateway.id, _NOBODY)
        return at is not None and at >= since and failing <= {plan.candidate.subscriber_id}


MOST_FAILING: Final = 2
_NOBODY: Final[frozenset[int]] = frozenset()
