"""`dialer contact export` and `dialer phonebook export`: the contacts of a phonebook as a file that `import` reads back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from dialer import safe_paths
from dialer.cli.blocking import config_option
from dialer.cli.contact_import import phonebook_named, phonebook_options
from dialer.cli.objects import manage
from dialer.cli.showing import Shown, json_line, shown_noun
from dialer.errors import BadValue
from dialer.files.written import header, row_of
from dialer.management import Management, contact_list
from dialer.model import Contact, Phonebook
from dialer.model.user import ADMINISTRATOR
from dialer.safe_files import UnsafeFile

STANDARD_OUTPUT = "-"
_DESCRIPTION = (
    "Writes the contacts of a phonebook as a CSV file in UTF-8, which `dialer contact import` reads back unchanged. The "
    "variables are in the column additional_vars."
)


def contact_entry(contact: Contact) -> Shown:
    """A contact as it is shown; `double_of` is the id of the one that has the same number in another spelling."""
    return shown_noun(contact, double_of=contact.double_of)


def add_contact_export(parsers: Any) -> None:
    """Register the action `export` of `dialer contact`."""
    parser = _export_parser(parsers)
    phonebook_options(parser)


def add_phonebook_export(parsers: Any) -> None:
    """Register the action `export` of `dialer phonebook`."""
    parser = _export_parser(parsers, "phonebook")
    parser.add_argument("--user", metavar="NAME", help="its user, where several users have one of that name")


def _export_parser(parsers: Any, named: str = "") -> Any:
    parser = parsers.add_parser("export", help="write the contacts of a phonebook to a file", description=_DESCRIPTION)
    if named:
        parser.add_argument(named, metavar="NAME|ID", help="the phonebook")
    parser.add_argument("file", metavar="FILE", nargs="?", default=STANDARD_OUTPUT, help="the file (default: standard output)")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object a line")
    config_option(parser)
    parser.set_defaults(run=run)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Export. Raises `BadValue` for a phonebook that is not there or a file that cannot be written, and `StoreError`."""

    async def export(management: Management) -> tuple[Phonebook, int]:
        phonebook = await phonebook_named(management, arguments.phonebook, arguments.user)
        with written(arguments.file) as stream:
            return phonebook, await _export(management, phonebook, stream, arguments.json)

    phonebook, count = manage(arguments, export)
    if arguments.file != STANDARD_OUTPUT:
        print(f"{arguments.file}: {count} contacts of phonebook {phonebook.name}")
    return 0


async def _export(management: Management, phonebook: Phonebook, stream: BinaryIO, as_json: bool) -> int:
    count = 0
    if not as_json:
        stream.write(header().encode())
    async for page in management.iterate(contact_list.pages, ADMINISTRATOR, phonebook.id):
        count += len(page)
        lines = (json_line(contact_entry(contact)) if as_json else row_of(contact) for contact in page)
        stream.write("".join(lines).encode())
    return count


@contextmanager
def written(file: str) -> Iterator[BinaryIO]:
    """Standard output, or the file, which takes the place of an older one when it is whole. Raises `BadValue`."""
    if file == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with safe_paths.written(Path(file)) as stream:
            yield stream
    except UnsafeFile as error:
        raise BadValue(file, f"cannot be written: {error.problem}") from None
    except OSError as error:
        raise BadValue(file, f"cannot be written: {error.strerror}") from None
