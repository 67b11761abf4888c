"""How many campaigns are calling, and why the others are not: for figures, over all users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from attrs import Factory, frozen

from dialer.management import caller_ids
from dialer.management.caller_ids import CallerIdFigures, assigning
from dialer.management.management import Management, Transaction, verb
from dialer.model import Campaign, CampaignStatus, IdleCode, Progress
from dialer.store import idle_news
from dialer.store import reports as sql

_STOPPED: Final = {
    CampaignStatus.PAUSE: IdleCode.PAUSED,
    CampaignStatus.ABORT: IdleCode.ABORTED,
    CampaignStatus.END: IdleCode.ENDED,
}


@frozen
class Idleness:
    """Campaigns that nothing keeps from calling, and the others by the reason that is told first; and how the caller ids of
    pools fare."""

    calling: int
    idle: Mapping[IdleCode, int]
    caller_ids: CallerIdFigures = Factory(CallerIdFigures)


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
    return Idleness(calling, idle, await caller_ids.figures(management))


@verb
def stopped(t: Transaction) -> dict[IdleCode, int]:
    """Campaigns that a user has stopped, or that have ended."""
    found: Counter[IdleCode] = Counter()
    for status, by_dialer, number in t.connection.execute(sql.CAMPAIGNS_BY_STATUS).fetchall():
        code = _STOPPED.get(CampaignStatus(status))
        if code is not None:
            found[IdleCode.PAUSED_BY_DIALER if by_dialer and code is IdleCode.PAUSED else code] += int(number)
    return dict(found)


@verb
def started(t: Transaction, after: int) -> tuple[list[tuple[Campaign, Progress]], int | None]:
    """The next started campaigns and how far they are, as `reports.read` tells it, and the id behind which the next page
    begins; None after the last."""
    return idle_news.started(t.connection, after, assigning(t))
