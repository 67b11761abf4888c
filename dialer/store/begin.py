"""Begin: claim subscribers and write their attempts, as one part of a transaction on the database thread.

On SQLite the transaction holds the only write lock from its first statement on, so nothing that it has read can change before
it commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from dialer.model import Attempt, Plan
from dialer.store import statements
from dialer.store.connection import Connection
from dialer.store.times import to_column

LARGEST_STATEMENT = 100
"""Plans in one statement: its text is kept prepared for each number of plans."""

MINUTE = 60.0


def begin(connection: Connection, plans: Sequence[Plan], now: datetime, deadline: datetime, owner: str) -> list[Attempt]:
    """The attempts for those of `plans` that may be made, in the order of the plans. See `FlowStore.begin`."""
    attempts: list[Attempt] = []
    for start in range(0, len(plans), LARGEST_STATEMENT):
        attempts += _begin_some(connection, plans[start : start + LARGEST_STATEMENT], now, deadline, owner)
    _advance_campaigns(connection, attempts)
    return attempts


def _begin_some(connection: Connection, plans: Sequence[Plan], now: datetime, deadline: datetime, owner: str) -> list[Attempt]:
    allowed = _claim(connection, plans, to_column(now))
    if not allowed:
        return []
    planned_at, latest = to_column(now), to_column(deadline)
    values: list[Any] = []
    for plan, number_of_attempt in allowed:
        values += (
            plan.call_uuid,
            plan.candidate.campaign_id,
            plan.candidate.subscriber_id,
            plan.gateway.id,
            plan.candidate.number,
            plan.dial_string,
            number_of_attempt,
            owner,
            planned_at,
            to_column(plan.due_at),
            latest,
        )
    ids = dict(connection.execute(statements.insert_attempts(len(allowed)), values).fetchall())
    return [
        Attempt(id=ids[plan.call_uuid], plan=plan, number_of_attempt=number, planned_at=now, deadline=deadline)
        for plan, number in allowed
    ]


def _claim(connection: Connection, plans: Sequence[Plan], now: str) -> list[tuple[Plan, int]]:
    """Claims whom it may; each with the number of the attempt."""
    subscribers = [plan.candidate.subscriber_id for plan in plans]
    rows = connection.execute(statements.claimable(len(subscribers)), (now, *subscribers))
    claimable = {row[0]: row[1:] for row in rows}
    numbers: set[str] = set()
    allowed, forbidden = [], []
    for plan in plans:
        found = claimable.pop(plan.candidate.subscriber_id, None)
        if found is None:
            continue
        count_attempt, count_requeue, number, is_forbidden = found
        if is_forbidden:
            forbidden.append(plan.candidate.subscriber_id)
        elif number not in numbers:
            numbers.add(number)
            known = _with_counts(plan, count_attempt, count_requeue)
            allowed.append((known, count_attempt + 1))
    if forbidden:
        connection.execute(statements.forbid(len(forbidden)), forbidden)
    if allowed:
        claimed = [plan.candidate.subscriber_id for plan, _ in allowed]
        connection.execute(statements.claim(len(claimed)), claimed)
    return allowed


def _with_counts(plan: Plan, count_attempt: int, count_requeue: int) -> Plan:
    """The plan with the counts of the moment of the claim: its candidate may be older than the end of an earlier attempt."""
    candidate = plan.candidate
    if candidate.count_attempt == count_attempt and candidate.count_requeue == count_requeue:
        return plan
    return evolve(plan, candidate=evolve(candidate, count_attempt=count_attempt, count_requeue=count_requeue))


def _advance_campaigns(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """The next call of a campaign is due one even space after the last one begun."""
    latest: dict[int, datetime] = {}
    for attempt in attempts:
        campaign = attempt.plan.campaign
        after = attempt.plan.due_at + timedelta(seconds=MINUTE / campaign.frequency)
        latest[campaign.id] = max(after, latest.get(campaign.id, after))
    for campaign_id, moment in latest.items():
        next_call_at = to_column(moment)
        connection.execute(statements.ADVANCE_CAMPAIGN, (next_call_at, campaign_id, next_call_at))
