"""Reports: how far a campaign is, as the API tells it with the campaign."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dialer.management import campaigns
from dialer.management.caller_ids import assigning
from dialer.management.management import Management, Transaction, reads
from dialer.management.usage import UseOfGateways
from dialer.model import Account, CampaignDetails, CampaignReport, Progress, SubscriberStatus
from dialer.store import reports as sql
from dialer.store.caller_ids import CallerIdWaits
from dialer.store.times import from_column_or_none

MOST_FINISHED: Final = 1024
"""Campaigns whose end is remembered; when there are more, all are forgotten."""


async def campaign(management: Management, use: UseOfGateways, who: Account, campaign_id: int) -> CampaignReport:
    """One of the user's campaigns, how far it is, and why it is not calling. Fails with `NotFound`, `StoreError`."""
    details, progress = await management.ask(read, who, campaign_id)
    told = use.tell(details)
    details = told if isinstance(told, CampaignDetails) else await told
    return await _reported(management, details, progress)


async def progress(management: Management, who: Account, campaign_id: int) -> CampaignReport:
    """The same without the use of its gateway."""
    return await _reported(management, *await management.ask(read, who, campaign_id))


async def _reported(management: Management, details: CampaignDetails, progress: Progress) -> CampaignReport:
    flow, finished_at = management.flow, None
    if progress.finished and details.campaign.next_call_at is not None:
        finished_at = await _finished_at(management, details, progress)
    return CampaignReport(
        details=details,
        progress=progress,
        live_calls=flow.live_calls(details.campaign.id) if flow is not None else 0,
        reason=flow.explain(details.campaign, progress) if flow is not None else None,
        finished_at=finished_at,
    )


@reads
def read(t: Transaction, who: Account, campaign_id: int) -> tuple[CampaignDetails, Progress]:
    """One of them, and how far it is: `waiting` is 0 when any of its contacts is ready. Raises `NotFound`."""
    details = campaigns.read(t, who, campaign_id)
    rows = t.connection.execute(sql.PROGRESS, (campaign_id,) * 4).fetchall()
    counts = {SubscriberStatus(status): subscribers for status, subscribers, *_ in rows if subscribers}
    ready_at, *held = rows[0][2:] if rows else (None, None, None)
    wait = CallerIdWaits(t.connection, assigning(t), [details.campaign]).of(details.campaign)
    return details, Progress.of(counts, from_column_or_none(ready_at), held, t.now, wait)


@reads
def last_end(t: Transaction, campaign_id: int) -> datetime | None:
    """When the last call of a campaign ended; None when none did."""
    (ended_at,) = t.connection.execute(sql.LAST_END, (campaign_id,)).fetchone()
    return from_column_or_none(ended_at)


async def _finished_at(management: Management, details: CampaignDetails, progress: Progress) -> datetime | None:
    """Read once: as long as no call is made and nobody comes or goes, it stays as it is."""
    campaign = details.campaign
    as_it_is = (campaign.next_call_at, tuple(progress.subscribers.items()))
    known = management.finished.get(campaign.id)
    if known is None or known[0] != as_it_is:
        known = as_it_is, await management.ask(last_end, campaign.id)
        if len(management.finished) >= MOST_FINISHED:
            management.finished.clear()
        management.finished[campaign.id] = known
    return known[1]
