"""`dialer contact import`: a file of contacts into a phonebook, beside a dialer that may be running."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, field
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from dialer.cli.blocking import config_option, database_url, with_database
from dialer.errors import BadValue, DialerError, NotFound
from dialer.files.contacts import ContactFile, Reading, opened
from dialer.management import Management, phonebooks, users
from dialer.management.imports import Import, Refusal, Tally
from dialer.model import Phonebook
from dialer.model.user import ADMINISTRATOR
from dialer.service import utc_now
from dialer.store.database import Database

EXIT_REFUSED = 1
STANDARD_INPUT = "-"
TURN = 0.0003
"""Seconds: a tenth of what the database needs for a chunk."""
SHOWN = 20
"""Rows that are named on standard error where a file names all."""


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
    parser.add_argument("file", metavar="FILE", help="the file; - for standard input")
    phonebook_options(parser)
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="which column is what, such as contact=Phone or first_name=2; may be repeated",
    )
    parser.add_argument("--no-header", action="store_true", help="the first row is a contact; the first column is the number")
    parser.add_argument("--encoding", default="", help="such as utf-8 or cp1252 (default: what the file seems to have)")
    parser.add_argument(
        "--errors", type=Path, metavar="FILE", help="where rows that are not taken go (default: FILE.errors.csv beside FILE)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    parser.add_argument("--json", action="store_true", help="for programs")
    config_option(parser)
    parser.set_defaults(run=run)


def phonebook_options(parser: Any) -> None:
    """The phonebook that a command on contacts is about: see `phonebook_named`."""
    parser.add_argument("--phonebook", required=True, metavar="NAME|ID", help="the phonebook that they stand in")
    parser.add_argument("--user", metavar="NAME", help="the user of the phonebook, where several users have one of that name")


def run(arguments: argparse.Namespace) -> int:
    """Import. Raises `BadValue` for what cannot be read, and other errors of the dialer."""
    reading = Reading(encoding=arguments.encoding, columns=_columns(arguments.map), header=not arguments.no_header)
    url = database_url(arguments.config)
    began = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(_turns())
        stream, name, size = source(arguments.file, stack)
        file = ContactFile(stream, name, reading)
        file.open()
        errors = RefusedRows(file, errors_path(arguments), named=SHOWN)
        stack.callback(errors.close)
        bar = stack.enter_context(_Bar(size))

        async def work(database: Database) -> tuple[Phonebook, Tally]:
            management = Management(database, utc_now)
            phonebook = await phonebook_named(management, arguments.phonebook, arguments.user)

            def tell(refusals: Sequence[Refusal]) -> None:
                errors.add(refusals)
                bar.show(file.text.size, importing.tally)

            importing = Import(management, phonebook.id, file, arguments.dry_run, tell, time.sleep)
            try:
                return phonebook, await importing.run()
            except OSError as error:
                raise BadValue(name, f"cannot be read to its end: {error.strerror}{_so_far(importing)}") from error
            except DialerError as error:
                if importing.tally.taken:
                    print(f"{name}{_so_far(importing)}", file=sys.stderr)
                raise error

        phonebook, tally = with_database(url, work)
    summary = _summary(phonebook, tally, file, errors, arguments.dry_run)
    if arguments.json:
        print(json.dumps({**summary, "seconds": round(time.monotonic() - began, 3)}, indent=2, ensure_ascii=False))
    else:
        _print(summary, errors)
    return EXIT_REFUSED if tally.refused else 0


@contextmanager
def _turns() -> Iterator[None]:
    """One thread reads and one writes: each waits for the interpreter for `TURN` at most when the other has work, not for the
    usual 5 ms, which are the time of a whole chunk."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


# --- what is asked for ----------------------------------------------------------------------------------------------------


def _columns(given: Sequence[str]) -> Mapping[str, str]:
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


def source(file: str, stack: ExitStack) -> tuple[BinaryIO, str, int | None]:
    """The stream, its name, and how many bytes it has if that is known. Raises `BadValue`."""
    if file == STANDARD_INPUT:
        return sys.stdin.buffer, "standard input", None
    path = Path(file)
    stream = stack.enter_context(opened(path))
    return stream, file, path.stat().st_size or None


def errors_path(arguments: argparse.Namespace) -> Path | None:
    if arguments.errors is not None:
        if arguments.file != STANDARD_INPUT and arguments.errors.resolve() == Path(arguments.file).resolve():
            raise BadValue("--errors", "is the file itself")
        path: Path = arguments.errors
        return path
    if arguments.dry_run or arguments.file == STANDARD_INPUT:
        return None
    return Path(f"{arguments.file}.errors.csv")


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


@define(eq=False)
class RefusedRows:
    """The rows that are not taken: as they stand, in a file that is made for the first of them, and the first `named` of them
    on standard error; all of them where there is no file."""

    file: ContactFile
    path: Path | None
    named: int
    count: int = field(default=0, init=False)
    _stream: BinaryIO | None = field(default=None, init=False)

    def add(self, refusals: Sequence[Refusal]) -> None:
        """Write them down. Raises `BadValue` when that cannot be."""
        if not refusals:
            return
        text = self.file.text
        for (row, _, _), fault in refusals:
            self.count += 1
            if self.path is None or self.count <= self.named:
                print(f"{self.file.name}:{row.line}: {printable(fault.text)}", file=sys.stderr)
        if self.path is None:
            return
        try:
            stream = self._stream or self._opened(self.path)
            for (row, _, _), fault in refusals:
                stream.write(text.encode(self.file.row_with_error(row, f"line {row.line}: {fault.text}")))
            stream.flush()
        except OSError as error:
            raise BadValue(str(self.path), f"cannot be written: {error.strerror}; --errors names another file") from None

    def close(self) -> None:
        """No more come."""
        if self._stream is not None:
            self._stream.close()

    def _opened(self, path: Path) -> BinaryIO:
        """A new file; one that is there may hold corrections, and is kept under another name."""
        if path.is_file():
            path.replace(f"{path}~")
        self._stream = stream = path.open("wb")
        text = self.file.text
        stream.write(text.mark + text.encode(self.file.header_with_error()))
        return stream


class _Bar:
    """How far the import is, on a terminal."""

    def __init__(self, size: int | None) -> None:
        console = Console(stderr=True)
        columns = (
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
        )
        shown = columns if size else columns[2:3]
        self._progress = Progress(*shown, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("", total=size)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, size: int, tally: Tally) -> None:
        """Show this moment."""
        self._progress.update(self._task, completed=size, description=f"{tally.rows:,} rows, {tally.refused:,} refused")


def _summary(phonebook: Phonebook, tally: Tally, file: ContactFile, errors: RefusedRows, dry_run: bool) -> dict[str, Any]:
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


def _print(summary: Mapping[str, Any], errors: RefusedRows) -> None:
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
        print(f"{summary['errors']} has the {errors.count} rows that were not taken, each with its reason")


def _so_far(importing: Import) -> str:
    return f": {importing.tally.taken} contacts were taken before; the same command goes on from there"


def printable(text: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
