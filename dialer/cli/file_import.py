"""Files that commands take in: where they come from, how far they are, and where the rows go that are not taken."""

from __future__ import annotations

import argparse
import csv
import io
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, field, frozen
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from dialer.cli.frame import printable
from dialer.cli.objects import manage
from dialer.errors import BadValue, DialerError
from dialer.files.contacts import ContactFile, opened
from dialer.management import Management
from dialer.management.imports import ContactsReceiver, Import, NotTaken, Tally
from dialer.safe_files import UnsafeFile
from dialer.safe_paths import create
from dialer.thread_turns import READING, shortened

STANDARD_INPUT = "-"
SHOWN = 20
"""Rows that are named on standard error where a file names all."""


@frozen(kw_only=True)
class FileOutcome:
    """What became of a file."""

    file: ContactFile
    tally: Tally
    errors: RefusedRowsFile


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
    with ExitStack() as stack:
        stack.enter_context(shortened(READING))
        file = open_file(arguments, stack)
        errors = RefusedRowsFile(file, _errors_path(arguments), named=SHOWN)
        stack.callback(errors.close)
        listener = FileListener(errors=errors, bar=stack.enter_context(ImportBar(_size(arguments))))

        async def work(management: Management) -> Tally:
            try:
                taken = await place(management), file, arguments.dry_run, listener
                tally: Tally = await management.perform(take_here, *taken)
            except OSError as error:
                raise BadValue(file.name, f"cannot be read to its end: {error.strerror}{listener.so_far}") from error
            except DialerError as error:
                if listener.taken:
                    print(f"{file.name}{listener.so_far}", file=sys.stderr)
                raise error
            return tally

        return FileOutcome(file=file, tally=manage(arguments, work), errors=errors)


async def take_here(
    management: Management, destination: ContactsReceiver, file: ContactFile, dry_run: bool, listener: FileListener
) -> Tally:
    """Take a file that is open to a place in the database. Fails with `NotFound`, `BadValue`, `StoreError`, `OSError`."""

    def tell(refusals: Sequence[NotTaken]) -> None:
        listener.refused(refusals, file.text.size, importing.tally)

    importing = Import(management, destination, file, dry_run, tell, time.sleep)
    return await importing.run()


@define(eq=False)
class FileListener:
    """Hears how far a file is taken."""

    errors: RefusedRowsFile
    bar: ImportBar
    taken: int = 0

    def refused(self, refusals: Sequence[NotTaken], size: int, tally: Tally) -> None:
        """So many bytes are read, and of their rows, those that were not told of before are not taken. Raises `BadValue` when
        they cannot be written down."""
        self.errors.add(refusals)
        self.show(size, tally)

    def take_over(self, content: bytes) -> None:
        """All rows that were not taken, as the dialer has written them down. Raises `BadValue`."""
        self.errors.take_over(content)

    def show(self, size: int, tally: Tally) -> None:
        """So many bytes are read."""
        self.taken = tally.taken
        self.bar.show(size, tally)

    @property
    def so_far(self) -> str:
        """What can be done when it ends early."""
        return f": {self.taken} rows were taken before; the same command goes on from there"


# --- where from and where to ----------------------------------------------------------------------------------------------


def source(arguments: argparse.Namespace, stack: ExitStack) -> tuple[BinaryIO, str]:
    """The stream and its name; what is sent elsewhere is read whole. Raises `BadValue`."""
    file: str = arguments.file
    if file == STANDARD_INPUT:
        stream, name = sys.stdin.buffer, "standard input"
    else:
        stream, name = stack.enter_context(opened(Path(file))), file
    return (stream if arguments.server is None else io.BytesIO(stream.read())), name


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
class RefusedRowsFile:
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
            raise self._unwritten(error) from None

    def _unwritten(self, error: OSError | UnsafeFile) -> BadValue:
        problem = error.problem if isinstance(error, UnsafeFile) else error.strerror
        return BadValue(str(self.path), f"cannot be written: {problem}; --errors names another file")

    def take_over(self, content: bytes) -> None:
        """Write a file of such rows, whose last column is the reason. Raises `BadValue` when that cannot be."""
        text = content.decode(self.file.text.used)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=self.file.table.delimiter))[1:]
        self.count += len(rows)
        for row in rows if self.path is None else rows[: self.named]:
            line, _, reason = row[-1].removeprefix("line ").partition(": ")
            print(f"{self.file.name}:{line}: {printable(reason)}", file=sys.stderr)
        if self.path is None:
            return
        try:
            self._stream = create(self.path)
            self._stream.write(content)
            self._stream.flush()
        except (OSError, UnsafeFile) as error:
            raise self._unwritten(error) from None

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


class ImportBar:
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

    def __enter__(self) -> ImportBar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, size: int, tally: Tally) -> None:
        """Show this moment."""
        self._progress.update(self._task, completed=size, description=f"{tally.rows:,} rows, {tally.refused:,} refused")
