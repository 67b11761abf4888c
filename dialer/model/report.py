"""What is told of a campaign and of its contacts beside what they are."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from dialer.model.campaign import CampaignDetails
from dialer.model.contact import Progress, Subscriber
from dialer.model.flow import Disposition
from dialer.model.idle import BlockedContacts, IdleReason


@frozen(kw_only=True)
class CampaignReport:
    """A campaign as it is now, with what it refers to. `live_calls` are those under way; `reason` is None when nothing keeps
    it from calling, or nobody here makes calls; `finished_at` is the end of its last call when nobody is left to call, None
    before, and when nobody was ever called; `blocked` are the contacts that may not be called, where somebody
    asked for them."""

    details: CampaignDetails
    progress: Progress
    live_calls: int
    reason: IdleReason | None
    finished_at: datetime | None
    blocked: tuple[BlockedContacts, ...] = ()


@frozen(kw_only=True)
class SubscriberReport:
    """A contact in a campaign, and its last attempt: `disposition` and `reason` are None while that is open, and when there is
    none. `next_attempt_at` is when it is called again at the earliest; None when it is not waiting."""

    subscriber: Subscriber
    disposition: Disposition | None
    reason: str | None
    next_attempt_at: datetime | None
