"""`rules`: the calling rules in force, with their sources; what holds for a number, and what narrows a campaign's hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from twisted.internet.defer import Deferred

from api.v2.attributes import Attribute, answer
from api.v2.pages import Page, page_of
from api.v2.routes import Asked, Route
from api.v2.shapes import Schema, shown_moment
from dialer.kinds import Member, Text
from dialer.management import calling_rules
from dialer.management.calling_rules import CampaignHours, NumberRuling, RuleEntry, RuleFilter
from dialer.model import Purpose, Scope
from dialer.rules.decide import Permission
from dialer.rules.places import place_names
from dialer.rules.rows import RuleRow, Technology, Windows, shown_windows
from dialer.time_kinds import DAYS, KnownZone, Moment

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "integer"}
_DATE: Final[Schema] = {"type": "string", "format": "date"}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}


def _or_none(schema: Schema, doc: str) -> Schema:
    return {"anyOf": [schema, {"type": "null"}], "description": doc}


def _list_of(schema: Schema, doc: str) -> Schema:
    return {"type": "array", "items": schema, "description": doc}


def _hours_of(days: str) -> Schema:
    return _or_none(
        {"type": "array", "items": {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"}},
        f"when calls may be made on {days}, by the clock there; empty: not at all; null: at any time",
    )


def _windows(windows: Windows | None) -> list[str] | None:
    return None if windows is None else shown_windows(windows)


def _shown(entry: RuleEntry) -> dict[str, Any]:
    row: RuleRow = entry.row
    return {
        "id": entry.id,
        "place": row.place,
        "place_name": place_names().get(row.place),
        "name": row.name,
        "purposes": [str(each) for each in row.purposes],
        "technology": None if row.technology is None else str(row.technology),
        "valid_from": None if row.valid_from is None else row.valid_from.isoformat(),
        "valid_to": None if row.valid_to is None else row.valid_to.isoformat(),
        "weekday": _windows(row.weekday),
        "saturday": _windows(row.saturday),
        "sunday": _windows(row.sunday),
        "holiday": _windows(row.holiday),
        "holidays": row.holidays,
        "more_holidays": [day.isoformat() for day in row.more_holidays],
        "attempts": [{"most": cap.most, "seconds": cap.seconds} for cap in row.attempts],
        "rest_after_answer": row.rest_after_answer,
        "min_ring": row.min_ring,
        "source": row.source,
        "read_on": row.read_on.isoformat(),
        "confidence": row.confidence,
        "note": row.note,
    }


_CAP: Final = answer("AttemptCap", "So many attempts within any such span.", {"most": _NUMBER, "seconds": _NUMBER}, dict)
RULE: Final = answer(
    "Rule",
    "A row of the calling rules, with its source. It is no legal advice.",
    {
        "id": {**_NUMBER, "description": "its place among the rules; it may have another one when these change"},
        "place": {**_TEXT, "description": "a country such as FR, a state such as US-FL, or * for every number"},
        "place_name": _or_none(_TEXT, "the name of a state or a country of North America"),
        "name": _TEXT,
        "purposes": _list_of({"enum": [str(each) for each in Purpose]}, "those of the campaigns it holds for; empty: all"),
        "technology": {"enum": [*(str(each) for each in Technology), None], "description": "null: both"},
        "valid_from": _or_none(_DATE, "the first day, by the clock there"),
        "valid_to": _or_none(_DATE, "the last day"),
        "weekday": _hours_of("Mondays to Fridays"),
        "saturday": _hours_of("Saturdays"),
        "sunday": _hours_of("Sundays"),
        "holiday": {**_hours_of("holidays"), "description": "the same on holidays; null: as on other days"},
        "holidays": _or_none(_TEXT, "the list of its holidays, of the package holidays"),
        "more_holidays": _list_of(_DATE, "further days"),
        "attempts": _list_of(_CAP.schema, "at most so many to a number, by all campaigns"),
        "rest_after_answer": {**_NUMBER, "description": "seconds after an answered call"},
        "min_ring": {**_NUMBER, "description": "seconds that a call rings at least"},
        "source": _TEXT,
        "read_on": {**_DATE, "description": "when its source was read"},
        "confidence": {"type": "string", "enum": ["high", "medium", "low"]},
        "note": _TEXT,
    },
    _shown,
)

_PLACE: Final = answer("NumberPlace", "A place in which a number may be.", {"place": _TEXT, "name": _or_none(_TEXT, "")}, dict)
_CLOCK: Final = answer(
    "NumberClock", "What a clock there shows.", {"time_zone": _TEXT, "shows": {**_TEXT, "description": "without offset"}}, dict
)
_OBSTACLE: Final = answer(
    "RuleObstacle",
    "Something in the rules that stands in the way of a call.",
    {
        "text": _TEXT,
        "until": _or_none(_MOMENT, "null: for ever"),
        "rule_ids": _list_of(_NUMBER, "the rules that say so"),
    },
    dict,
)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else shown_moment(at)


def _places(places: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{"place": place, "name": place_names().get(place)} for place in places]


def _told(found: NumberRuling) -> dict[str, Any]:
    question, where, ruling = found.question, found.where, found.ruling
    return {
        "number": question.number,
        "identity": question.identity,
        "at": shown_moment(question.at),
        "purpose": str(question.purpose),
        "technology": str(question.technology),
        "places": _places(where.places),
        "clocks": [
            {"time_zone": zone, "shows": question.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S")}
            for zone in where.zones
        ],
        "unknown": where.unknown or None,
        "permission": str(ruling.permission),
        "until": _moment(ruling.until),
        "obstacles": [
            {"text": each.text, "until": _moment(each.until), "rule_ids": found.ids_of(each.rows)} for each in ruling.obstacles
        ],
        "min_ring": found.min_ring,
        "rules": [_shown(entry) for entry in found.rules],
    }


WHEREABOUTS: Final = answer(
    "NumberRuling",
    "Where a number may be, which rules hold there for such a call, and whether their hours allow it at the moment.",
    {
        "number": _TEXT,
        "identity": _TEXT,
        "at": _MOMENT,
        "purpose": {"type": "string", "enum": [str(each) for each in Purpose]},
        "technology": {"type": "string", "enum": [str(each) for each in Technology]},
        "places": _list_of(_PLACE.schema, "the places in which it may be: all of their rules hold"),
        "clocks": _list_of(_CLOCK.schema, "of the zones in which it may be: it is called while all of them are open"),
        "unknown": _or_none(_TEXT, "why its place or its clock is not known"),
        "permission": {"type": "string", "enum": [str(each) for each in Permission]},
        "until": _or_none(_MOMENT, "when it opens, where it is closed"),
        "obstacles": _list_of(_OBSTACLE.schema, "what forbids the call at the moment"),
        "min_ring": {**_NUMBER, "description": "seconds that the call rings at least"},
        "rules": _list_of(RULE.schema, "those that are valid at the moment, and meant for such a call"),
    },
    _told,
)


def _narrowing(found: CampaignHours) -> dict[str, Any]:
    campaign, narrowing = found.campaign, found.narrowing
    return {
        "campaign_id": campaign.id,
        "purpose": str(campaign.purpose),
        "override": campaign.override or None,
        "time_zone": campaign.time_zone,
        "daily_start": campaign.daily_start.isoformat("seconds"),
        "daily_stop": campaign.daily_stop.isoformat("seconds"),
        "weekdays": [day for day, flag in zip(DAYS, campaign.weekdays, strict=True) if flag],
        "places": _places(narrowing.places),
        "unknown": narrowing.unknown,
        "rules": [_shown(entry) for entry in narrowing.rules],
    }


NARROWING: Final = answer(
    "CampaignHours",
    "The hours of a campaign, and the rules by which its contacts are called more narrowly.",
    {
        "campaign_id": _NUMBER,
        "purpose": {"type": "string", "enum": [str(each) for each in Purpose]},
        "override": _or_none(_TEXT, "why the rules do not hold for it; null: they hold"),
        "time_zone": _TEXT,
        "daily_start": _TEXT,
        "daily_stop": _TEXT,
        "weekdays": _list_of({"enum": list(DAYS)}, "the days on which it calls"),
        "places": _list_of(_PLACE.schema, "those in which its contacts may be, by their numbers"),
        "unknown": {
            **_NUMBER,
            "description": "beginnings of its contacts' numbers whose clock is not known, in places with hours",
        },
        "rules": _list_of(RULE.schema, "those that hold there today"),
    },
    _narrowing,
)

FILTERS: Final = (
    Attribute(name="country", kind=Text(6, 1), doc="those of this country and its states, such as US"),
    Attribute(name="place", kind=Text(6, 1), doc="those that hold in this place, its country's included, such as US-FL"),
    Attribute(name="at", kind=Moment(), doc="those that are valid on the day of this moment, in UTC"),
    Attribute(name="purpose", kind=Member(Purpose), doc="those that hold for campaigns of this purpose"),
)
QUESTION: Final = (
    Attribute(name="number", kind=Text(64, 1), doc="a number in any spelling", required=True),
    Attribute(name="at", kind=Moment(), doc="the moment of the call (RFC 3339); now, unless it is given"),
    Attribute(name="time_zone", kind=KnownZone(), doc="where the contact is known to be", default=""),
    Attribute(name="purpose", kind=Member(Purpose), doc="the reason for the call", default=Purpose.SALES),
    Attribute(
        name="technology",
        kind=Member(Technology),
        doc="the voice that is heard first: prerecorded, where the campaign plays or speaks",
        default=Technology.LIVE,
    ),
)


def _list(asked: Asked) -> Deferred[Any]:
    """The calling rules in force, with their sources."""
    given = {name: asked.query[name] for name in ("country", "place", "purpose") if name in asked.query}
    day = asked.query["at"].date() if "at" in asked.query else None
    return asked.ask(calling_rules.listed, asked.who, RuleFilter(day=day, **given), asked.after or 0, asked.limit)


def _whereabouts(asked: Asked) -> Deferred[Any]:
    """Where a number may be, which rules hold there, whether they allow a call at a moment, and when they do."""
    query = asked.query
    more = (query.get("at"), query["time_zone"], query["purpose"], query["technology"])
    return asked.ask(calling_rules.of_number, asked.who, query.get("number", ""), *more)


def _of_campaign(asked: Asked) -> Deferred[Any]:
    """The hours of a campaign, and the rules that narrow them for its contacts."""
    return asked.ask(calling_rules.of_campaign, asked.who, asked.path["campaign_id"])


ROUTES: Final = (
    Route(
        method="GET",
        path="rules",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(RULE),
        page=Page(place=lambda entry: entry.id),
        parameters=FILTERS,
    ),
    Route(
        method="GET",
        path="rules/whereabouts",
        scope=Scope.READ,
        serve=_whereabouts,
        answer=WHEREABOUTS,
        parameters=QUESTION,
    ),
    Route(method="GET", path="campaigns/<campaign_id>/rules", scope=Scope.READ, serve=_of_campaign, answer=NARROWING),
)
