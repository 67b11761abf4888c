"""One import, from where it stands to its end.

A chunk is read on a thread while the database takes the one before. The rows that a chunk leaves over are known once it is
taken, and written to the file of refused rows then; so the next transaction tells how far that file is, and what the database
refused of its own chunk. After a crash the last chunk is read again, and what it left over is written again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, Final

import orjson
from attrs import define, evolve, field
from twisted.internet.defer import Deferred

from dialer.errors import BadValue, NotFound
from dialer.files.contacts import Allowed, ContactFile, Reading, RowFile
from dialer.files.import_folder import ImportFolder, RefusedFile
from dialer.files.objects import ObjectFile
from dialer.management import import_jobs
from dialer.management.import_jobs import ImportEnd, ImportStep
from dialer.management.imports import Added, Chunk, ChunkReader, NotTaken, Tally
from dialer.management.management import Management
from dialer.management.phonebook_import import IntoPhonebook
from dialer.model import Account
from dialer.model.import_job import ImportFormat, ImportJob
from dialer.safe_files import UnsafeFile

ROWS: Final = 500
"""In the first transaction."""
FEWEST: Final = 250
MOST: Final = 4000
WANTED: Final = 0.05
"""Seconds that a transaction is to take, for which others wait on the database thread. With fewer rows, most of the time would
go into writing the same pages of the indexes again and again."""
SKIP: Final = 5000
"""Rows that are passed in one go, on the way to where an import stood."""

_WORDS: Final = (("--map", "mapping"), ("--no-header", "header=no"), ("--encoding", "encoding"))
"""Options of the command line in sentences about a file, and the parameters that are meant here."""

InThread = Callable[[Callable[[], Any]], Deferred[Any]]


class PutDown(Exception):
    """The work goes on later, or at another node."""


def rows_after(rows: int, seconds: float) -> int:
    """How many rows the next transaction has, where the last one had `rows` and took so long."""
    factor = min(max(WANTED / max(seconds, 0.001), 0.5), 1.5)
    return min(max(round(rows * factor), FEWEST), MOST)


def row_file(stream: BinaryIO, job_format: ImportFormat, reading: Reading) -> RowFile:
    """The rows of an uploaded file."""
    make = ContactFile if job_format is ImportFormat.CSV else ObjectFile
    return make(stream, "file", reading)


def reading_of(job: ImportJob) -> Reading:
    """How the file of an import is read."""
    return Reading(encoding=job.encoding, columns=orjson.loads(job.mapping), header=job.header)


def in_parameters(text: str) -> str:
    """A sentence about a file, in the words of the parameters of an import."""
    for option, parameter in _WORDS:
        text = text.replace(option, parameter)
    return text


@define(eq=False)
class ImportRun:
    """The work on an import that this node holds; `in_thread` runs what takes long."""

    management: Management
    folder: ImportFolder
    job: ImportJob
    in_thread: InThread
    _is_put_down: bool = field(default=False, init=False)
    _file: RowFile | None = field(default=None, init=False)
    _refused: RefusedFile | None = field(default=None, init=False)
    _tally: Tally = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tally = import_jobs.tally_of(self.job)

    def put_down(self) -> None:
        """No further chunk is begun."""
        self._is_put_down = True

    async def run(self) -> None:
        """To the end of the file, unless it is put down, cancelled, or another node has it. Fails with `StoreError`."""
        try:
            await self._take()
        except PutDown:
            await self._note_errors()
        except NotFound as error:
            await (self._note_errors() if error.kind == import_jobs.KIND else self._end(str(error)))
        except (BadValue, UnsafeFile) as error:
            await self._end(in_parameters(str(error)))
        except FileNotFoundError:
            await self._end("its file is not there any more")
        except OSError as error:
            await self._end(f"its file cannot be read, or that of refused rows not be written: {error.strerror}")

    async def _take(self) -> None:
        job, allowed = self.job, await self._allowed()
        file, stream = await self.in_thread(self._open)
        self._file = file
        refused = self._refused = RefusedFile(self.folder, job.file, file, job.errors_size)
        reader = ChunkReader(file, allowed)
        try:
            await self._return(reader, refused)
            await self._take_rest(file, reader, refused)
        finally:
            await self.in_thread(partial(_close, stream, refused, reader))
        await self._end("")

    async def _allowed(self) -> Allowed:
        allowed = await IntoPhonebook(self.job.phonebook_id).allowed(self.management)
        if not self.job.region:
            return allowed
        return evolve(allowed, national=self.management.numbering.of_region(self.job.region))

    def _open(self) -> tuple[RowFile, BinaryIO]:
        stream = self.folder.open(self.job.file)
        try:
            file = row_file(stream, self.job.format, reading_of(self.job))
            file.open()
        except BaseException:
            stream.close()
            raise
        return file, stream

    async def _return(self, reader: ChunkReader, refused: RefusedFile) -> None:
        """To where it stood; what the last chunk left over is written again."""
        job = self.job
        left = job.row_count - job.last_rows
        while left:
            self._go_on()
            some = min(left, SKIP)
            if not await self.in_thread(partial(reader.skip, some)):
                raise BadValue("file", f"has fewer rows than the {job.row_count} that were read before")
            left -= some
        if job.last_rows:
            chunk = await self.in_thread(partial(reader.next, job.last_rows))
            if chunk is None or len(chunk.entries) != job.last_rows:
                raise BadValue("file", f"has fewer rows than the {job.row_count} that were read before")
            await self._write(refused, chunk.refusals(import_jobs.last_faults(job)))

    async def _take_rest(self, file: RowFile, reader: ChunkReader, refused: RefusedFile) -> None:
        who = Account(id=self.job.user_id, username="")
        rows, now = ROWS, self.management.now
        chunk: Chunk | None = await self.in_thread(partial(reader.next, rows))
        while chunk is not None:
            self._go_on()
            step = ImportStep(self.job, chunk, self._tally, refused.size, file.text.used, file.text.size)
            following: Deferred[Chunk | None] = self.in_thread(partial(reader.next, rows))
            began = now()
            try:
                added: Added = await self.management.ask_in_short_turn(import_jobs.take, who, step)
            except BaseException:
                with suppress(Exception):  # what was asked first is told
                    await following
                raise
            self._tally = self._tally.plus(chunk, added)
            rows = rows_after(rows, (now() - began).total_seconds())
            try:
                after = await following
            finally:
                await self._write(refused, chunk.refusals(added.refused))
            chunk = after

    def _go_on(self) -> None:
        if self._is_put_down:
            raise PutDown

    async def _write(self, refused: RefusedFile, left_over: list[NotTaken]) -> None:
        if left_over:
            rows = [(entry.row, f"line {entry.row.line}: {in_parameters(fault.text)}") for entry, fault in left_over]
            await self.in_thread(partial(refused.add, rows))

    async def _note_errors(self) -> None:
        if self._refused is not None:
            await self.management.ask(import_jobs.note_errors, self.job.id, self._refused.size)

    async def _end(self, problem: str) -> None:
        job, file = self.job, self._file
        end = ImportEnd(
            job=job,
            tally=self._tally,
            problem=problem,
            errors_size=job.errors_size if self._refused is None else self._refused.size,
            encoding=job.encoding_found if file is None else file.text.used,
            size_read=job.size_read if file is None else file.text.size,
        )
        await self.management.ask(import_jobs.finish, end)


def _close(stream: BinaryIO, refused: RefusedFile, reader: ChunkReader) -> None:
    reader.close()
    refused.close()
    stream.close()
