"""One import, from where it stands to its end.

A chunk is read on a thread while the database takes the one before; those of its rows that are no contacts are made ready to
be kept there, too. After a crash the rows that were taken are passed, and it goes on behind them.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import BinaryIO, Final

import orjson
from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred

from dialer.errors import BadValue, NotFound
from dialer.files.contacts import Allowed, ContactFile, Reading, RowFile
from dialer.files.import_folder import ImportFolder
from dialer.files.objects import ObjectFile
from dialer.management import import_jobs
from dialer.management.import_errors import RefusedRows, encoded, in_parameters
from dialer.management.import_jobs import ImportEnd, ImportStep, TakenChunk
from dialer.management.imports import Chunk, ChunkReader, Tally
from dialer.management.management import Management
from dialer.management.phonebook_import import IntoPhonebook
from dialer.management.workers import InThread
from dialer.model import Account
from dialer.model.import_job import ImportFormat, ImportJob
from dialer.safe_files import UnsafeFile
from dialer.store import new_contacts
from dialer.store.new_contacts import EncodedContacts

ROWS: Final = 500
"""In the first transaction."""
FEWEST: Final = 250
MOST: Final = 4000
WANTED: Final = 0.05
"""Seconds that a transaction is to take, for which others wait on the database thread. With fewer rows, most of the time would
go into writing the same pages of the indexes again and again."""
SKIP: Final = 5000
"""Rows that are passed in one go, on the way to where an import stood."""


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


@define(eq=False)
class ImportRun:
    """The work on an import that this node holds; `in_thread` runs what takes long."""

    management: Management
    folder: ImportFolder
    job: ImportJob
    in_thread: InThread
    _is_put_down: bool = field(default=False, init=False)
    _file: RowFile | None = field(default=None, init=False)
    _errors_size: int = field(init=False)
    _tally: Tally = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tally, self._errors_size = import_jobs.tally_of(self.job), self.job.errors_size

    def put_down(self) -> None:
        """No further chunk is begun."""
        self._is_put_down = True

    async def run(self) -> None:
        """To the end of the file, unless it is put down, cancelled, or another node has it. Fails with `StoreError`."""
        with suppress(PutDown):
            try:
                await self._take()
            except NotFound as error:
                if error.kind != import_jobs.KIND:
                    await self._end(str(error))
            except (BadValue, UnsafeFile) as error:
                await self._end(in_parameters(str(error)))
            except FileNotFoundError:
                await self._end("its file is not there any more")
            except OSError as error:
                await self._end(f"its file cannot be read: {error.strerror}")

    async def _take(self) -> None:
        allowed = await self._allowed()
        file, stream = await self.in_thread(self._open)
        self._file = file
        reader = ChunkReader(file, allowed)
        try:
            await self._return(reader)
            await self._take_rest(file, reader)
        finally:
            await self.in_thread(partial(_close, stream, reader))
        await self._end("")

    async def _allowed(self) -> Allowed:
        book = self.job.phonebook_id
        target = import_jobs.onto_list(self.job) if book is None else IntoPhonebook(book)
        allowed = await target.allowed(self.management)
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

    async def _return(self, reader: ChunkReader) -> None:
        """To where it stood."""
        left = self.job.row_count
        while left:
            self._go_on()
            some = min(left, SKIP)
            if not await self.in_thread(partial(reader.skip, some)):
                raise BadValue("file", f"has fewer rows than the {self.job.row_count} that were read before")
            left -= some

    async def _take_rest(self, file: RowFile, reader: ChunkReader) -> None:
        who = Account(id=self.job.user_id, username="")
        rows, now = ROWS, self.management.now
        found: _Read | None = await self.in_thread(partial(self._next, file, reader, rows))
        while found is not None:
            self._go_on()
            chunk = found.chunk
            refused = RefusedRows(file=file, size=self._errors_size, rows=found.refused)
            step = ImportStep(self.job, chunk, found.new, self._tally, refused, found.encoding, found.size)
            following: Deferred[_Read | None] = self.in_thread(partial(self._next, file, reader, rows))
            try:
                began = now()
                taken: TakenChunk = await self.management.ask_in_short_turn(import_jobs.take, who, step)
            except BaseException:
                with suppress(Exception):  # what was asked first is told
                    await following
                raise
            self._tally = self._tally.plus(chunk, taken.added)
            self._errors_size += taken.errors.size
            rows = rows_after(rows, (now() - began).total_seconds())
            found = await following

    def _next(self, file: RowFile, reader: ChunkReader, size: int) -> _Read | None:
        """The next chunk, of so many rows at most. On a thread."""
        chunk = reader.next(size)
        if chunk is None:
            return None
        is_written = self.job.phonebook_id is not None and not self.job.dry_run
        new = new_contacts.encoded(chunk.contacts) if is_written and chunk.contacts else None
        return _Read(chunk, new, encoded(file, chunk.refusals({})), file.text.used, file.text.size)

    def _go_on(self) -> None:
        if self._is_put_down:
            raise PutDown

    async def _end(self, problem: str) -> None:
        job, file = self.job, self._file
        end = ImportEnd(
            job=job,
            tally=self._tally,
            problem=problem,
            encoding=job.encoding_found if file is None else file.text.used,
            size_read=job.size_read if file is None else file.text.size,
        )
        await self.management.ask(import_jobs.finish, end)


@frozen
class _Read:
    """A chunk; its contacts as a phonebook takes them; its rows that are refused whatever the database says; and how far the
    file was read with it."""

    chunk: Chunk
    new: EncodedContacts | None
    refused: dict[int, bytes]
    encoding: str
    size: int


def _close(stream: BinaryIO, reader: ChunkReader) -> None:
    reader.close()
    stream.close()
