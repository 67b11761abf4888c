"""Up to when an originate may be written: hours end while calls wait for their moment, or for a busy switch."""

from __future__ import annotations

from datetime import datetime

from dialer.campaigns.windows import open_until
from dialer.model import Campaign
from dialer.rules.book import LocatedCallee, RuleBook
from dialer.rules.decide import decide


def last_moment(book: RuleBook, callee: LocatedCallee, campaign: Campaign, now: datetime, latest: datetime) -> datetime | None:
    """The first moment after `now` at which the hours of the campaign or those of the callee's places are over, `latest` at
    most; None when they are over at `now`. Earlier attempts are not counted here: who begins the attempt does."""
    if not decide(book, callee, campaign, (), now).is_open:
        return None
    until = open_until(campaign, now, latest)
    if until is None or not book.rows or campaign.override:
        return until
    return book.applying(callee, campaign).hours.open_until(now, until)
