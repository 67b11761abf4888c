"""A call without a campaign: somebody who is called once, at a moment, through a gateway, with a voice application."""

from __future__ import annotations

import enum
from datetime import datetime

from attrs import frozen

from dialer.model.campaign import Campaign, CampaignStatus
from dialer.model.contact import Contact, SubscriberStatus
from dialer.model.flow import Disposition


class SingleCallState(enum.StrEnum):
    """Where a single call is, in words."""

    WAITING = "waiting"  # for its time, for a retry, or for the calling rules
    CALLING = "calling"
    RINGING = "ringing"
    ANSWERED = "answered"  # and not over
    COMPLETED = "completed"  # somebody was reached
    FAILED = "failed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"  # it may not be made: the do-not-call list, the lists of the user, the calling rules
    EXPIRED = "expired"  # it could not be made in its time


@frozen(kw_only=True)
class LastAttempt:
    """The newest attempt of a single call."""

    call_uuid: str
    gateway_id: int
    planned_at: datetime
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ring_ms: int | None = None
    talk_ms: int | None = None
    disposition: Disposition | None = None
    cause: str | None = None
    sip_status: int | None = None
    reason: str | None = None


_OVER = {
    SubscriberStatus.COMPLETE: SingleCallState.COMPLETED,
    SubscriberStatus.FAIL: SingleCallState.FAILED,
    SubscriberStatus.NOT_AUTHORISED: SingleCallState.BLOCKED,
}


@frozen(kw_only=True)
class SingleCall:
    """A call: its settings are those of a campaign, whose id it has, and of a contact. `status` is that of its subscriber,
    `requested` the one that a user asked for while it is live; `held_by` is why it waits, or is refused."""

    campaign: Campaign
    contact: Contact
    status: SubscriberStatus
    requested: SubscriberStatus | None = None
    ready_at: datetime | None = None
    count_attempt: int = 0
    held_by: str | None = None
    last: LastAttempt | None = None

    @property
    def id(self) -> int:
        """Its own, and that of its campaign."""
        return self.campaign.id

    @property
    def state(self) -> SingleCallState:
        """Where it is."""
        if self.status is SubscriberStatus.ABORT or self.requested is SubscriberStatus.ABORT:
            ended = self.campaign.status is CampaignStatus.END
            return SingleCallState.EXPIRED if ended else SingleCallState.CANCELLED
        if self.status is not SubscriberStatus.IN_PROCESS:
            return _OVER.get(self.status, SingleCallState.WAITING)
        if self.last is not None and self.last.answered_at is not None:
            return SingleCallState.ANSWERED
        if self.last is not None and self.last.rang_at is not None:
            return SingleCallState.RINGING
        return SingleCallState.CALLING

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status not in (SubscriberStatus.START, SubscriberStatus.PAUSE, SubscriberStatus.IN_PROCESS)

    @property
    def next_attempt_at(self) -> datetime | None:
        """When it is made at the earliest, while it waits."""
        if self.status is SubscriberStatus.PAUSE:
            return self.campaign.starting_at
        return self.ready_at if self.status is SubscriberStatus.START else None

    @property
    def reason(self) -> str | None:
        """Why it waits, was refused, or ended as it did; None when there is nothing to tell."""
        if self.held_by:
            return self.held_by
        if self.state is SingleCallState.BLOCKED:
            return "its number is on a do-not-call list, or not one that its user may call"
        return None if self.last is None else self.last.reason
