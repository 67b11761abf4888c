"""`dialer dnc`: the numbers that are not called, however they are spelled, on the list of everybody or on another one."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Final

from dialer.cli.blocking import config_option
from dialer.cli.contact_export import written
from dialer.cli.dnc_lists import add_list_actions, list_named, list_option, operator, shown_entry
from dialer.cli.file_import import STANDARD_INPUT, file_options, printable, source, take
from dialer.cli.objects import manage
from dialer.cli.showing import option_of_json, print_all, print_json
from dialer.declare import noun_of, valid
from dialer.errors import BadValue
from dialer.files.contacts import Allowed, ContactFile, Reading
from dialer.management import Management, do_not_call, list_files
from dialer.management.do_not_call import Changed
from dialer.management.forbidding import OntoDoNotCallList
from dialer.model import DoNotCallEntry
from dialer.wall_clock import utc_now

EXIT_LISTED: Final = 1
EXIT_REFUSED: Final = 1
COLUMNS: Final = ("number", "reason", "since", "source", "expires_at", "by")


def add_parser(commands: Any) -> None:
    """Register the command with its subcommands."""
    parser = commands.add_parser(
        "dnc",
        help="the numbers that are not called",
        description="The numbers that are not called, however they are spelled: by nobody, or with --list by those "
        "whom that list is for.",
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for action, run, told in (
        ("add", _add, "put numbers on the list; one that is there stays as it is, unless it would expire before"),
        ("remove", _remove, "take numbers off the list; contacts that were blocked meanwhile stay so"),
        ("check", _check, "whether numbers are on the list: exit status 0 when none is, 1 when one is"),
    ):
        sub = actions.add_parser(action, help=told)
        sub.add_argument("numbers", metavar="NUMBER", nargs="+", help="in whatever spelling")
        if action == "add":
            sub.add_argument("--reason", default="", help="why, for people")
            _source_options(sub)
        if action == "check":
            sub.add_argument("--all", action="store_true", help="on any list")
        _common(sub, run)
    sub = actions.add_parser("list", help="show them, in their order")
    sub.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: %(default)s)")
    sub.add_argument("--after", default="", metavar="NUMBER", help="those behind this one, as it is listed")
    _common(sub, _list)
    sub = actions.add_parser(
        "import",
        help="put the numbers of a file on the list",
        description="One number a line, or a table as `dialer contact import` takes it, with a column for the number and "
        "perhaps others for `reason`, `source` and `expires_at`. What is there already stays as it is, "
        "unless it would expire before.",
        epilog="Exit status: 0 all are on the list; 1 rows were refused; 2 wrong usage or unusable file.",
    )
    file_options(sub, header="the first row is a number (a file that begins so needs no word)")
    _source_options(sub)
    _common(sub, _import)
    sub = actions.add_parser("export", help="all of them as CSV, which `dialer dnc import` takes")
    sub.add_argument("file", metavar="FILE", nargs="?", default="-", help="where to (default: standard output)")
    list_option(sub)
    config_option(sub)
    sub.set_defaults(run=_export)
    add_list_actions(actions)
    actions.metavar = "|".join(actions.choices)


def _source_options(parser: Any) -> None:
    parser.add_argument("--source", default="", help="where that is known from, such as a letter or a register")
    parser.add_argument("--expires", default="", metavar="MOMENT", help="they may be called again from then on (UTC)")


def _common(parser: Any, run: Any) -> None:
    list_option(parser)
    option_of_json(parser)
    config_option(parser)
    parser.set_defaults(run=run)


# --- one or a few ---------------------------------------------------------------------------------------------------------


def _add(arguments: argparse.Namespace) -> int:
    given: dict[str, object] = {"reason": arguments.reason, "source": arguments.source}

    async def add(management: Management) -> Changed:
        list_id = await list_named(management, arguments.list)
        found: Changed = await management.perform(do_not_call.put, operator(), list_id, arguments.numbers, given)
        return found

    given["expires_at"] = _moment(arguments.expires)
    found = manage(arguments, add)
    _tell(arguments, {"added": found.changed, "already_there": found.unchanged})
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    async def remove(management: Management) -> Changed:
        list_id = await list_named(management, arguments.list)
        return await management.ask(do_not_call.remove, operator(), list_id, arguments.numbers)

    found = manage(arguments, remove)
    _tell(arguments, {"removed": found.changed, "not_there": found.unchanged})
    return 0


def _check(arguments: argparse.Namespace) -> int:
    async def check(management: Management) -> list[list[DoNotCallEntry]]:
        if arguments.all:
            return await management.ask(do_not_call.check_everywhere, operator(), arguments.numbers)
        list_id = await list_named(management, arguments.list)
        found = await management.ask(do_not_call.check, operator(), list_id, arguments.numbers)
        return [[] if each is None else [each] for each in found]

    pairs = list(zip(arguments.numbers, manage(arguments, check), strict=True))
    if arguments.json:
        print_json([{"asked": asked, **each} for asked, found in pairs for each in map(_entry, found or [None])])
    else:
        for asked, found in pairs:
            for each in found or [None]:
                print(f"{printable(asked)}: {_told(each, arguments.all)}")
    return EXIT_LISTED if any(found for _, found in pairs) else 0


def _told(entry: DoNotCallEntry | None, named: bool) -> str:
    if entry is None:
        return "is not on the list" if not named else "is on no list"
    which = f"list {entry.list_id}" if named else "the list"
    until = f" until {entry.expires_at:%Y-%m-%d %H:%M:%S} UTC" if entry.expires_at is not None else ""
    because = f" ({entry.reason})" if entry.reason else ""
    return f"is on {which} as {entry.number} since {entry.created_at:%Y-%m-%d %H:%M:%S} UTC{until}{because}"


def _entry(entry: DoNotCallEntry | None) -> dict[str, Any]:
    if entry is None:
        return {"listed": False}
    return {"listed": True, "list_id": entry.list_id, **shown_entry(entry)}


def _list(arguments: argparse.Namespace) -> int:
    async def read(management: Management) -> list[DoNotCallEntry]:
        list_id = await list_named(management, arguments.list)
        return await management.ask(do_not_call.page, operator(), list_id, arguments.after, arguments.limit)

    entries = [shown_entry(each) for each in manage(arguments, read)]
    if arguments.json:
        print_json(entries)
    else:
        print_all(COLUMNS, entries)
    return 0


def _tell(arguments: argparse.Namespace, counts: dict[str, int]) -> None:
    print(
        json.dumps(counts)
        if arguments.json
        else ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    )


# --- files ----------------------------------------------------------------------------------------------------------------


def _import(arguments: argparse.Namespace) -> int:
    expires_at = _moment(arguments.expires)

    async def place(management: Management) -> OntoDoNotCallList:
        list_id = await list_named(management, arguments.list)
        return OntoDoNotCallList(who=operator(), list_id=list_id, source=arguments.source, expires_at=expires_at)

    outcome = take(arguments, _opened, place)
    tally, errors = outcome.tally, outcome.errors
    counts = {"rows": tally.rows, "added": tally.taken, "already_there": tally.known}
    _tell(arguments, {**counts, "duplicates": tally.duplicates, "refused": tally.refused})
    if errors.count and errors.path is not None and not arguments.json:
        print(f"{errors.path} has the {errors.count} rows that were not taken, each with its reason")
    return EXIT_REFUSED if tally.refused else 0


def _moment(text: str) -> datetime | None:
    field = noun_of(DoNotCallEntry).field("expires_at")
    try:
        moment: datetime | None = valid(field, text)
    except BadValue as error:
        raise BadValue("--expires", error.problem) from None
    if moment is not None and moment <= utc_now():
        raise BadValue("--expires", "lies in the past; expected a moment to come")
    return moment


def _opened(arguments: argparse.Namespace, stack: ExitStack) -> ContactFile:
    """A file whose first row is a number has no header."""
    reading = Reading(encoding=arguments.encoding, header=not arguments.no_header)
    file = ContactFile(*source(arguments, stack), reading)
    try:
        file.open()
    except BadValue:
        if arguments.no_header or arguments.file == STANDARD_INPUT or not _begins_with_number(arguments):
            raise
        file = ContactFile(*source(arguments, stack), Reading(encoding=arguments.encoding, header=False))
        file.open()
    return file


def _begins_with_number(arguments: argparse.Namespace) -> bool:
    with ExitStack() as stack:
        bare = ContactFile(*source(arguments, stack), Reading(encoding=arguments.encoding, header=False))
        bare.open()
        return next(iter(bare.entries(Allowed()))).contact is not None


def _export(arguments: argparse.Namespace) -> int:
    async def export(management: Management) -> None:
        list_id = await list_named(management, arguments.list)
        with written(arguments.file) as stream:
            async for piece in management.iterate(list_files.pieces, operator(), list_id):
                stream.write(piece)

    manage(arguments, export)
    return 0
