"""The calling rules: all rows with their sources, and whether a number may be called at a moment."""

from __future__ import annotations

from datetime import time
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.page.problems import label_of
from api.page.rendering import text
from api.page.routes import PageReply, Visit, shows
from api.page.views.rule_words import hours_in_words, limits_in_words, meant_for
from dialer.errors import BadValue
from dialer.kinds import Member
from dialer.management import calling_rules
from dialer.management.calling_rules import CampaignHours, NumberRuling, RuleEntry, RuleFilter
from dialer.model import Campaign, Purpose
from dialer.rules.places import place_names
from dialer.rules.rows import Technology
from dialer.time_kinds import DAYS, KnownZone, Moment

_KINDS: Final = {
    "at": Moment(),
    "time_zone": KnownZone(),
    "purpose": Member(Purpose),
    "technology": Member(Technology),
}
ASKED: Final = ("number", *_KINDS)
DAYS_LAST: Final = time(23, 59, 59)
"""Who writes this means the end of the day."""
MOST_PLACES: Final = 12
"""That are named."""


async def _list(visit: Visit) -> PageReply:
    everything = await visit.ask(calling_rules.listed, visit.who)
    countries = sorted({entry.row.place.partition("-")[0] for entry in everything})
    country = visit.query.get("country", "")
    found, flaw = everything, ""
    if country in countries:
        found = [entry for entry in everything if RuleFilter(country=country).wants(entry.row)]
    ruling = None
    if visit.query.get("number", "").strip():
        try:
            ruling = await visit.ask(calling_rules.of_number, visit.who, *_question(visit))
        except BadValue as error:
            flaw = text("problem.value", field=label_of(error.field), problem=error.problem)
    values: dict[str, Any] = {
        "found": [told_of(entry) for entry in found],
        "countries": countries,
        "country": country,
        "query": {name: visit.query.get(name, "") for name in ASKED},
        "purposes": list(Purpose),
        "technologies": list(Technology),
        "ruling": None if ruling is None else _told(ruling),
        "flaw": flaw,
    }
    return PageReply(template="rules.html", values=values, status=400 if flaw else 200)


def _question(visit: Visit) -> tuple[Any, ...]:
    """The number, and what `of_number` takes behind it. Raises `BadValue`."""
    given: dict[str, Any] = {"at": None, "time_zone": "", "purpose": Purpose.SALES, "technology": Technology.LIVE}
    for name, kind in _KINDS.items():
        if typed := visit.query.get(name, "").strip():
            try:
                given[name] = kind.parse(typed)
            except ValueError:
                raise BadValue(name, f"expected {kind.takes}") from None
    return visit.query["number"].strip(), *given.values()


def told_of(entry: RuleEntry) -> dict[str, Any]:
    """A row, for a template."""
    row = entry.row
    return {
        "row": row,
        "place": place_names().get(row.place, row.place),
        "hours": hours_in_words(row),
        "limits": limits_in_words(row),
        "meant_for": meant_for(row),
    }


def _told(found: NumberRuling) -> dict[str, Any]:
    at = found.question.at
    return {
        "ruling": found.ruling,
        "number": found.question.number,
        "at": at,
        "unknown": found.where.unknown,
        "places": _places(found.where.places),
        "clocks": [(zone, f"{at.astimezone(ZoneInfo(zone)):%A %H:%M}") for zone in found.where.zones],
        "rules": [told_of(entry) for entry in found.rules],
    }


def _places(places: tuple[str, ...]) -> str:
    names = [place_names().get(place, place) for place in places]
    more = [text("rules.more-places", count=len(names) - MOST_PLACES)] if len(names) > MOST_PLACES else []
    return ", ".join(names[:MOST_PLACES] + more)


async def hours_of_campaign(visit: Visit, campaign_id: int) -> dict[str, Any]:
    """What narrows the hours of a campaign, for its page."""
    found: CampaignHours = await visit.ask(calling_rules.of_campaign, visit.who, campaign_id)
    return {
        "own": own_hours(found.campaign),
        "override": found.campaign.override,
        "places": _places(found.narrowing.places),
        "unknown": found.narrowing.unknown,
        "rules": [told_of(entry) for entry in found.narrowing.rules],
    }


def own_hours(campaign: Campaign) -> str:
    """The hours of a campaign itself, in words."""
    days = [text(f"day.{day}") for day, flag in zip(DAYS, campaign.weekdays, strict=True) if flag]
    told = text("rules.all-days") if len(days) == len(DAYS) else ", ".join(days) or text("rules.no-day")
    first, last = (f"{clock:%H:%M:%S}".removesuffix(":00") for clock in (campaign.daily_start, campaign.daily_stop))
    if campaign.daily_stop >= DAYS_LAST:
        last = "24:00"
    return text("rules.own", days=told, first=first, last=last, zone=campaign.time_zone)


ROUTES: Final = (shows("rules", _list),)
