"""Files that commands take in: where they come from, how far they are, and where the rows go that are not taken."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, field, frozen
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from dialer.cli.blocking import database_url, own_emergency_numbers, with_database
from dialer.cli.frame import printable
from dialer.errors import BadValue, DialerError
from dialer.files.contacts import ContactFile, opened
from dialer.management import Management
from dialer.management.imports import ContactsReceiver, Import, NotTaken, Tally
from dialer.safe_files import UnsafeFile
from dialer.safe_paths import create
from dialer.store.database import Database
from dialer.wall_clock import utc_now

STANDARD_INPUT = "-"
TURN = 0.0003
"""Seconds: a tenth of what the database needs for a chunk."""
SHOWN = 20
"""Rows that are named on standard error where a file names all."""


@frozen(kw_only=True)
class FileOutcome:
    """What became of a file."""

    file: ContactFile
    tally: Tally
    errors: RefusedRows


def file_options(parser: Any, *, header: str) -> None:
    """The file and how it is read; `header` is the help of `--no-header`."""
    parser.add_argument("file", metavar="FILE", help="the file; - for standard input")
    parser.add_argument("--no-header", action="store_true", help=header)
    parser.add_argument("--encoding", default="", help="such as utf-8 or cp1252 (default: what the file seems to have)")
    parser.add_argument(
        "--errors", type=Path, metavar="FILE", help="where rows that are not taken go (default: FILE.errors.csv beside FILE)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")


def take(
    arguments: argparse.Namespace,
    open_file: Callable[[argparse.Namespace, ExitStack], ContactFile],
    place: Callable[[Management], Awaitable[ContactsReceiver]],
) -> FileOutcome:
    """Take a file to a place. Raises `BadValue` for what cannot be read, and other errors of the dialer."""
    url = database_url(arguments.config)
    with ExitStack() as stack:
        stack.enter_context(_turns())
        file = open_file(arguments, stack)
        errors = RefusedRows(file, _errors_path(arguments), named=SHOWN)
        stack.callback(errors.close)
        bar = stack.enter_context(_Bar(_size(arguments)))

        async def work(database: Database) -> Tally:
            management = Management(database, utc_now, emergency=own_emergency_numbers(arguments.config))

            def tell(refusals: Sequence[NotTaken]) -> None:
                errors.add(refusals)
                bar.show(file.text.size, importing.tally)

            importing = Import(management, await place(management), file, arguments.dry_run, tell, time.sleep)
            try:
                return await importing.run()
            except OSError as error:
                raise BadValue(file.name, f"cannot be read to its end: {error.strerror}{_so_far(importing)}") from error
            except DialerError as error:
                if importing.tally.taken:
                    print(f"{file.name}{_so_far(importing)}", file=sys.stderr)
                raise error

        return FileOutcome(file=file, tally=with_database(url, work), errors=errors)


def _so_far(importing: Import) -> str:
    return f": {importing.tally.taken} rows were taken before; the same command goes on from there"


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


# --- where from and where to ----------------------------------------------------------------------------------------------


def source(file: str, stack: ExitStack) -> tuple[BinaryIO, str]:
    """The stream and its name. Raises `BadValue`."""
    if file == STANDARD_INPUT:
        return sys.stdin.buffer, "standard input"
    return stack.enter_context(opened(Path(file))), file


def _size(arguments: argparse.Namespace) -> int | None:
    """How many bytes the file has, if that is known."""
    return None if arguments.file == STANDARD_INPUT else Path(arguments.file).stat().st_size or None


def _errors_path(arguments: argparse.Namespace) -> Path | None:
    if arguments.errors is not None:
        if arguments.file != STANDARD_INPUT and arguments.errors.resolve() == Path(arguments.file).resolve():
            raise BadValue("--errors", "is the file itself")
        path: Path = arguments.errors
        return path
    if arguments.dry_run or arguments.file == STANDARD_INPUT:
        return None
    return Path(f"{arguments.file}.errors.csv")


@define(eq=False)
class RefusedRows:
    """The rows that are not taken: as they stand, in a file that is made for the first of them, and the first `named` of them
    on standard error; all of them where there is no file."""

    file: ContactFile
    path: Path | None
    named: int
    count: int = field(default=0, init=False)
    _stream: BinaryIO | None = field(default=None, init=False)

    def add(self, refusals: Sequence[NotTaken]) -> None:
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
        except (OSError, UnsafeFile) as error:
            problem = error.problem if isinstance(error, UnsafeFile) else error.strerror
            raise BadValue(str(self.path), f"cannot be written: {problem}; --errors names another file") from None

    def close(self) -> None:
        """No more come."""
        if self._stream is not None:
            self._stream.close()

    def _opened(self, path: Path) -> BinaryIO:
        """A new file; one that is there may hold corrections, and is kept under another name."""
        self._stream = stream = create(path)
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
