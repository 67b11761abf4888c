"""How many campaigns are calling, and why the others are not: for figures, over all users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from dialer.management.management import Management, Transaction, verb
from dialer.management.reports import progress_of
from dialer.model import Campaign, CampaignStatus, IdleCode, Progress, SubscriberStatus
from dialer.store import mapping
from dialer.store import reports as sql
from dialer.store.statements import STARTED_PAGE
from dialer.store.times import from_column_or_none

PAGE: Final = 100
"""Campaigns that are read, and explained, at once: two milliseconds on each thread."""

_STOPPED: Final = {
    CampaignStatus.PAUSE: IdleCode.PAUSED,
    CampaignStatus.ABORT: IdleCode.ABORTED,
    CampaignStatus.END: IdleCode.ENDED,
}


@frozen
class Idleness:
    """Campaigns that nothing keeps from calling, and the others by the reason that is told first."""

    calling: int
    idle: Mapping[IdleCode, int]


async def idleness(management: Management) -> Idleness:
    """Of all campaigns, a page at a time, so that neither calls nor other requests wait. Only a process that makes the calls
    knows: without a flow it is a mistake in the program. Fails with `StoreError`."""
    if management.flow is None:
        raise RuntimeError("no calls are made here, so nobody can tell why none are")
    calling = 0
    idle = Counter(await management.ask(stopped))
    after: int | None = 0
    while after is not None:
        page, after = await management.ask(started, after)
        for campaign, progress in page:
            reason = management.flow.explain(campaign, progress)
            if reason is None:
                calling += 1
            else:
                idle[reason.code] += 1
    return Idleness(calling, idle)


@verb
def stopped(t: Transaction) -> dict[IdleCode, int]:
    """Campaigns that a user has stopped, or that have ended."""
    counts = {CampaignStatus(status): number for status, number in t.connection.execute(sql.CAMPAIGNS_BY_STATUS)}
    return {code: int(counts[status]) for status, code in _STOPPED.items() if status in counts}


@verb
def started(t: Transaction, after: int) -> tuple[list[tuple[Campaign, Progress]], int | None]:
    """The next started campaigns and how far they are, as `reports.read` tells it, and the id behind which the next page
    begins; None after the last."""
    rows = t.connection.execute(STARTED_PAGE, (after, PAGE + 1)).fetchall()
    if not rows:
        return [], None
    campaigns = [mapping.started(tuple(row))[0] for row in rows[:PAGE]]
    last = campaigns[-1].id
    counts: dict[int, dict[SubscriberStatus, int]] = {}
    for campaign_id, status, subscribers in t.connection.execute(sql.COUNTS_OF_STARTED, (after, last)):
        counts.setdefault(campaign_id, {})[SubscriberStatus(status)] = int(subscribers)
    first_ready = {key: first for key, *first in t.connection.execute(sql.FIRST_READY, (after, last)).fetchall()}
    page = []
    for campaign in campaigns:
        ready_at, held_by = first_ready.get(campaign.id, (None, None))
        progress = progress_of(counts.get(campaign.id, {}), from_column_or_none(ready_at), held_by, t.now)
        page.append((campaign, progress))
    return page, last if len(rows) > PAGE else None
