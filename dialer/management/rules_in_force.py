"""The calling rules that hold for an installation, told to people and programs: their rows, and when a number may be called by
them. Earlier attempts and the settings of a campaign are looked at by `dialer.management.why`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from attrs import frozen

from dialer.model import Campaign, Purpose, VoipApp, VoipAppType
from dialer.numbering import Numbering, check_region
from dialer.numbers import parse_number
from dialer.rules.book import RuleBook
from dialer.rules.decide import decide
from dialer.rules.places import area_codes
from dialer.rules.rows import RuleRow, Windows, span_text, technology_of

ToldRow = Mapping[str, str]
"""A row as texts, by `COLUMNS`."""

COLUMNS = (
    "place",
    "name",
    "for",
    "weekday",
    "saturday",
    "sunday",
    "holiday",
    "holidays",
    "attempts",
    "rest_after_answer",
    "ring",
    "valid_from",
    "valid_to",
    "source",
    "read_on",
    "confidence",
    "note",
)


class Rulebook(Protocol):
    """What knows the rules: a management, or a configuration alone."""

    @property
    def rules(self) -> RuleBook: ...

    @property
    def numbering(self) -> Numbering: ...

    def now(self) -> datetime: ...


@frozen(kw_only=True)
class AskedNumber:
    """A number in any spelling, as a campaign with this purpose would call it at a moment, by default now. The contact is
    known to be in `time_zone`, "" where that is not known; with `prerecorded`, the campaign plays or speaks."""

    number: str
    at: datetime | None = None
    time_zone: str = ""
    purpose: Purpose = Purpose.SALES
    prerecorded: bool = False


@frozen
class _Asked:
    """The callee that is asked about."""

    identity: str
    time_zone: str


async def rows_of(here: Rulebook, place: str) -> list[ToldRow]:
    """The rows that hold, those of a country and its states where a place is named."""
    country = place.upper().partition("-")[0]
    return [told_row(row) for row in here.rules.rows if not country or row.place.partition("-")[0] == country]


async def rows_in(here: Rulebook, place: str) -> list[ToldRow]:
    """The rows that hold in a place, those that hold anywhere among them. Raises `BadValue` for what is no place."""
    wanted = place.upper()
    rows = here.rules.in_places((wanted,))
    if not rows and wanted not in {area.place for area in area_codes().values()}:
        check_region(wanted, "PLACE")
    return [told_row(row) for row in rows]


async def why(here: Rulebook, asked: AskedNumber) -> Mapping[str, Any]:
    """Whether a number may be called, and until when that holds: `ruling` is a word, `until` a moment or None; `unknown` says
    what is not known of where it is. Raises `BadValue` for what is no number."""
    now = asked.at or here.now()
    number = parse_number(asked.number, "number")
    callee = _Asked(here.numbering.identity(number), asked.time_zone)
    campaign = _campaign(asked, now)
    ruling = decide(here.rules, callee, campaign, (), now)
    found = here.rules.applying(callee, campaign)
    return {
        "number": number,
        "identity": callee.identity,
        "places": list(found.where.places),
        "time_zones": list(found.where.zones),
        "clocks": [f"{now.astimezone(ZoneInfo(zone)):%A %H:%M} {zone}" for zone in found.where.zones],
        "rows": [row.name for row in found.rows],
        "ruling": str(ruling.permission),
        "until": ruling.until,
        "text": ruling.text,
        "unknown": found.where.unknown,
        "technology": str(technology_of(campaign)),
    }


def told_row(row: RuleRow) -> ToldRow:
    """A row as texts; "" is what it does not limit."""
    meant = [*row.purposes, *([row.technology] if row.technology else [])]
    values = (
        row.place,
        row.name,
        ", ".join(meant),
        _windows(row.weekday),
        _windows(row.saturday),
        _windows(row.sunday),
        _windows(row.holiday),
        ", ".join(filter(None, [row.holidays or "", *map(str, row.more_holidays)])),
        ", ".join(cap.text for cap in row.attempts),
        span_text(row.rest_after_answer) if row.rest_after_answer else "",
        f"{row.min_ring} s" if row.min_ring else "",
        str(row.valid_from or ""),
        str(row.valid_to or ""),
        row.source,
        str(row.read_on),
        row.confidence,
        row.note,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _windows(windows: Windows | None) -> str:
    if windows is None:
        return ""
    return " ".join("-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in each) for each in windows) or "none"


def _campaign(asked: AskedNumber, now: datetime) -> Campaign:
    """A campaign that is open at all hours."""
    app = VoipApp(name="rules", type=VoipAppType.PLAY_AUDIO if asked.prerecorded else VoipAppType.DIAL)
    return Campaign(
        user_id=0, name="rules", starting_at=now, expires_at=now + timedelta(days=365), gateway_id=0, voip_app_id=0,
        voip_app=app, purpose=asked.purpose,
    )  # fmt: skip
