"""When a campaign may call: between its start and its expiry, on its weekdays, inside its daily window.

The daily window is what a wall clock in the campaign's time zone shows, since that is what laws on calling hours speak of:

- It begins at `daily_start`, which is inside, and ends at `daily_stop`, which is outside. 23:59:59 is the end of the day: who
  writes 00:00:00 to 23:59:59 means the whole day, without a hole of a second at midnight.
- A window whose stop lies before its start crosses midnight and belongs to the weekday on which it began.
- A start equal to the stop is a window of 24 hours from that time on, beginning on each of the weekdays.
- When clocks go forward, times that are skipped do not come; when they go back, an hour is inside twice, or outside twice.

All moments that come in or go out are aware; those that go out are in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.errors import BadValue
from dialer.model import Campaign

END_OF_DAY = time(23, 59, 59)
_DAY = timedelta(days=1)
_DAYS_AHEAD = 8
"""A weekday comes again after 7 days; one more for a window that a change of clocks swallows."""


def time_zone(name: str, field: str = "time_zone") -> ZoneInfo:
    """The zone of that IANA name. Raises `BadValue` when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; not even a name; a folder of names
        raise BadValue(field, f"{name[:60]!r} is not a time zone; expected a name such as Europe/Berlin") from None


def open_now(campaign: Campaign, now: datetime) -> bool:
    """Whether the campaign's dates and hours allow calls at `now`. Its status is not looked at."""
    return campaign.starting_at <= now < campaign.expires_at and in_daily_window(campaign, now)


def open_until(campaign: Campaign, now: datetime, latest: datetime) -> datetime | None:
    """The first moment after `now` at which the campaign is not open any more, `latest` at most; None when it is not open at
    `now`. For a `latest` that is seconds away."""
    if not open_now(campaign, now):
        return None
    until = min(latest, campaign.expires_at)
    if in_daily_window(campaign, until) and _shortest_pause(campaign) > until - now:
        return until
    closes = closing(campaign, now)
    return until if closes is None else min(until, closes)


def _shortest_pause(campaign: Campaign) -> timedelta:
    """Between the end of a daily window and the beginning of the next one, where no change of clocks falls into it; a day
    where there is none but on days without a window."""
    start, stop = campaign.daily_start, campaign.daily_stop
    if start < stop and stop >= END_OF_DAY:
        stop = time()
    first, last = (timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) for at in (start, stop))
    return (first - last) % _DAY or _DAY


def in_daily_window(campaign: Campaign, now: datetime) -> bool:
    """Whether the weekday and the hour allow calls at `now`, whatever the start and the expiry."""
    local = now.astimezone(ZoneInfo(campaign.time_zone))
    clock, weekday = local.time(), local.weekday()
    start, stop = campaign.daily_start, campaign.daily_stop
    if start < stop:
        return campaign.weekdays[weekday] and start <= clock and (clock < stop or stop >= END_OF_DAY)
    return (campaign.weekdays[weekday] and clock >= start) or (campaign.weekdays[weekday - 1] and clock < stop)


def next_opening(campaign: Campaign, now: datetime) -> datetime | None:
    """The first moment from `now` on at which the campaign is open, `now` itself when it is; None when there is none before
    the expiry."""
    earliest = max(now, campaign.starting_at).astimezone(UTC)
    if in_daily_window(campaign, earliest):
        opening = earliest
    else:
        zone = ZoneInfo(campaign.time_zone)
        candidates = (at for at in _turns((campaign.daily_start,), zone, earliest) if at >= earliest)
        found = next((at for at in candidates if in_daily_window(campaign, at)), None)
        if found is None:
            return None
        opening = found
    return opening if opening < campaign.expires_at else None


def closing(campaign: Campaign, now: datetime) -> datetime | None:
    """The first moment after `now`, at which the daily window is open, at which it is not, whatever the expiry; None when it
    never closes."""
    moments = _turns((time(), campaign.daily_start, campaign.daily_stop), ZoneInfo(campaign.time_zone), now)
    return next((at for at in moments if at > now and not in_daily_window(campaign, at)), None)


def _turns(clocks: tuple[time, ...], zone: ZoneInfo, since: datetime) -> Iterator[datetime]:
    """In order, the moments at which a window may begin or end: those times of each day, both of them where one comes twice,
    and the changes of clocks, which can jump into a window or out of one."""
    today = since.astimezone(zone).date()
    for ahead in range(-1, _DAYS_AHEAD + 1):
        day = today + ahead * _DAY
        moments = {moment_of(day, clock, zone, fold) for clock in clocks for fold in (0, 1)}
        change = change_of_clocks(moment_of(day, time(), zone, 0), moment_of(day + _DAY, time(), zone, 0), zone)
        if change is not None:
            moments.add(change)
        yield from sorted(moments)


def moment_of(day: date, clock: time, zone: ZoneInfo, fold: int) -> datetime:
    """When a clock in the zone shows that; `fold` 1 is the second time, where it comes twice."""
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)


def change_of_clocks(begin: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The second in (begin, end] from which on the offset is the one at `end`; None when it does not change."""
    before, after = _offset(begin, zone), _offset(end, zone)
    if before == after:
        return None
    low, high = 0, int((end - begin).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(begin + timedelta(seconds=middle), zone) == after:
            high = middle
        else:
            low = middle
    return begin + timedelta(seconds=high)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
