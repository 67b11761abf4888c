"""AttemptResult: the end of an attempt, as one part of a transaction on the database thread."""

from __future__ import annotations

from datetime import datetime

import orjson

from dialer.calls.rests import rest_after
from dialer.interfaces import OPT_OUT
from dialer.model import AttemptResult, DoNotCallEntry, EventKind, SubscriberStatus
from dialer.model.do_not_call import EVERYBODYS
from dialer.store import do_not_call, statements
from dialer.store.connection import Connection
from dialer.store.events import about, add, add_of_attempt
from dialer.store.mapping import as_text, in_range
from dialer.store.times import to_column, to_column_or_none
from dialer.store.told_state import tell_finished


def finish(
    connection: Connection, end: AttemptResult, owner: str, wanted: frozenset[EventKind], *, unless_recorded: bool = False
) -> bool:
    """End the attempt of `owner`, unless it has ended, or, with `unless_recorded`, a call detail record of it is pending; tell
    of it by the events that are `wanted`. Returns whether anything was changed."""
    outcome, decision, attempt = end.outcome, end.decision, end.attempt
    ended_at = to_column(outcome.ended_at)
    counts = int(decision.counts_as_attempt)
    changed = connection.execute(
        statements.END_UNRECORDED_ATTEMPT if unless_recorded else statements.END_ATTEMPT,
        (
            ended_at,
            as_text(str(outcome.cause)),
            str(end.disposition),
            counts,
            as_text(decision.reason),
            in_range(outcome.q850),
            in_range(outcome.sip_status),
            as_text(outcome.sip_disposition),
            to_column_or_none(outcome.sent_at),
            to_column_or_none(outcome.rang_at),
            to_column_or_none(outcome.answered_at),
            in_range(outcome.ring_ms),
            in_range(outcome.talk_ms),
            in_range(outcome.duration_ms),
            int(outcome.machine),
            orjson.dumps(dict(outcome.session)).decode() if outcome.session else "{}",
            attempt.id,
            owner,
        ),
    ).rowcount
    if not changed:
        return False
    status = int(decision.status)
    settled = connection.execute(
        statements.SETTLE_SUBSCRIBER,
        (
            status,
            status,
            ended_at if decision.ready_at is None else to_column(decision.ready_at),
            counts,
            counts,
            to_column(attempt.planned_at) if counts else None,
            decision.tally,
            attempt.plan.candidate.subscriber_id,
        ),
    ).fetchone()
    if OPT_OUT in outcome.session:
        _forbid(connection, end, EVERYBODYS, f"the callee of attempt {attempt.id} asked for it", "callee")
    rest = rest_after(end)
    if rest is not None:
        word, until = rest
        rests = do_not_call.rests_of(connection, attempt.plan.campaign.user_id, outcome.ended_at)
        _forbid(connection, end, rests, f"rests after attempt {attempt.id} ({word})", "dialer", until)
    if wanted:
        tell(connection, end, wanted, settled)
    return True


def _forbid(
    connection: Connection, end: AttemptResult, list_id: int, reason: str, by: str, until: datetime | None = None
) -> None:
    candidate = end.attempt.plan.candidate
    entry = DoNotCallEntry(
        number=candidate.number, identity=candidate.identity, reason=reason, source="call", expires_at=until
    )
    do_not_call.add(connection, list_id, [entry], by, end.outcome.ended_at)


def tell(connection: Connection, end: AttemptResult, wanted: frozenset[EventKind], settled: tuple[int, int] | None) -> None:
    """The events of an end; `settled` are the contact's status and the count of its attempts, unless it is no more called."""
    outcome, attempt = end.outcome, end.attempt
    at = outcome.ended_at
    if EventKind.ATTEMPT_ENDED in wanted:
        add_of_attempt(connection, EventKind.ATTEMPT_ENDED, at, attempt, payload(end))
    status, attempts = settled or (0, attempt.number_of_attempt)
    kinds = [EventKind.CONTACT_OPTED_OUT] if OPT_OUT in outcome.session else []
    kinds += [_OF_STATUS[status]] if status in _OF_STATUS else []
    for kind in kinds:
        if kind in wanted:
            add(connection, kind, at, about(attempt), contact_facts(end, attempts))
    if status != SubscriberStatus.START:
        tell_finished(connection, [attempt.plan.campaign.id], at, wanted)


_OF_STATUS = {
    int(SubscriberStatus.COMPLETE): EventKind.CONTACT_COMPLETED,
    int(SubscriberStatus.FAIL): EventKind.CONTACT_FAILED,
}


def contact_facts(end: AttemptResult, attempts: int) -> dict[str, object]:
    """The facts of an event of a contact that its last attempt brought about."""
    candidate = end.attempt.plan.candidate
    return {
        "number": candidate.number,
        "subscriber_id": candidate.subscriber_id,
        "attempts": attempts,
        "disposition": str(end.disposition),
    }


def payload(end: AttemptResult) -> str:
    """The facts of an attempt's end, as JSON; times in UTC with their offset."""
    outcome, attempt = end.outcome, end.attempt
    facts = {
        "campaign_id": attempt.plan.campaign.id,
        "subscriber_id": attempt.plan.candidate.subscriber_id,
        "contact_id": attempt.plan.candidate.contact_id,
        "attempt_id": attempt.id,
        "call_uuid": attempt.call_uuid,
        "number": attempt.plan.candidate.number,
        "number_of_attempt": attempt.number_of_attempt,
        "gateway_id": attempt.plan.gateway.id,
        "caller_id": attempt.plan.shown.number,
        "disposition": str(end.disposition),
        "cause": str(outcome.cause),
        "counts": end.decision.counts_as_attempt,
        "reason": end.decision.reason,
        "q850": outcome.q850,
        "sip_status": outcome.sip_status,
        "planned_at": attempt.planned_at,
        "rang_at": outcome.rang_at,
        "answered_at": outcome.answered_at,
        "ended_at": outcome.ended_at,
        "ring_ms": outcome.ring_ms,
        "talk_ms": outcome.talk_ms,
        "duration_ms": outcome.duration_ms,
        "machine": outcome.machine,
        "session": dict(outcome.session),
    }
    return orjson.dumps(facts).decode()
