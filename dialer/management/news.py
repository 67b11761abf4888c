"""Events of what users do, written in the transaction of the use case."""

from __future__ import annotations

from typing import Any, Final

from dialer.management.management import Transaction
from dialer.model import CampaignStatus, EventKind
from dialer.store import events
from dialer.store.events import About

_OF_STATUS: Final = {
    CampaignStatus.START: EventKind.CAMPAIGN_STARTED,
    CampaignStatus.PAUSE: EventKind.CAMPAIGN_PAUSED,
    CampaignStatus.ABORT: EventKind.CAMPAIGN_ABORTED,
    CampaignStatus.END: EventKind.CAMPAIGN_ENDED,
}


def tell(t: Transaction, kind: EventKind, about: About, **facts: object) -> None:
    """Write an event, when somebody asks for its kind, or a page lists it."""
    if events.is_wanted(t.connection, kind, t.now):
        events.add(t.connection, kind, t.now, about, facts)


def campaign_created(t: Transaction, row: Any) -> None:
    """A campaign is new; one that is started at once was started, too."""
    about = About(user_id=row.user.id, campaign_id=row.id)
    tell(t, EventKind.CAMPAIGN_CREATED, about, name=row.name)
    if row.status == CampaignStatus.START:
        tell(t, EventKind.CAMPAIGN_STARTED, about, name=row.name)


def campaign_status(t: Transaction, row: Any, before: int) -> None:
    """A campaign may have another status than before."""
    if row.status != before:
        about = About(user_id=row.user.id, campaign_id=row.id)
        more = {"reason": ""} if row.status == CampaignStatus.PAUSE else {}
        tell(t, _OF_STATUS[CampaignStatus(row.status)], about, name=row.name, **more)
