"""`dialer rules`: the calling rules that hold, and when a number may be called by them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from attrs import frozen

from dialer.cli.frame import find_config, works_at_a_distance
from dialer.cli.showing import Shown, option_of_json, print_all, print_json, print_one
from dialer.config import load_config
from dialer.errors import BadValue
from dialer.management import calling_rules
from dialer.model import Purpose
from dialer.model.user import ADMINISTRATOR
from dialer.numbering import Numbering, check_region, numbering
from dialer.numbers import parse_number
from dialer.rule_files import own_rows, rule_book
from dialer.rules.book import RuleBook
from dialer.rules.lookup import NumberRuling, RuleEntry, RuleFilter, RuleQuestion, entries, rule_on
from dialer.rules.places import place_names
from dialer.rules.rows import RuleRow, Technology, Windows, shown_windows, span_text
from dialer.settings import RulesSettings
from dialer.time_kinds import KnownZone, Moment
from dialer.wall_clock import utc_now

EXIT_OPEN = 0
EXIT_CLOSED = 1
_COLUMNS = ("place", "name", "for", "weekday", "saturday", "sunday", "holiday", "attempts", "ring", "confidence")


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "rules",
        help="the calling rules: hours, holidays, attempts, ring",
        description="The calling rules of the places that are called, by the configuration; without one, those that come with "
        "the dialer.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the rows that hold")
    listing.add_argument("place", metavar="PLACE", nargs="?", default="", help="those of a country, such as FR")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="show all rows of a place in full, with their sources")
    showing.add_argument("place", metavar="PLACE", help="a country such as FR, or a state such as US-FL")
    showing.set_defaults(run=_show)
    why = actions.add_parser(
        "why",
        help="tell whether a number may be called, and when",
        description="Tells where a number is, which rows hold, and whether it may be called by their hours. Earlier attempts "
        "and the settings of a campaign are looked at by `dialer why CAMPAIGN NUMBER`.",
        epilog="Exit status: 0 it may be called; 1 it may not; 2 wrong usage or configuration.",
    )
    why.add_argument("number", metavar="NUMBER", help="a number in whatever spelling")
    why.add_argument("--at", metavar="MOMENT", default="", help="such as 2027-03-01T09:00:00+01:00 (default: now)")
    why.add_argument("--time-zone", metavar="ZONE", default="", help="where the contact is known to be")
    why.add_argument(
        "--purpose", choices=[each.value for each in Purpose], default=Purpose.SALES.value, help="of the campaign"
    )
    why.add_argument("--prerecorded", action="store_true", help="the campaign plays or speaks")
    why.set_defaults(run=_why)
    for each in (listing, showing, why):
        option_of_json(each)
        works_at_a_distance(each)


@frozen
class _Rules:
    """The book, and how numbers are read; `told` says where the rows come from."""

    book: RuleBook
    numbering: Numbering
    told: str


def _rules(arguments: argparse.Namespace) -> _Rules:
    """Those of the configuration that is named or found. Raises `BadValue` for one that is wrong."""
    path: Path | None = arguments.config
    if path is None:
        try:
            path = find_config(os.environ)
        except BadValue:
            if os.environ.get("DIALER_CONFIG"):
                raise
            settings = RulesSettings()
            return _Rules(rule_book(settings, Path()), numbering(), "no configuration: the rules that are shipped")
    config = load_config(path)
    folder = path.absolute().parent
    region = check_region(config.numbers.region, "numbers.region")
    told = f'{path}: rules.apply is "{config.rules.apply}"'
    if config.rules.file:
        replaced = "".join(
            f"; those of {each.place} are replaced: {each.reason}" for each in own_rows(config.rules, folder)[1]
        )
        told += f", with {config.rules.file}{replaced}"
    return _Rules(rule_book(config.rules, folder), numbering(region, config.numbers.emergency), told)


def _wanted(arguments: argparse.Namespace, wanted: RuleFilter) -> tuple[Sequence[RuleEntry], str]:
    """The rows that are wanted, and where they come from. Raises `BadValue` (PLACE)."""
    try:
        if arguments.server is not None:
            return _asked_there(arguments, calling_rules.listed, wanted), f"{arguments.server}: the rules in force"
        rules = _rules(arguments)
        return entries(rules.book, wanted), rules.told
    except BadValue as error:
        raise (BadValue("PLACE", error.problem) if error.field in ("country", "place") else error) from None


def _asked_there(arguments: argparse.Namespace, use_case: Callable[..., Any], *args: Any) -> Any:
    asked_there = import_module("dialer.cli.remote").asked_there
    return asked_there(arguments, lambda management: management.ask(use_case, ADMINISTRATOR, *args))


def _list(arguments: argparse.Namespace) -> int:
    place = arguments.place.upper().partition("-")[0]
    found, told = _wanted(arguments, RuleFilter(country=place))
    shown = [_shown(entry.row) for entry in found]
    if arguments.json:
        print_json(shown)
        return EXIT_OPEN
    print(told)
    if shown:
        print_all(_COLUMNS, shown)
    else:
        print(f"no row{f' of {place}' if place else ''}")
    return EXIT_OPEN


def _show(arguments: argparse.Namespace) -> int:
    place, known = arguments.place.upper(), place_names()
    if place not in known:
        check_region(place.partition("-")[0], "PLACE")
    found, _ = _wanted(arguments, RuleFilter(place=place))
    shown = [_shown(entry.row) for entry in found]
    if arguments.json:
        print_json(shown)
        return EXIT_OPEN
    if not shown:
        print(f"no rule holds in {known.get(place, place)}")
    for number, entry in enumerate(shown):
        if number:
            print()
        print_one({name: value for name, value in entry.items() if value})
    return EXIT_OPEN


def _shown(row: RuleRow) -> Shown:
    meant = [*row.purposes, *([row.technology] if row.technology else [])]
    return {
        "place": row.place,
        "name": row.name,
        "for": ", ".join(meant),
        "weekday": _windows(row.weekday),
        "saturday": _windows(row.saturday),
        "sunday": _windows(row.sunday),
        "holiday": _windows(row.holiday),
        "holidays": ", ".join(filter(None, [row.holidays or "", *map(str, row.more_holidays)])),
        "attempts": ", ".join(cap.text for cap in row.attempts),
        "rest_after_answer": span_text(row.rest_after_answer) if row.rest_after_answer else "",
        "ring": f"{row.min_ring} s" if row.min_ring else "",
        "valid_from": str(row.valid_from or ""),
        "valid_to": str(row.valid_to or ""),
        "source": row.source,
        "read_on": str(row.read_on),
        "confidence": row.confidence,
        "note": row.note,
    }


def _windows(windows: Windows | None) -> str:
    if windows is None:
        return ""
    return " ".join(shown_windows(windows)) or "none"


def _why(arguments: argparse.Namespace) -> int:
    found = _ruling(arguments)
    question, where, ruling = found.question, found.where, found.ruling
    document = {
        "number": question.number,
        "identity": question.identity,
        "places": where.places,
        "time_zones": where.zones,
        "clocks": tuple(f"{question.at.astimezone(ZoneInfo(zone)):%A %H:%M} {zone}" for zone in where.zones),
        "rows": tuple(entry.row.name for entry in found.rules),
        "ruling": str(ruling.permission),
        "until": ruling.until,
        "text": ruling.text,
    }
    if arguments.json:
        print_json(document)
    else:
        print("\n".join(_sentences(document, found)))
    return EXIT_OPEN if ruling.is_open else EXIT_CLOSED


def _ruling(arguments: argparse.Namespace) -> NumberRuling:
    at, zone, purpose = _moment(arguments.at), _zone(arguments.time_zone), Purpose(arguments.purpose)
    technology = Technology.PRERECORDED if arguments.prerecorded else Technology.LIVE
    number = parse_number(arguments.number, "NUMBER")
    if arguments.server is not None:
        found: NumberRuling = _asked_there(arguments, calling_rules.of_number, number, at, zone, purpose, technology)
        return found
    rules = _rules(arguments)
    identity = rules.numbering.identity(number)
    question = RuleQuestion(number=number, identity=identity, at=at, time_zone=zone, purpose=purpose, technology=technology)
    return rule_on(rules.book, question)


def _sentences(told: Shown, found: NumberRuling) -> Iterator[str]:
    names, unknown = place_names(), found.where.unknown
    places = ", ".join(names.get(place, place) for place in told["places"][:5]) or "no place that is known"
    yield f"{told['number']} ({told['identity']}): {places}{f' and more; {unknown}' if len(told['places']) > 5 else ''}"
    yield f"clocks there: {', '.join(told['clocks']) or f'none is known: {unknown}'}"
    meant = f"{found.question.purpose}, {found.question.technology}"
    yield f"rows for {meant}: {', '.join(told['rows']) or 'none'}"
    until = "" if told["until"] is None else f" until {told['until']:%Y-%m-%d %H:%M:%S} UTC"
    yield f"{told['ruling']}{until}{': ' if told['text'] else ''}{told['text']}"


def _moment(text: str) -> datetime:
    try:
        moment: datetime = Moment().parse(text) if text else utc_now()
    except ValueError:
        raise BadValue("--at", f"expected {Moment.takes}") from None
    return moment


def _zone(text: str) -> str:
    try:
        return KnownZone().parse(text)
    except ValueError:
        raise BadValue("--time-zone", f"expected {KnownZone.takes}") from None
