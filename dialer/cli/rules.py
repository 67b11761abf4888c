"""`dialer rules`: the calling rules that hold, and when a number may be called by them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from attrs import frozen

from dialer.cli.frame import find_config, works_at_a_distance
from dialer.cli.showing import Shown, option_of_json, print_all, print_json, print_one
from dialer.config import load_config
from dialer.errors import BadValue
from dialer.management import rules_in_force
from dialer.management.rules_in_force import AskedNumber, ToldRow
from dialer.model import Purpose
from dialer.numbering import Numbering, check_region, numbering
from dialer.rule_files import own_rows, rule_book
from dialer.rules.book import RuleBook
from dialer.rules.decide import Permission
from dialer.rules.places import area_codes
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
class ConfiguredRules:
    """Stands for a management where no database is needed: the book, and how numbers are read; `told` says where the rows come
    from."""

    rules: RuleBook
    numbering: Numbering
    told: str

    def now(self) -> datetime:
        """The moment."""
        return utc_now()

    def perform(self, work: Callable[..., Awaitable[Any]], *args: Any) -> Awaitable[Any]:
        """As that of a management."""
        return work(self, *args)


def _asked(arguments: argparse.Namespace, work: Callable[..., Awaitable[Any]], *args: Any) -> tuple[str, Any]:
    """Where the rules come from, and what `work` finds in them. Raises `BadValue` for a configuration that is wrong."""
    if arguments.server is not None:
        found = import_module("dialer.cli.remote").asked_there(arguments, lambda there: there.perform(work, *args))
        return f"{arguments.server}: the rules that hold there", found
    here = _configured(arguments)
    coroutine = here.perform(work, *args).__await__()
    try:
        next(coroutine)
    except StopIteration as done:
        return here.told, done.value
    raise RuntimeError("rules are looked up without waiting")


def _configured(arguments: argparse.Namespace) -> ConfiguredRules:
    """Those of the configuration that is named or found. Raises `BadValue` for one that is wrong."""
    path: Path | None = arguments.config
    if path is None:
        try:
            path = find_config(os.environ)
        except BadValue:
            if os.environ.get("DIALER_CONFIG"):
                raise
            settings = RulesSettings()
            told = "no configuration: the rules that are shipped"
            return ConfiguredRules(rule_book(settings, Path()), numbering(), told)
    config = load_config(path)
    folder = path.absolute().parent
    region = check_region(config.numbers.region, "numbers.region")
    told = f'{path}: rules.apply is "{config.rules.apply}"'
    if config.rules.file:
        replaced = "".join(
            f"; those of {each.place} are replaced: {each.reason}" for each in own_rows(config.rules, folder)[1]
        )
        told += f", with {config.rules.file}{replaced}"
    return ConfiguredRules(rule_book(config.rules, folder), numbering(region, config.numbers.emergency), told)


def _list(arguments: argparse.Namespace) -> int:
    told, entries = _asked(arguments, rules_in_force.rows_of, arguments.place)
    if arguments.json:
        print_json(entries)
        return EXIT_OPEN
    print(told)
    if entries:
        print_all(_COLUMNS, entries)
    else:
        print(f"no row{f' of {arguments.place.upper()}' if arguments.place else ''}")
    return EXIT_OPEN


def _show(arguments: argparse.Namespace) -> int:
    entries: list[ToldRow] = _asked(arguments, rules_in_force.rows_in, arguments.place)[1]
    if arguments.json:
        print_json(entries)
        return EXIT_OPEN
    if not entries:
        place = arguments.place.upper()
        known = {area.place: area.name for area in area_codes().values()}
        print(f"no rule holds in {known.get(place, place)}")
    for number, entry in enumerate(entries):
        if number:
            print()
        print_one({name: value for name, value in entry.items() if value})
    return EXIT_OPEN


def _why(arguments: argparse.Namespace) -> int:
    asked = AskedNumber(
        number=arguments.number,
        at=_moment(arguments.at),
        time_zone=_zone(arguments.time_zone),
        purpose=Purpose(arguments.purpose),
        prerecorded=arguments.prerecorded,
    )
    try:
        found = dict(_asked(arguments, rules_in_force.why, asked)[1])
    except BadValue as error:
        raise (BadValue("NUMBER", error.problem) if error.field == "number" else error) from None
    unknown, technology = found.pop("unknown"), found.pop("technology")
    if arguments.json:
        print_json(found)
    else:
        print("\n".join(_sentences(found, unknown, technology, asked.purpose)))
    return EXIT_OPEN if found["ruling"] == Permission.OPEN else EXIT_CLOSED


def _sentences(told: Shown, unknown: str, technology: str, purpose: Purpose) -> Iterator[str]:
    names = {area.place: area.name for area in area_codes().values()}
    places = ", ".join(names.get(place, place) for place in told["places"][:5]) or "no place that is known"
    yield f"{told['number']} ({told['identity']}): {places}{f' and more; {unknown}' if len(told['places']) > 5 else ''}"
    yield f"clocks there: {', '.join(told['clocks']) or f'none is known: {unknown}'}"
    yield f"rows for {purpose}, {technology}: {', '.join(told['rows']) or 'none'}"
    until = "" if told["until"] is None else f" until {told['until']:%Y-%m-%d %H:%M:%S} UTC"
    yield f"{told['ruling']}{until}{': ' if told['text'] else ''}{told['text']}"


def _moment(text: str) -> datetime | None:
    try:
        moment: datetime | None = Moment().parse(text) if text else None
    except ValueError:
        raise BadValue("--at", f"expected {Moment.takes}") from None
    return moment


def _zone(text: str) -> str:
    try:
        return KnownZone().parse(text)
    except ValueError:
        raise BadValue("--time-zone", f"expected {KnownZone.takes}") from None
