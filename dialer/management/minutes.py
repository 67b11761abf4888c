"""The last hour of a campaign, minute by minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from dialer.management import rows
from dialer.management.management import Transaction, reads
from dialer.model import Account
from dialer.store import minutes as sql
from dialer.store.times import from_column, to_column

SPAN: Final = timedelta(hours=1)


@frozen(kw_only=True)
class MinuteCount:
    """Attempts that were begun in a minute, whether they have ended or not, and those of them that were answered."""

    at: datetime
    attempts: int
    answered: int


@reads
def of_campaign(t: Transaction, who: Account, campaign_id: int) -> list[MinuteCount]:
    """The minutes of the last hour in which it called, in order; of a campaign that calls very fast, fewer of them. Raises
    `NotFound`."""
    rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
    since = (t.now - SPAN).replace(second=0, microsecond=0)
    found = t.connection.execute(
        sql.BY_MINUTE.of(t.connection), (campaign_id, campaign_id, sql.NEWEST, to_column(since))
    ).fetchall()
    counted = [MinuteCount(at=from_column(at), attempts=int(count), answered=int(answers)) for at, count, answers in found]
    cut_off = sum(each.attempts for each in counted) >= sql.NEWEST
    return counted[1:] if cut_off else counted
