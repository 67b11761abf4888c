"""AttemptResult: the end of an attempt, as one part of a transaction on the database thread."""

from __future__ import annotations

import orjson

from dialer.interfaces import OPT_OUT
from dialer.model import AttemptResult
from dialer.store import statements
from dialer.store.connection import Connection
from dialer.store.mapping import as_text, in_range
from dialer.store.times import to_column, to_column_or_none

FINISHED = "attempt.finished"
"""The kind of the outbox row that an attempt's end writes."""


def finish(connection: Connection, end: AttemptResult, owner: str, *, outbox: bool, unless_recorded: bool = False) -> bool:
    """End the attempt of `owner`, unless it has ended, or, with `unless_recorded`, a call detail record of it is pending.
    Returns whether anything was changed."""
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
    connection.execute(
        statements.SETTLE_SUBSCRIBER,
        (
            status,
            status,
            ended_at if decision.ready_at is None else to_column(decision.ready_at),
            counts,
            counts,
            to_column(attempt.planned_at) if counts else None,
            attempt.plan.candidate.subscriber_id,
        ),
    )
    if OPT_OUT in outcome.session:
        candidate, reason = attempt.plan.candidate, f"the callee of attempt {attempt.id} asked for it"
        connection.execute(statements.FORBID_NUMBER, (candidate.number, candidate.identity, reason, ended_at))
    if outbox:
        row = (FINISHED, attempt.plan.campaign.id, attempt.id, payload(end), ended_at, ended_at)
        connection.execute(statements.ADD_TO_OUTBOX, row)
    return True


def payload(end: AttemptResult) -> str:
    """The news of an attempt's end for a hook, as JSON; times in UTC with their offset."""
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
