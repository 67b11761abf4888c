"""The attempts of campaigns, as they are stored."""

from __future__ import annotations

from dialer.management.management import Transaction, reads
from dialer.model import CallRecord
from dialer.stored import value_of


@reads
def attempts(t: Transaction, campaign_id: int, after: int = 0, limit: int = 10_000) -> list[CallRecord]:
    """Attempts in the order of their begin, those behind the id `after`."""
    query = t.entities.CallRecord.select(lambda a: a.campaign.id == campaign_id and a.id > after).order_by(lambda a: a.id)
    return [value_of(CallRecord, row) for row in query.limit(limit)]
