"""The hours of some rows in some time zones: open only while all rows are, by the clock of every zone.

Windows are what a wall clock shows: when clocks go forward, times that are skipped do not come; when they go back, an hour is
inside twice, or outside twice. All moments that come in or go out are aware; those that go out are in UTC.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from attrs import define, field

from dialer.campaigns.windows import change_of_clocks, moment_of
from dialer.rules.rows import ALL_DAY, RuleRow, Windows

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
DAYS_AHEAD: Final = 21
"""An opening that is further away than that is none: no place is closed for three weeks."""
_STEPS: Final = 200
SPANS: Final = 3
"""Answers that are kept: that of this minute, and those of the moments that attempts ask for."""
_SATURDAY, _SUNDAY = 5, 6


@lru_cache(maxsize=16_384)
def windows_on(row: RuleRow, day: date) -> Windows:
    """When a row allows calls on a day."""
    if not row.valid_on(day):
        return ALL_DAY
    usual = {_SATURDAY: row.saturday, _SUNDAY: row.sunday}.get(day.weekday(), row.weekday)
    found = row.holiday if row.holiday is not None and row.is_holiday(day) else usual
    return ALL_DAY if found is None else found


def row_is_open(row: RuleRow, local: datetime) -> bool:
    """Whether a row allows calls when a clock shows that."""
    minute = local.hour * 60 + local.minute
    return any(first <= minute < last for first, last in windows_on(row, local.date()))


@define(eq=False)
class Hours:
    """The hours of `rows` in `zones`. The last answers are kept: windows begin and end with a minute of every zone's clock, so
    one that was open is open for the rest of that minute, and one that is closed until a moment is so before that."""

    rows: tuple[RuleRow, ...]
    zones: tuple[str, ...]
    _clocks: tuple[ZoneInfo, ...] = field(init=False)
    _spans: deque[tuple[datetime, datetime, datetime | None]] = field(factory=lambda: deque(maxlen=SPANS), init=False)
    """From when on, until when, and when it opens: None for what is open."""

    def __attrs_post_init__(self) -> None:
        self.rows = tuple(row for row in self.rows if row.limits_hours)
        self._clocks = tuple(map(ZoneInfo, self.zones))

    def is_open(self, now: datetime) -> bool:
        """Whether calls may be made at `now`."""
        return self.opening(now) == now

    def opening(self, now: datetime) -> datetime | None:
        """The first moment from `now` on at which calls may be made, `now` itself when they may be; None when there is none
        in the next weeks."""
        if not self.rows:
            return now
        for begin, end, opening in self._spans:
            if begin <= now < end:
                return opening or now
        found = self._find(now)
        if found == now:
            self._spans.appendleft((now, now.replace(second=0, microsecond=0) + _MINUTE, None))
        elif found is not None:
            self._spans.appendleft((now, found, found))
        return found

    def open_until(self, now: datetime, latest: datetime) -> datetime:
        """The first moment from `now` on, at which calls may be made, at which they may not, `latest` at most."""
        at = now
        while (at := at.replace(second=0, microsecond=0) + _MINUTE) < latest:
            if self.opening(at) != at:
                return at
        return latest

    def closed(self, now: datetime) -> tuple[tuple[RuleRow, ...], tuple[str, ...]]:
        """The rows that forbid calls at `now` in some zone, and the zones in which some row does."""
        shown = [(zone, now.astimezone(clock)) for zone, clock in zip(self.zones, self._clocks, strict=True)]
        rows = tuple(row for row in self.rows if any(not row_is_open(row, local) for _, local in shown))
        return rows, tuple(zone for zone, local in shown if any(not row_is_open(row, local) for row in rows))

    def _find(self, now: datetime) -> datetime | None:
        """Each zone is asked for its next opening from the latest one of the others on, until all agree."""
        latest, at = now + DAYS_AHEAD * _DAY, now
        for _ in range(_STEPS):
            before = at
            for clock in self._clocks:
                found = self._opening_in(clock, at)
                if found is None or found > latest:
                    return None
                at = found
            if at == before:
                return at
        return None

    def _is_open_in(self, clock: ZoneInfo, at: datetime) -> bool:
        local = at.astimezone(clock)
        return all(row_is_open(row, local) for row in self.rows)

    def _opening_in(self, clock: ZoneInfo, since: datetime) -> datetime | None:
        if self._is_open_in(clock, since):
            return since
        return next((at for at in self._beginnings(clock, since) if at > since and self._is_open_in(clock, at)), None)

    def _beginnings(self, clock: ZoneInfo, since: datetime) -> Iterator[datetime]:
        """In order, the moments at which something may open: the starts of windows, both of one that comes twice, and the
        changes of clocks, which can jump into a window."""
        today = since.astimezone(clock).date()
        for ahead in range(DAYS_AHEAD + 2):
            day = today + ahead * _DAY
            starts = {first for row in self.rows for first, _ in windows_on(row, day)}
            moments = {moment_of(day, time(*divmod(first, 60)), clock, fold) for first in starts for fold in (0, 1)}
            midnight, next_midnight = (moment_of(each, time(), clock, 0) for each in (day, day + _DAY))
            change = change_of_clocks(midnight, next_midnight, clock)
            if change is not None:
                moments.add(change)
            yield from sorted(moments)
