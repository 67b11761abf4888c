"""The numbers of a pool, each with what came of the calls that showed it, day by day: all of them in one look."""

from __future__ import annotations

from datetime import date, timedelta

from attrs import frozen

from dialer.campaigns.caller_ids import day_of
from dialer.management import caller_ids
from dialer.management.caller_ids import CallerIdDay
from dialer.management.management import Transaction, reads
from dialer.model import Account
from dialer.model.caller_id import CallerIdDetails
from dialer.store import caller_id_counts as counted


@frozen(kw_only=True)
class CallerIdCourse:
    """A number as it is, and its last days, the newest first; days without calls are left out."""

    details: CallerIdDetails
    days: tuple[CallerIdDay, ...]


@reads
def courses(t: Transaction, who: Account, pool_id: int, days_back: int) -> list[CallerIdCourse]:
    """The numbers of a pool, each with what came of its calls today and in so many days before. Raises `NotFound`."""
    pool = caller_ids.read_pool(t, who, pool_id)
    since = day_of(pool, t.now) - timedelta(days=days_back)
    found: dict[int, list[CallerIdDay]] = {}
    for key, day, *sums in t.connection.execute(counted.DAYS_OF_POOL, (pool_id, since.isoformat())).fetchall():
        found.setdefault(key, []).append(CallerIdDay(day=date.fromisoformat(day), counts=counted.counts(sums)))
    return [
        CallerIdCourse(
            details=each,
            days=tuple(one for one in found.get(each.caller_id.id, ()) if one.day >= day_of(pool, each.caller_id.created_at)),
        )
        for each in caller_ids.listed(t, who, 0, None, pool_id)
    ]
