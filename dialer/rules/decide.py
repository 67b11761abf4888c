"""The one function that says whether a contact may be called now, and its explanation.

Whoever asks, asks here: what picks contacts, what begins their attempts, what writes the originate, and what explains.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from attrs import frozen

from dialer.model import Campaign, Purpose
from dialer.rules.book import Applying, LocatedCallee, RuleBook
from dialer.rules.hours import DAYS_AHEAD
from dialer.rules.rows import RuleRow, span_text

_STEPS: Final = 50
_MOST_TOLD: Final = 3
"""Rows or zones that a sentence names."""


class Permission(enum.StrEnum):
    """Whether a contact may be called."""

    OPEN = "open"
    CLOSED = "closed"
    NEVER = "never"


@frozen(kw_only=True)
class EarlierCall:
    """An earlier attempt to the number, by any campaign of the installation: the last moment at which it can have been
    dialled, and whether it was answered."""

    at: datetime
    answered: bool = False


@frozen(kw_only=True)
class Obstacle:
    """A thing that stands in the way, by itself: a sentence, the rows that say so, and until when, None for ever."""

    text: str
    rows: tuple[RuleRow, ...] = ()
    until: datetime | None = None


@frozen(kw_only=True)
class Ruling:
    """The answer: open, closed until a moment from which on nothing known now stands in the way, or never."""

    permission: Permission
    until: datetime | None = None
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the call may be made now."""
        return self.permission is Permission.OPEN

    @property
    def text(self) -> str:
        """All that stands in the way; "" when nothing does."""
        return "; ".join(obstacle.text for obstacle in self.obstacles)


OPEN: Final = Ruling(permission=Permission.OPEN)


def decide(book: RuleBook, callee: LocatedCallee, campaign: Campaign, history: Sequence[EarlierCall], now: datetime) -> Ruling:
    """Whether the campaign may call somebody at `now`. `history` are the attempts to that number of the last
    `longest_memory` seconds, in any order."""
    if not book.rows or campaign.override:
        return OPEN
    found = book.applying(callee, campaign)
    hours = found.hours
    if hours.rows and not found.where.zones:
        return _never(f"its time zone is not known: {found.where.unknown}; set the time zone of the contact", hours.rows)
    opening = hours.opening(now)
    if opening is None:
        return _never(_no_common_hour(found, now), hours.closed(now)[0])
    counting = [row for row in found.valid(now) if row.counts] if history else []
    if opening == now and not counting:
        return OPEN
    obstacles = [] if opening == now else [_closed(found, now, opening)]
    obstacles += _counted(counting, history, now)
    if not obstacles:
        return OPEN
    until = _all_open(found, counting, history, opening)
    if until is None:
        return _never(_no_common_hour(found, now), found.rows)
    return Ruling(permission=Permission.CLOSED, until=until, obstacles=tuple(obstacles))


def longest_memory(book: RuleBook, callee: LocatedCallee, campaign: Campaign) -> int:
    """For how many seconds back the earlier attempts to a number matter; 0 when they do not."""
    if not book.rows or campaign.override:
        return 0
    spans = [0]
    for row in book.applying(callee, campaign).rows:
        spans += [cap.seconds for cap in row.attempts]
        spans.append(row.rest_after_answer)
    return max(spans)


def least_ring(book: RuleBook, callee: LocatedCallee, campaign: Campaign, now: datetime) -> int:
    """Seconds that a call to somebody rings at least."""
    if not book.rows or campaign.override:
        return 0
    return max((row.min_ring for row in book.applying(callee, campaign).valid(now)), default=0)


def least_ring_in(book: RuleBook, region: str, purpose: Purpose, now: datetime) -> RuleRow | None:
    """The row that asks for the longest ring in a country, whatever its states ask for; None when no row asks for one."""
    rows = (row for row in book.in_places((region,)) if row.valid_on(now.date()))
    meant = [row for row in rows if row.min_ring and (not row.purposes or purpose in row.purposes)]
    return max(meant, key=lambda row: row.min_ring, default=None)


def _never(text: str, rows: tuple[RuleRow, ...]) -> Ruling:
    return Ruling(permission=Permission.NEVER, obstacles=(Obstacle(text=text, rows=rows),))


def _no_common_hour(found: Applying, now: datetime) -> str:
    zones = found.hours.closed(now)[1] or found.where.zones
    return f"the hours of {_names(found.hours.rows)} leave no moment in {DAYS_AHEAD} days that is open in {_listed(zones)}"


def _closed(found: Applying, now: datetime, opening: datetime) -> Obstacle:
    """The obstacle of the hours, the same for everybody there for the rest of a minute."""
    minute = now.replace(second=0, microsecond=0)
    if found.told is None or found.told[0] != minute:
        found.told = minute, _told(found, now, opening)
    obstacle: Obstacle = found.told[1]
    return obstacle


def _told(found: Applying, now: datetime, opening: datetime) -> Obstacle:
    rows, zones = found.hours.closed(now)
    local = opening.astimezone(ZoneInfo(zones[0]))
    when = f"opens {local:%H:%M} {zones[0]} on {local:%A %Y-%m-%d}"
    return Obstacle(text=f"outside the hours of {_names(rows)} in {_listed(zones)}: {when}", rows=rows, until=opening)


def _counted(rows: Iterable[RuleRow], history: Sequence[EarlierCall], at: datetime) -> list[Obstacle]:
    """Those that earlier attempts make at a moment."""
    found = []
    newest = sorted((call.at for call in history), reverse=True)
    answered = max((call.at for call in history if call.answered), default=None)
    for row in rows:
        for cap in row.attempts:
            if len(newest) >= cap.most and (until := newest[cap.most - 1] + timedelta(seconds=cap.seconds)) > at:
                text = f"{cap.text} reached: {row.name}; the next is free on {_utc(until)}"
                found.append(Obstacle(text=text, rows=(row,), until=until))
        if answered is not None and row.rest_after_answer:
            until = answered + timedelta(seconds=row.rest_after_answer)
            if until > at:
                rest = span_text(row.rest_after_answer)
                text = f"rests for {rest} after an answered call: {row.name}; until {_utc(until)}"
                found.append(Obstacle(text=text, rows=(row,), until=until))
    return found


def _all_open(found: Applying, counting: Sequence[RuleRow], history: Sequence[EarlierCall], at: datetime) -> datetime | None:
    """The first moment from `at` on, which is inside the hours, at which nothing stands in the way."""
    for _ in range(_STEPS):
        waits = [each.until for each in _counted(counting, history, at) if each.until is not None]
        if not waits:
            return at
        opening = found.hours.opening(max(waits))
        if opening is None:
            return None
        at = opening
    return None


def _names(rows: Sequence[RuleRow]) -> str:
    return _listed([row.name for row in rows])


def _listed(words: Sequence[str]) -> str:
    known = list(dict.fromkeys(words))
    more = len(known) - _MOST_TOLD
    if more > 0:
        return f"{', '.join(known[:_MOST_TOLD])} and {more} more"
    return " and ".join(known)


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d at %H:%M:%S} UTC"
