"""When a campaign may come to its end: the calls that are left, at the pace of the last minutes, within its calling hours.

It is an estimate from what has happened: that contacts go on to be reached as they were, and calls to be made as fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from dialer.campaigns.windows import closing, next_opening, open_now
from dialer.model import Campaign, CampaignStatus, Progress, SubscriberStatus
from dialer.model.statistics import Forecast, NoEnd

RECENT: Final = timedelta(minutes=10)
"""The last minutes, whose pace is taken for that of the calls to come."""

LEAST: Final = timedelta(minutes=1)
"""A pace that was kept for a shorter time says nothing."""

WEEK: Final = timedelta(days=7)


@frozen(kw_only=True)
class Course:
    """How a campaign has gone: attempts that have ended, calls begun within `RECENT` with the begin of the first of them, and
    when the last of the contacts that are pending is due."""

    ended: int
    recent_calls: int
    recent_since: datetime | None
    last_ready_at: datetime | None


def forecast(campaign: Campaign, progress: Progress, course: Course, now: datetime) -> Forecast:
    """When its last call may begin. `progress` has `waiting` 0 when any contact is ready."""
    pending = progress.subscribers.get(SubscriberStatus.START, 0)
    called = progress.subscribers.get(SubscriberStatus.IN_PROCESS, 0)
    each = _calls_for_one(campaign, progress, course.ended)
    calls = round(pending * each + called * (each - 1))
    pace = _pace(campaign, progress, course, now)
    ends_at, reason = None, None
    if not pending and not called:
        reason = NoEnd.DONE
    elif campaign.status is not CampaignStatus.START:
        reason = NoEnd.NOT_STARTED
    else:
        ends_at = _end(campaign, calls / pace * 60, course.last_ready_at, now)
        reason = NoEnd.EXPIRES if ends_at is None else None
    return Forecast(contacts_left=pending + called, calls_left=calls, calls_per_minute=pace, ends_at=ends_at, reason=reason)


def _calls_for_one(campaign: Campaign, progress: Progress, ended: int) -> float:
    """A contact is called until a call settles it or no attempt is left: a call settles one as often as it did so far."""
    if not ended:
        return 1.0
    done = sum(progress.subscribers.get(status, 0) for status in (SubscriberStatus.COMPLETE, SubscriberStatus.FAIL))
    most, settles = 1 + campaign.max_retry, min(done / ended, 1.0)
    return float(most) if not settles else (1 - (1 - settles) ** most) / settles


def _pace(campaign: Campaign, progress: Progress, course: Course, now: datetime) -> float:
    """Calls per minute: as of late, where contacts were ready and calls allowed; else as it may."""
    since = course.recent_since
    if since is None or now - since < LEAST or progress.waiting or not open_now(campaign, now):
        return float(campaign.frequency)
    return min(course.recent_calls / ((now - since) / timedelta(minutes=1)), float(campaign.frequency))


def _end(campaign: Campaign, seconds: float, last_ready_at: datetime | None, now: datetime) -> datetime | None:
    """The moment at which it will have called for so many seconds, but not before the last contact is due; None when it
    expires before."""
    found = after_calling(campaign, now, seconds)
    if found is None or last_ready_at is None or last_ready_at <= found:
        return found
    return next_opening(campaign, last_ready_at)


def after_calling(campaign: Campaign, start: datetime, seconds: float) -> datetime | None:
    """The moment at which the campaign, from `start` on, has been open for so many seconds; None when it expires before. Weeks
    are taken for alike, so that a change of clocks in a week that is skipped may cost an hour."""
    opening = next_opening(campaign, start)
    if opening is None or seconds > (campaign.expires_at - opening).total_seconds():
        return None
    left, of_a_week = timedelta(seconds=seconds), timedelta()
    for begin, end in _spans(campaign, opening, opening + WEEK):
        if begin + left <= end:
            return _unless_expired(campaign, begin + left)
        left -= end - begin
        of_a_week += end - begin
    weeks = max(-(-left // of_a_week), 1)
    if weeks > (campaign.expires_at - opening) // WEEK:
        return None
    left -= (weeks - 1) * of_a_week
    at = opening + weeks * WEEK
    for begin, end in _spans(campaign, at, campaign.expires_at):
        if begin + left <= end:
            return _unless_expired(campaign, begin + left)
        left -= end - begin
    return None


def _unless_expired(campaign: Campaign, at: datetime) -> datetime | None:
    return at if at < campaign.expires_at else None


def _spans(campaign: Campaign, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When it is open between the two."""
    at: datetime = since
    while at < until:
        opening = next_opening(campaign, at)
        if opening is None or opening >= until:
            return
        closes = closing(campaign, opening)
        at = until if closes is None else min(closes, until)
        yield opening, at
