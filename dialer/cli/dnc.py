"""`dialer dnc`: the numbers that no campaign calls, however they are spelled."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, Final

from dialer.cli.blocking import config_option
from dialer.cli.contact_export import written
from dialer.cli.file_import import STANDARD_INPUT, file_options, printable, source, take
from dialer.cli.objects import manage
from dialer.cli.showing import option_of_json, print_all, print_json
from dialer.errors import BadValue
from dialer.files.contacts import Allowed, ContactFile, Reading
from dialer.management import Management, numbers
from dialer.management.forbidding import OntoDoNotCallList
from dialer.model import DoNotCallEntry

EXIT_LISTED: Final = 1
EXIT_REFUSED: Final = 1
PAGE: Final = 10_000
COLUMNS: Final = ("number", "reason", "since")


def add_parser(commands: Any) -> None:
    """Register the command with its subcommands."""
    parser = commands.add_parser(
        "dnc",
        help="the numbers that nobody calls",
        description="The numbers that no campaign calls, however they are spelled.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|remove|check|list|import|export")
    for action, run, told in (
        ("add", _add, "put numbers on the list"),
        ("remove", _remove, "take numbers off the list; contacts that were refused meanwhile stay so"),
        ("check", _check, "whether numbers are on the list: exit status 0 when none is, 1 when one is"),
    ):
        sub = actions.add_parser(action, help=told)
        sub.add_argument("numbers", metavar="NUMBER", nargs="+", help="in whatever spelling")
        if action == "add":
            sub.add_argument("--reason", default="", help="why, for people")
        _common(sub, run)
    sub = actions.add_parser("list", help="show them, in their order")
    sub.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: %(default)s)")
    sub.add_argument("--after", default="", metavar="NUMBER", help="those behind this one, as it is listed")
    _common(sub, _list)
    sub = actions.add_parser(
        "import",
        help="put the numbers of a file on the list",
        description="One number a line, or a table as `dialer contact import` takes it, with a column for the number and "
        "perhaps one for the `reason`. What is there already stays as it is.",
        epilog="Exit status: 0 all are on the list; 1 rows were refused; 2 wrong usage or unusable file.",
    )
    file_options(sub, header="the first row is a number (a file that begins so needs no word)")
    _common(sub, _import)
    sub = actions.add_parser("export", help="all of them as CSV, which `dialer dnc import` takes")
    sub.add_argument("file", metavar="FILE", nargs="?", default="-", help="where to (default: standard output)")
    config_option(sub)
    sub.set_defaults(run=_export)


def _common(parser: Any, run: Any) -> None:
    option_of_json(parser)
    config_option(parser)
    parser.set_defaults(run=run)


# --- one or a few ---------------------------------------------------------------------------------------------------------


def _add(arguments: argparse.Namespace) -> int:
    added = manage(arguments, lambda management: _asked(management, arguments, numbers.forbid, arguments.reason))
    _tell(arguments, {"added": added, "already_there": len(arguments.numbers) - added})
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    removed = manage(arguments, lambda management: _asked(management, arguments, numbers.permit))
    _tell(arguments, {"removed": removed, "not_there": len(arguments.numbers) - removed})
    return 0


async def _asked(management: Management, arguments: argparse.Namespace, use_case: Any, *more: object) -> Any:
    """All that is no number is named at once, and nothing is done then."""
    wrong = []
    for text in arguments.numbers:
        try:
            management.numbering.read(text, "number")
        except BadValue as error:
            wrong.append(error.problem)
    if wrong:
        raise BadValue("number", "; ".join(wrong))
    return await management.ask(use_case, arguments.numbers, *more)


def _check(arguments: argparse.Namespace) -> int:
    found = manage(arguments, lambda management: _asked(management, arguments, numbers.check))
    pairs = list(zip(arguments.numbers, found, strict=True))
    if arguments.json:
        print_json([{"asked": asked, **({"listed": False} if entry is None else _entry(entry))} for asked, entry in pairs])
    else:
        for asked, entry in pairs:
            print(f"{printable(asked)}: {_told(entry)}")
    return EXIT_LISTED if any(entry is not None for entry in found) else 0


def _told(entry: DoNotCallEntry | None) -> str:
    if entry is None:
        return "is not on the list"
    because = f" ({entry.reason})" if entry.reason else ""
    return f"is on the list as {entry.number} since {entry.created_at:%Y-%m-%d %H:%M:%S} UTC{because}"


def _entry(entry: DoNotCallEntry) -> dict[str, Any]:
    return {"listed": True, "number": entry.number, "since": entry.created_at, "reason": entry.reason}


def _list(arguments: argparse.Namespace) -> int:
    found = manage(arguments, lambda management: management.ask(numbers.forbidden, arguments.after, arguments.limit))
    entries = [{"number": each.number, "reason": each.reason, "since": each.created_at} for each in found]
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
    async def place(management: Management) -> OntoDoNotCallList:
        return OntoDoNotCallList()

    outcome = take(arguments, _opened, place)
    tally, errors = outcome.tally, outcome.errors
    counts = {"rows": tally.rows, "added": tally.taken, "already_there": tally.known}
    _tell(arguments, {**counts, "duplicates": tally.duplicates, "refused": tally.refused})
    if errors.count and errors.path is not None and not arguments.json:
        print(f"{errors.path} has the {errors.count} rows that were not taken, each with its reason")
    return EXIT_REFUSED if tally.refused else 0


def _opened(arguments: argparse.Namespace, stack: ExitStack) -> ContactFile:
    """A file whose first row is a number has no header."""
    reading = Reading(encoding=arguments.encoding, header=not arguments.no_header)
    file = ContactFile(*source(arguments.file, stack), reading)
    try:
        file.open()
    except BadValue:
        if arguments.no_header or arguments.file == STANDARD_INPUT or not _begins_with_number(arguments):
            raise
        file = ContactFile(*source(arguments.file, stack), Reading(encoding=arguments.encoding, header=False))
        file.open()
    return file


def _begins_with_number(arguments: argparse.Namespace) -> bool:
    with ExitStack() as stack:
        bare = ContactFile(*source(arguments.file, stack), Reading(encoding=arguments.encoding, header=False))
        bare.open()
        return next(iter(bare.entries(Allowed()))).contact is not None


def _export(arguments: argparse.Namespace) -> int:
    async def export(management: Management) -> None:
        with written(arguments.file) as stream:
            stream.write(_lines([COLUMNS]))
            after: str | None = ""
            while after is not None:
                found = await management.ask(numbers.forbidden, after, PAGE)
                stream.write(_lines(map(_row, found)))
                after = found[-1].number if len(found) == PAGE else None

    manage(arguments, export)
    return 0


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _row(entry: DoNotCallEntry) -> tuple[str, str, str]:
    """On one line, whatever an earlier version took for a reason: no number may be lost for it."""
    reason = " ".join("".join(each if each.isprintable() else " " for each in entry.reason).split())
    return entry.number, reason, entry.created_at.isoformat(" ", "seconds")[:19]
