"""The judge: what the called side saw, against what the dialer promises, and against what the database says at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

from attrs import Factory, frozen

from dialer.model import Disposition, OwnCause, SubscriberStatus
from tests.harness.called_side import SeenCall, by_number
from tests.harness.campaign import ATTEMPT_SPAN, CampaignRules, StoredAttempt, StoredContact
from tests.harness.shown_numbers import shown_numbers

CLOCK = 0.05
"""Seconds by which two processes' views of one clock may differ."""

MICROSECONDS = 2e-6
"""What is lost of a moment that is stored in whole microseconds."""

LONGEST_PAUSE = 80.0
"""Seconds: of the pauses after which a contact that was not dialled is tried again."""

NEVER_DIALLED = (OwnCause.NOT_SENT, OwnCause.LATE, OwnCause.REFUSED, OwnCause.NEVER_DIALLED)
FINISHED = (SubscriberStatus.FAIL, SubscriberStatus.COMPLETE)


class Kind(StrEnum):
    """What is wrong about a broken promise."""

    DUPLICATE = "duplicate"
    LOST = "lost"
    OTHER = "other"


@frozen
class Broken:
    """A broken promise, in words."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@frozen(kw_only=True)
class Evidence:
    """Everything that is known at the end: of `expected` contacts, `contacts` are there. `at` is the moment, after which a
    contact may be called again; None: every contact is finished. `clock` is by how much its clocks may differ, in seconds;
    `deaths` are the moments at which a switch died, and at which it was back."""

    rules: CampaignRules
    calls: Sequence[SeenCall]
    attempts: Sequence[StoredAttempt]
    contacts: Sequence[StoredContact]
    expected: int
    at: float | None = None
    clock: float = CLOCK
    deaths: Sequence[float] = ()
    listed: Mapping[str, float] = Factory(dict)
    """When numbers were put on a do-not-call list, which was durable then."""

    def attempts_by_uuid(self) -> Mapping[str, StoredAttempt]:
        """The attempts that calls were made for, by the calls' UUIDs."""
        return {attempt.uuid: attempt for attempt in self.attempts}


def judge(evidence: Evidence) -> list[Broken]:
    """Every broken promise; an empty list for a good run."""
    return [
        *(Broken(Kind.DUPLICATE, text) for text in _rings(evidence)),
        *(Broken(Kind.DUPLICATE, text) for text in _moments(evidence)),
        *(Broken(Kind.LOST, text) for text in _attempts(evidence)),
        *(Broken(Kind.LOST, text) for text in _contacts(evidence)),
        *(Broken(Kind.OTHER, text) for text in _charged(evidence)),
        *(Broken(Kind.OTHER, text) for text in _lost_switch(evidence)),
        *(Broken(Kind.OTHER, text) for text in _pace(evidence)),
        *(Broken(Kind.OTHER, text) for text in _listed(evidence)),
        *(Broken(Kind.OTHER, text) for text in _attempt_cap(evidence)),
        *(Broken(Kind.OTHER, text) for text in shown_numbers(evidence.rules, evidence.calls, evidence.attempts)),
    ]


def _rings(evidence: Evidence) -> Iterator[str]:
    """At most one ring per attempt; no contact rung too often, too early, twice at the same time, or again after a talk."""
    rules, attempts = evidence.rules, evidence.attempts_by_uuid()
    for uuid, rings in Counter(call.uuid for call in evidence.calls if call.rang).items():
        if rings > 1:
            yield f"attempt {uuid} rang {rings} times"
    for number, calls in by_number(evidence.calls).items():
        rings = sum(call.rang for call in calls)
        if rings > 1 + rules.max_retry:
            yield f"{number} rang {rings} times, and {1 + rules.max_retry} are allowed"
        for before, after in pairwise(calls):
            if before.ended_at is None or after.invited_at < before.ended_at:
                yield f"{number} was called as {after.uuid} while the call {before.uuid} to it was live"
            elif before.rang and after.invited_at < before.ended_at + rules.interval - evidence.clock:
                pause = after.invited_at - before.ended_at
                yield f"{number} was called again {pause:.1f} s after it had rung, not {rules.interval}"
            attempt = attempts.get(before.uuid)
            if attempt is not None and attempt.disposition == Disposition.ANSWERED:
                yield f"{number} was called as {after.uuid} although {before.uuid} counts as answered"


def _moments(evidence: Evidence) -> Iterator[str]:
    """Nobody is called for an attempt before it is planned, after it has ended, nor after its deadline; a contact that was
    called does not count as not called."""
    clock, attempts = evidence.clock, evidence.attempts_by_uuid()
    for call in evidence.calls:
        attempt = attempts.get(call.uuid)
        if attempt is None:
            continue
        if call.invited_at < attempt.planned_at - clock:
            early = attempt.planned_at - call.invited_at
            yield f"{call.number} was called {early:.2f} s before its attempt {call.uuid} was planned"
        if attempt.ended_at is not None and call.invited_at > attempt.ended_at + clock:
            late = call.invited_at - attempt.ended_at
            yield f"{call.number} was called {late:.2f} s after its attempt {call.uuid} had ended ({attempt.cause})"
        if call.invited_at > attempt.deadline + clock:
            late = call.invited_at - attempt.deadline
            yield f"{call.number} was called {late:.2f} s after the deadline of its attempt {call.uuid}"
        if attempt.cause in NEVER_DIALLED:
            yield f"{call.number} was called, and its attempt {call.uuid} ended as {attempt.cause}"


