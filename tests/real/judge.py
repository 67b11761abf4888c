"""The judge: what the callees saw, against what the dialer promises and what the database says at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from attrs import frozen

from dialer.model import OwnCause, SubscriberStatus
from tests.real.callees import SeenCall, by_number
from tests.real.campaign import Rules, StoredAttempt, StoredContact

CLOCK = 0.05
"""Seconds by which two processes' views of one clock may differ."""

NEVER_DIALLED = (OwnCause.NOT_SENT, OwnCause.LATE, OwnCause.REFUSED)
FINISHED = (SubscriberStatus.FAIL, SubscriberStatus.COMPLETE)


@frozen(kw_only=True)
class Evidence:
    """Everything that is known at the end. `deaths` are those of FreeSWITCH."""

    rules: Rules
    calls: Sequence[SeenCall]
    attempts: Sequence[StoredAttempt]
    contacts: Sequence[StoredContact]
    deaths: Sequence[float] = ()

    def attempt_of(self, call: SeenCall) -> StoredAttempt | None:
        """The attempt that a call was made for: that of the Call-ID, where the SIP profile takes the channel's UUID for it
        (`outbound-use-uuid-as-callid`); else the one that was open to the number at that moment."""
        known = {attempt.uuid: attempt for attempt in self.attempts}
        if any(other.call_id in known for other in self.calls):
            return known.get(call.call_id)
        return next((attempt for attempt in self.attempts if attempt.number == call.number and _is_open(attempt, call)), None)

    def end_of(self, call: SeenCall) -> float | None:
        """When a call was over, by its own end or with FreeSWITCH."""
        ends = [at for at in self.deaths if at >= call.invited_at]
        return min([*ends, *([] if call.ended_at is None else [call.ended_at])], default=None)


def judge(evidence: Evidence) -> list[str]:
    """Every broken promise; an empty list for a good run."""
    return [*_of_calls(evidence), *_of_numbers(evidence), *_of_attempts(evidence), *_of_contacts(evidence)]


def _of_calls(evidence: Evidence) -> Iterator[str]:
    """At most one ring per attempt, and nobody is called for an attempt that is unknown, over or late."""
    rings: Counter[str] = Counter()
    for call in evidence.calls:
        attempt = evidence.attempt_of(call)
        if attempt is None:
            yield f"{call.number} was called as {call.call_id}, of which the database knows nothing"
            continue
        rings[attempt.uuid] += call.rang
        if not _is_open(attempt, call):
            yield f"{call.number} was called at {call.invited_at}, and its attempt {attempt.uuid} ended at {attempt.ended_at}"
        if attempt.cause in NEVER_DIALLED:
            yield f"{call.number} was called, and its attempt {attempt.uuid} counts as not dialled ({attempt.cause})"
        if call.invited_at > attempt.deadline + CLOCK:
            yield f"{call.number} was called {call.invited_at - attempt.deadline:.2f} s after its deadline"
    for uuid, count in rings.items():
        if count > 1:
            yield f"the attempt {uuid} rang {count} times"


def _of_numbers(evidence: Evidence) -> Iterator[str]:
    """Nobody rings too often, too soon, or twice at the same time, or again after a talk."""
    rules = evidence.rules
    for number, calls in by_number(evidence.calls).items():
        rings = sum(call.rang for call in calls)
        if rings > 1 + rules.max_retry:
            yield f"{number} rang {rings} times, and {1 + rules.max_retry} are allowed"
        for before, after in pairwise(calls):
            ended_at = evidence.end_of(before)
            if ended_at is None or after.invited_at < ended_at:
                yield f"{number} was called as {after.call_id} while {before.call_id} was live"
            elif before.rang and after.invited_at < ended_at + rules.interval - CLOCK:
                yield f"{number} was called again {after.invited_at - ended_at:.1f} s after it had rung, not {rules.interval}"
            attempt = evidence.attempt_of(before)
            if attempt is not None and attempt.disposition == "ANSWERED":
                yield f"{number} was called as {after.call_id} although {before.call_id} counts as answered"


def _of_attempts(evidence: Evidence) -> Iterator[str]:
    """Every attempt and every call has an end."""
    for attempt in evidence.attempts:
        if attempt.ended_at is None:
            yield f"the attempt {attempt.uuid} to {attempt.number} is open"
    for call in evidence.calls:
        if evidence.end_of(call) is None:
            yield f"the call {call.call_id} to {call.number} is still up"


def _of_contacts(evidence: Evidence) -> Iterator[str]:
    """Every contact is finished, as reached when somebody answered, and its attempts are counted."""
    answered = {call.number for call in evidence.calls if call.answered_at is not None}
    if len(evidence.contacts) != evidence.rules.contacts:
        yield f"of {evidence.rules.contacts} contacts, {len(evidence.contacts)} are in the campaign"
    for contact in evidence.contacts:
        if contact.status not in FINISHED:
            yield f"{contact.number} has the status {contact.status} after {contact.count_attempt} attempts"
        if contact.count_attempt != contact.counted:
            yield f"{contact.number} has {contact.count_attempt} attempts in its count and {contact.counted} in the table"
        if contact.status == SubscriberStatus.COMPLETE and contact.number not in answered:
            yield f"{contact.number} counts as reached, and nobody answered"


def _is_open(attempt: StoredAttempt, call: SeenCall) -> bool:
    ended_at = call.invited_at if attempt.ended_at is None else attempt.ended_at
    return attempt.planned_at - CLOCK <= call.invited_at <= ended_at + CLOCK
