"""Subscribers: what became of the contacts of a campaign."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from dialer.management.contacts import check_ours, subscribed_identity
from dialer.management.management import Management, Transaction, verb
from dialer.model import Account, Disposition, Subscriber, SubscriberReport, SubscriberStatus
from dialer.numbers import parse_number
from dialer.store import reports
from dialer.store.times import from_column_or_none

PAGE: Final = 1000
"""Subscribers that are read at once: about 5 ms on the database thread."""

PENDING: Final = frozenset(SubscriberStatus) - {SubscriberStatus.ABORT, SubscriberStatus.FAIL, SubscriberStatus.COMPLETE}


@frozen
class Page:
    """Some subscribers, and the number behind which the next page begins; None after the last."""

    entries: list[SubscriberReport]
    after: str | None


async def listed(
    management: Management, who: Account, campaign_id: int, statuses: Collection[SubscriberStatus] = PENDING
) -> list[SubscriberReport]:
    """The subscribers of a campaign that have one of these statuses, in the order in which they came. Read page by page, so
    that the flow's transactions find their way between. Fails with: `NotFound`, `StoreError`."""
    found = await some(management, who, campaign_id, statuses)
    found.sort(key=lambda entry: entry.subscriber.contact_id)
    return found


async def some(
    management: Management,
    who: Account,
    campaign_id: int,
    statuses: Collection[SubscriberStatus],
    after: str = "",
    limit: int | None = None,
) -> list[SubscriberReport]:
    """At most `limit` of them whose numbers are behind `after`, in the order of their numbers as texts."""
    found: list[SubscriberReport] = []
    last: str | None = after
    while last is not None and (limit is None or len(found) < limit):
        size = PAGE if limit is None or len(statuses) < len(SubscriberStatus) else min(PAGE, limit - len(found))
        read = await management.ask(page, who, campaign_id, last, size)
        found += [entry for entry in read.entries if entry.subscriber.status in statuses]
        last = read.after
    return found[:limit]


@verb
def page(t: Transaction, who: Account, campaign_id: int, after: str, size: int) -> Page:
    """The next subscribers in the order of their numbers, which the index has. Raises `NotFound` for the campaign."""
    check_ours(t.connection, who, campaign_id)
    found = t.connection.execute(reports.SUBSCRIBERS, (campaign_id, after, size)).fetchall()
    return Page([_report(campaign_id, row, t.now) for row in found], found[-1][0] if len(found) == size else None)


@verb
def one(t: Transaction, who: Account, campaign_id: int, number: str) -> list[SubscriberReport]:
    """The subscriber of a number, in whatever spelling, if there is one. Raises `NotFound` for the campaign, `BadValue`."""
    wanted = parse_number(number, "number")
    check_ours(t.connection, who, campaign_id)
    identity = subscribed_identity(t, campaign_id, wanted)
    return [_report(campaign_id, row, t.now) for row in t.connection.execute(reports.SUBSCRIBER, (campaign_id, identity))]


def _report(campaign_id: int, row: tuple[Any, ...], now: datetime) -> SubscriberReport:
    number, status, contact_id, last_attempt_at, count_attempt, ready_at, disposition, reason = row
    subscriber = Subscriber(
        campaign_id=campaign_id,
        contact_id=contact_id,
        number=number,
        status=SubscriberStatus(status),
        ready_at=from_column_or_none(ready_at),
        count_attempt=count_attempt,
        last_attempt_at=from_column_or_none(last_attempt_at),
    )
    waits = subscriber.status is SubscriberStatus.START and subscriber.ready_at is not None and subscriber.ready_at > now
    return SubscriberReport(
        subscriber=subscriber,
        disposition=None if disposition is None else Disposition(disposition),
        reason=reason,
        next_attempt_at=subscriber.ready_at if waits else None,
    )
