"""The outcome of campaigns: call records and reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import frozen
from pony.orm import count, max, min, select, sum

from dialer.management.management import Transaction, reads
from dialer.model import CallRecord, Disposition
from dialer.stored import value_of

YES = True
"""Has to be a parameter of a query: flags are numbers in the tables."""


@frozen(kw_only=True)
class DispositionCount:
    """A row of a campaign's report."""

    disposition: Disposition
    cause: str
    attempts: int
    counted: int
    talk_ms: int


@frozen(kw_only=True)
class Totals:
    """The sums of a campaign: attempts begun, ended, and counted; the time talked; the first begin and the last end."""

    attempts: int
    ended: int
    counted: int
    talk_ms: int
    first_planned_at: datetime | None
    last_ended_at: datetime | None


@reads
def dispositions(t: Transaction, campaign_id: int) -> list[DispositionCount]:
    """Ended attempts by disposition and cause, the most frequent first."""
    record = t.entities.CallRecord
    rows = select(
        (a.disposition, a.cause, count(a), sum(a.talk_ms))
        for a in record
        if a.campaign.id == campaign_id and a.ended_at is not None
    )
    those_that_count = select(
        (a.disposition, a.cause, count(a)) for a in record if a.campaign.id == campaign_id and a.counts_as_attempt == YES
    )
    counted = {(disposition, cause): number for disposition, cause, number in those_that_count}
    found = [
        DispositionCount(
            disposition=Disposition(disposition),
            cause=cause,
            attempts=attempts,
            counted=counted.get((disposition, cause), 0),
            talk_ms=talk_ms or 0,
        )
        for disposition, cause, attempts, talk_ms in rows
    ]
    return sorted(found, key=lambda row: (-row.attempts, row.disposition, row.cause))


@reads
def totals(t: Transaction, campaign_id: int) -> Totals:
    """The sums over all attempts."""
    record = t.entities.CallRecord
    attempts, talk_ms, first, last = select(
        (count(a), sum(a.talk_ms), min(a.planned_at), max(a.ended_at)) for a in record if a.campaign.id == campaign_id
    ).first()
    ended = select(a for a in record if a.campaign.id == campaign_id and a.ended_at is not None).count()
    counted = select(a for a in record if a.campaign.id == campaign_id and a.counts_as_attempt == YES).count()
    return Totals(
        attempts=attempts,
        ended=ended,
        counted=counted,
        talk_ms=talk_ms or 0,
        first_planned_at=_aware(first),
        last_ended_at=_aware(last),
    )


@reads
def attempts(t: Transaction, campaign_id: int, after: int = 0, limit: int = 10_000) -> list[CallRecord]:
    """Attempts in the order of their begin, those behind the id `after`."""
    query = t.entities.CallRecord.select(lambda a: a.campaign.id == campaign_id and a.id > after).order_by(lambda a: a.id)
    return [value_of(CallRecord, row) for row in query.limit(limit)]


def _aware(moment: Any) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
