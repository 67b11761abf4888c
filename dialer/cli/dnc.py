"""`dialer dnc`: the numbers that no campaign calls, however they are spelled."""

from __future__ import annotations

import argparse
import csv
import io
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Final

from dialer.cli.blocking import config_option
from dialer.cli.contact_export import written
from dialer.cli.contact_import import SHOWN, STANDARD_INPUT, RefusedRows, errors_path, printable, source
from dialer.cli.objects import manage
from dialer.cli.showing import option_of_json, print_all, print_json
from dialer.errors import BadValue
from dialer.files.contacts import Allowed, ContactFile, Entry, Fault, Reading, Reason, opened
from dialer.management import Management, numbers
from dialer.management.imports import Refusal
from dialer.model import DoNotCallEntry

EXIT_LISTED: Final = 1
EXIT_REFUSED: Final = 1
CHUNK: Final = 2000
"""Numbers in one transaction: some ten milliseconds on the database thread."""
PAUSE: Final = 0.02
"""Seconds between two transactions, beside a dialer that waits for the file of SQLite."""
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
    sub.add_argument("file", metavar="FILE", help="the file; - for standard input")
    sub.add_argument(
        "--no-header", action="store_true", help="the first row is a number (a file that begins so needs no word)"
    )
    sub.add_argument("--encoding", default="", help="such as utf-8 or cp1252 (default: what the file seems to have)")
    sub.add_argument("--errors", type=Path, metavar="FILE", help="where rows that are not taken go (default: FILE.errors.csv)")
    sub.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
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
    with ExitStack() as stack:
        file = _opened(arguments, stack)
        errors = RefusedRows(file, errors_path(arguments), named=SHOWN)
        stack.callback(errors.close)
        counts: Counter[str] = manage(arguments, lambda management: _take(management, file, errors, arguments.dry_run))
    total = {"rows": counts["rows"], "added": counts["added"], "already_there": counts["there"], "refused": errors.count}
    _tell(arguments, total)
    if errors.count and errors.path is not None and not arguments.json:
        print(f"{errors.path} has the rows that were not taken, each with its reason")
    return EXIT_REFUSED if errors.count else 0


def _opened(arguments: argparse.Namespace, stack: ExitStack) -> ContactFile:
    """A file whose first row is a number has no header."""
    stream, name, _ = source(arguments.file, stack)
    file = ContactFile(stream, name, Reading(encoding=arguments.encoding, header=not arguments.no_header))
    try:
        file.open()
    except BadValue:
        if arguments.no_header or arguments.file == STANDARD_INPUT:
            raise
        again = stack.enter_context(opened(Path(arguments.file)))
        bare = ContactFile(again, name, Reading(encoding=arguments.encoding, header=False))
        bare.open()
        if next(iter(bare.entries(Allowed()))).contact is None:
            raise
        bare = ContactFile(stack.enter_context(opened(Path(arguments.file))), name, bare.reading)
        bare.open()
        return bare
    return file


async def _take(management: Management, file: ContactFile, errors: RefusedRows, dry_run: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    entries = file.entries(Allowed(rules=management.numbering))
    while chunk := list(islice(entries, CHUNK)):
        taken, refusals = _parted(chunk)
        errors.add(refusals)
        listed = [(contact.number, contact.identity, _reason(contact)) for contact in taken]
        if dry_run:
            added = await management.ask(numbers.unknown, [identity for _, identity, _ in listed])
        else:
            added = await management.ask(numbers.forbid_all, listed)
        counts.update(rows=len(chunk), added=added, there=len(listed) - added)
        if not dry_run and management.database.is_dialled_with():
            time.sleep(PAUSE)
    return counts


def _parted(chunk: Sequence[Entry]) -> tuple[list[Any], list[Refusal]]:
    taken = [entry.contact for entry in chunk if entry.contact is not None]
    refused = [Refusal(each, each.fault or Fault(Reason.VALUE, "is no number")) for each in chunk if each.contact is None]
    return taken, refused


def _reason(contact: Any) -> str:
    named = {name.casefold(): value for name, value in contact.additional_vars.items()}
    return str(named.get("reason") or contact.description)[:255]


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
