"""`dialer contact import`: a file of contacts into a phonebook, beside a dialer that may be running."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from dialer.cli.blocking import config_option
from dialer.cli.file_import import FileOutcome, file_options, source, take
from dialer.errors import BadValue, NotFound
from dialer.files.contacts import ContactFile, Reading
from dialer.management import Management, phonebooks, users
from dialer.management.phonebook_import import IntoPhonebook
from dialer.model import Phonebook
from dialer.model.user import ADMINISTRATOR

EXIT_REFUSED = 1


def add_import(parsers: Any) -> None:
    """Register the action `import` of `dialer contact`."""
    parser = parsers.add_parser(
        "import",
        help="add the contacts of a file to a phonebook",
        description="Adds the contacts of a file to a phonebook and to the campaigns that use it. Fields are separated by "
        "commas, semicolons, tabs or bars; the first row names the columns, one of them `contact`, `number` or the like. "
        "Further columns become variables. What is there already stays as it is: the same command completes a broken import.",
        epilog="Exit status: 0 all contacts are in the phonebook; 1 rows were refused, or it failed; 2 wrong usage or "
        "unusable file; 130 interrupted.",
    )
    file_options(parser, header="the first row is a contact; the first column is the number")
    phonebook_options(parser)
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="which column is what, such as contact=Phone or first_name=2; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    config_option(parser)
    parser.set_defaults(run=run)


def phonebook_options(parser: Any) -> None:
    """The phonebook that a command on contacts is about: see `phonebook_named`."""
    parser.add_argument("--phonebook", required=True, metavar="NAME|ID", help="the phonebook that they stand in")
    parser.add_argument("--user", metavar="NAME", help="the user of the phonebook, where several users have one of that name")


def run(arguments: argparse.Namespace) -> int:
    """Import. Raises `BadValue` for what cannot be read, and other errors of the dialer."""
    reading = Reading(encoding=arguments.encoding, columns=columns_of(arguments.map), header=not arguments.no_header)
    began = time.monotonic()
    into: list[Phonebook] = []

    def open_file(arguments: argparse.Namespace, stack: ExitStack) -> ContactFile:
        file = ContactFile(*source(arguments, stack), reading)
        file.open()
        return file

    async def place(management: Management) -> IntoPhonebook:
        into.append(await phonebook_named(management, arguments.phonebook, arguments.user))
        return IntoPhonebook(into[0].id)

    outcome = take(arguments, open_file, place)
    summary = _summary(into[0], outcome, arguments.dry_run)
    if arguments.json:
        print(json.dumps({**summary, "seconds": round(time.monotonic() - began, 3)}, indent=2, ensure_ascii=False))
    else:
        _print(summary, outcome.errors.count)
    return EXIT_REFUSED if outcome.tally.refused else 0


# --- what is asked for ----------------------------------------------------------------------------------------------------


def columns_of(given: Sequence[str]) -> Mapping[str, str]:
    """What `--map` says. Raises `BadValue`."""
    columns: dict[str, str] = {}
    for text in given:
        name, equals, column = (part.strip() for part in text.partition("="))
        if not (name and equals and column):
            raise BadValue("--map", f"expected NAME=COLUMN, such as contact=Phone, got {text[:40]!r}")
        name = "contact" if name == "number" else name
        if name in columns:
            raise BadValue("--map", f"{name} is named twice")
        columns[name] = column
    return columns


async def phonebook_named(management: Management, text: str, username: str | None) -> Phonebook:
    """The phonebook of that name, or else of that id. Raises `BadValue`."""
    found = await management.ask(phonebooks.listed, ADMINISTRATOR)
    if username is not None:
        try:
            owner = await management.ask(users.account, username)
        except NotFound as error:
            raise BadValue("--user", str(error)) from None
        found = [each for each in found if each.user_id == owner.id]
    named = [each for each in found if each.name == text] or [each for each in found if str(each.id) == text]
    if len(named) > 1:
        ids = ", ".join(str(each.id) for each in reversed(named))
        raise BadValue("--phonebook", f"several users have a phonebook {text}: name one with --user, or by its id ({ids})")
    if not named:
        raise BadValue("--phonebook", f"there is no phonebook {text}")
    return named[0]


# --- what is told ---------------------------------------------------------------------------------------------------------


def _summary(phonebook: Phonebook, outcome: FileOutcome, dry_run: bool) -> dict[str, Any]:
    file, tally, errors = outcome.file, outcome.tally, outcome.errors
    return {
        "file": file.name,
        "phonebook": {"id": phonebook.id, "name": phonebook.name},
        "encoding": file.text.used,
        "delimiter": file.table.delimiter,
        "dry_run": dry_run,
        "rows": tally.rows,
        "taken": tally.taken,
        "already_there": tally.known,
        "duplicates": tally.duplicates,
        "refused": tally.refused,
        "reasons": {str(reason): count for reason, count in tally.reasons.most_common()},
        "errors": str(errors.path) if errors.path is not None and errors.count else None,
    }


_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def _print(summary: Mapping[str, Any], not_taken: int) -> None:
    delimiter = _DELIMITERS.get(summary["delimiter"], repr(summary["delimiter"]))
    taken = "would be taken" if summary["dry_run"] else "taken"
    print(f"{summary['file']}: {summary['encoding']}, separated by {delimiter}, into phonebook {summary['phonebook']['name']}")
    print(
        f"{summary['rows']} rows: {summary['taken']} {taken}, {summary['already_there']} already there, "
        f"{summary['duplicates']} twice in the file, {summary['refused']} refused"
    )
    for reason, count in summary["reasons"].items():
        print(f"  {count} {reason}")
    if summary["errors"]:
        print(f"{summary['errors']} has the {not_taken} rows that were not taken, each with its reason")
