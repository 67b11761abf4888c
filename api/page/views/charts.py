"""What the pictures show: data as JSON in an attribute, which a script draws; the same stands in a table beside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from attrs import frozen

from api.page.rendering import text
from dialer.management.caller_ids import CallerIdDay
from dialer.management.minutes import MinuteCount
from dialer.model.statistics import CampaignStatistics, Sums

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MOST_HOURS: Final = 14 * 24
"""That are drawn, the newest."""
LEAST_HOURS: Final = 11
"""Before the newest, that are drawn whether there was anything or not."""


def hours_of(found: CampaignStatistics) -> str:
    """Attempts and answers of each hour, without gaps, as JSON."""
    hours = sorted(found.by_hour)
    if not hours:
        return ""
    last = hours[-1]
    first = max(min(hours[0], last - LEAST_HOURS * HOUR), last - MOST_HOURS * HOUR)
    moments = [first + step * HOUR for step in range((last - first) // HOUR + 1)]
    drawn = [found.by_hour.get(moment, Sums()) for moment in moments]
    attempts, answered = [each.attempts for each in drawn], [each.answered for each in drawn]
    return _picture(moments, HOUR, attempts, answered)


def days_of(found: Sequence[CallerIdDay]) -> str:
    """Calls and answers of each day from the oldest to the newest, without gaps, as JSON."""
    if not found:
        return ""
    by_day = {each.day: each.counts for each in found}
    first, last = min(by_day), max(by_day)
    days = [first + step * DAY for step in range((last - first) // DAY + 1)]
    counted = [by_day.get(day) for day in days]
    return _picture(
        [datetime.combine(day, time.min, UTC) for day in days],
        DAY,
        [each.used if each else 0 for each in counted],
        [each.answered if each else 0 for each in counted],
    )


def minutes_of(found: Sequence[MinuteCount], now: datetime) -> str:
    """Attempts and answers of each minute from the first one until now, without gaps, as JSON."""
    if not found:
        return ""
    by_minute = {each.at: each for each in found}
    first, last = found[0].at, now.replace(second=0, microsecond=0)
    moments = [first + step * MINUTE for step in range(max((last - first) // MINUTE, 0) + 1)]
    counted = [by_minute.get(moment) for moment in moments]
    return _picture(
        moments,
        MINUTE,
        [each.attempts if each else 0 for each in counted],
        [each.answered if each else 0 for each in counted],
    )


@frozen(kw_only=True)
class HourOfDay:
    """The calls of an hour of the day, of all days together: `part` is their number as a percentage of that of the busiest
    hour."""

    hour: int
    sums: Sums
    part: float


def hours_of_day(found: CampaignStatistics, zone: str) -> list[HourOfDay]:
    """The hours of the day with calls, by the clock of a zone."""
    clock = ZoneInfo(zone)
    by_hour: dict[int, list[Sums]] = {}
    for moment, sums in found.by_hour.items():
        by_hour.setdefault(moment.astimezone(clock).hour, []).append(sums)
    added = {hour: _added(some) for hour, some in sorted(by_hour.items())}
    most = max((sums.attempts for sums in added.values()), default=0)
    return [
        HourOfDay(hour=hour, sums=sums, part=round(100 * sums.attempts / most, 1) if most else 0)
        for hour, sums in added.items()
    ]


def _added(some: Sequence[Sums]) -> Sums:
    return Sums(
        attempts=sum(each.attempts for each in some),
        counted=sum(each.counted for each in some),
        answered=sum(each.answered for each in some),
        talk_ms=sum(each.talk_ms for each in some),
    )


_SHOWN: Final = {
    MINUTE: ("charts.minute", "{HH}:{mm}"),
    HOUR: ("campaign.hour", "{YYYY}-{MM}-{DD} {HH}:00"),
    DAY: ("charts.day", "{YYYY}-{MM}-{DD}"),
}
"""What a step is called, and how one is written, for uPlot."""


def _picture(moments: Sequence[datetime], step: timedelta, attempts: Sequence[int], answered: Sequence[int]) -> str:
    called, written = _SHOWN[step]
    data: dict[str, Any] = {
        "x": [int(moment.timestamp()) for moment in moments],
        "series": [
            {"label": text("campaign.attempts"), "color": "in-process", "values": attempts},
            {"label": text("overview.answered"), "color": "complete", "values": answered},
        ],
        "step": int(step.total_seconds()),
        "called": text(called),
        "written": written,
    }
    return orjson.dumps(data).decode()


SPARK: Final = (100, 24)
"""Width and height of a small line."""


def sparkline(parts: Sequence[float | None]) -> str:
    """The points of a small line through parts from 0 to 1, for SVG; those that are not known are left out. "" where there are
    not two."""
    known = [(place, part) for place, part in enumerate(parts) if part is not None]
    if len(known) < 2:
        return ""
    width, height = SPARK
    return " ".join(f"{place * width / (len(parts) - 1):.1f},{height - 2 - part * (height - 4):.1f}" for place, part in known)