def _attempts(evidence: Evidence) -> Iterator[str]:
    """Each call has an attempt, and every attempt and every call has an end."""
    stored = evidence.attempts_by_uuid()
    for call in evidence.calls:
        if call.uuid not in stored:
            yield f"{call.number} was called as {call.uuid}, of which the database knows nothing"
        if call.ended_at is None:
            yield f"the call {call.uuid} to {call.number} is still up"
    for attempt in evidence.attempts:
        if attempt.ended_at is None:
            yield f"the attempt {attempt.uuid} to {attempt.number} is still {attempt.state}"


def _contacts(evidence: Evidence) -> Iterator[str]:
    """Every contact is finished, or, unless the campaign is over, is called again before long; its attempts are counted, and
    it is reached when somebody answered."""
    rules = evidence.rules
    answered = {call.number for call in evidence.calls if call.answered_at is not None}
    if len(evidence.contacts) != evidence.expected:
        yield f"of {evidence.expected} contacts, {len(evidence.contacts)} are in the campaign"
    latest = None if evidence.at is None else evidence.at + max(rules.interval, LONGEST_PAUSE)
    for contact in evidence.contacts:
        waits = contact.status == SubscriberStatus.START and contact.count_attempt <= rules.max_retry
        if contact.status == SubscriberStatus.NOT_AUTHORISED and contact.number in evidence.listed:
            continue
        if contact.status not in FINISHED and not (waits and latest is not None):
            yield f"{contact.number} has the status {contact.status} after {contact.count_attempt} attempts"
        if waits and latest is not None and (contact.ready_at is None or contact.ready_at > latest):
            yield f"{contact.number} is not ready before {contact.ready_at}"
        if contact.count_attempt != contact.counted:
            yield f"{contact.number} has {contact.count_attempt} attempts in its count and {contact.counted} in the table"
        if contact.status == SubscriberStatus.COMPLETE and contact.number not in answered:
            yield f"{contact.number} counts as reached, and nobody answered"


def _charged(evidence: Evidence) -> Iterator[str]:
    """No contact is charged for a call that was never made, as long as the switch lives, which remembers what it dialled."""
    invited = {call.uuid for call in evidence.calls}
    for attempt in evidence.attempts:
        if not attempt.counts or attempt.uuid in invited or attempt.cause == OwnCause.LOST_SWITCH:
            continue
        until = attempt.ended_at or float("inf")
        if not any(attempt.planned_at - evidence.clock <= death <= until for death in evidence.deaths):
            yield f"{attempt.number} was charged for the attempt {attempt.uuid} ({attempt.cause}), and was never called"


def _lost_switch(evidence: Evidence) -> Iterator[str]:
    """A call that died with its switch is known to have: the campaign's policy for unknown ends is not for it. Where another
    switch is there, one that stays away longer than the call can last is not waited for."""
    attempts = evidence.attempts_by_uuid()
    longest = evidence.rules.call_timeout + evidence.rules.max_duration
    for call in evidence.calls:
        attempt = attempts.get(call.uuid)
        if not call.died or attempt is None or not attempt.core_uuid or attempt.cause in (OwnCause.LOST_SWITCH, None):
            continue
        stayed_away = attempt.ended_at is not None and attempt.ended_at > attempt.deadline + longest
        if attempt.cause != OwnCause.UNKNOWN or not stayed_away:
            yield f"the call {call.uuid} died with the switch {attempt.core_uuid}, and ended as {attempt.cause}"


def _pace(evidence: Evidence) -> Iterator[str]:
    """The campaign's frequency holds over all dialers, and all of their processes."""
    least = 60 / evidence.rules.frequency
    for before, after in pairwise(sorted(evidence.attempts, key=lambda attempt: attempt.due_at)):
        if after.due_at < before.due_at + least - MICROSECONDS:
            apart = 1000 * (after.due_at - before.due_at)
            yield f"the attempts {before.uuid} and {after.uuid} were due {apart:.1f} ms apart, not {1000 * least:.1f}"


def _listed(evidence: Evidence) -> Iterator[str]:
    """No attempt to a number begins once that is on a do-not-call list."""
    for attempt in evidence.attempts:
        since = evidence.listed.get(attempt.number)
        if since is not None and attempt.planned_at > since + evidence.clock:
            late = attempt.planned_at - since
            yield f"the attempt {attempt.uuid} to {attempt.number} was begun {late:.2f} s after the number had been listed"


def _attempt_cap(evidence: Evidence) -> Iterator[str]:
    """No number is called more often in a span than the rules let, whichever dialers call it."""
    most = evidence.rules.attempts
    if most is None:
        return
    for number, calls in by_number(evidence.calls).items():
        for first, last in zip(calls, calls[most:], strict=False):
            apart = last.invited_at - first.invited_at
            if apart < ATTEMPT_SPAN - evidence.clock:
                allowed = f"{most} times are allowed in {ATTEMPT_SPAN:g}"
                yield f"{number} was called {most + 1} times within {apart:.1f} s, and {allowed}"
