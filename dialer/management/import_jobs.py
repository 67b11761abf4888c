"""Imports as jobs: files of contacts that were uploaded, and are taken in the background.

A chunk of rows, and how far the import is, are one transaction: whatever is killed, each row is taken once. One node at a
time works on an import, which is the one that holds it.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from attrs import define, frozen
from pony.orm import desc

from dialer.errors import BadValue, LimitExceeded, NotFound
from dialer.files.contacts import Reason, RowFault
from dialer.management import rows
from dialer.management.imports import Added, Chunk, Tally
from dialer.management.management import Transaction, reads, verb, writes
from dialer.management.phonebook_import import add_contacts, tell_import
from dialer.model import Account
from dialer.model.import_job import MOST_OPEN, ImportFormat, ImportJob, ImportState
from dialer.numbering import check_region
from dialer.store import import_jobs as sql
from dialer.store.times import from_column_or_none, to_column, to_entity
from dialer.stored import value_of

KIND: Final = "import"
MOST_LOOKED_AT: Final = 100
"""Imports that have not ended, at one look."""


@frozen(kw_only=True)
class UploadedFile:
    """A file that is whole, in the folder of imports of the node."""

    file: str
    node: str
    name: str
    size: int
    format: ImportFormat


# --- for users --------------------------------------------------------------------------------------------------------------


@reads
def listed(
    t: Transaction, who: Account, phonebook_id: int | None = None, before: int | None = None, limit: int | None = None
) -> list[ImportJob]:
    """The user's imports, the newest first; everybody's for a superuser. Those into a phonebook, where one is given, and whose
    ids are below `before`."""
    query = t.entities.ImportJob.select()
    if not who.is_superuser:
        query = query.filter(lambda j: j.user.id == who.id)
    if phonebook_id is not None:
        query = query.filter(lambda j: j.phonebook_id == phonebook_id)
    if before is not None:
        query = query.filter(lambda j: j.id < before)
    query = query.order_by(lambda j: desc(j.id))
    return [value_of(ImportJob, row) for row in (query if limit is None else query.limit(limit))]


@reads
def read(t: Transaction, who: Account, import_id: int) -> ImportJob:
    """One of them. Raises `NotFound`."""
    return value_of(ImportJob, rows.ours(who, t.entities.ImportJob.get(id=import_id), KIND, import_id))


@writes
def create(t: Transaction, who: Account, phonebook_id: int, given: Mapping[str, Any], upload: UploadedFile) -> ImportJob:
    """A file for a phonebook; `given` are `mapping`, `region`, `encoding`, `header` and `dry_run`, as far as they were given.
    Raises `NotFound`, `BadValue`, `LimitExceeded`."""
    rows.asking(t, who)
    book = rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id)
    count = t.entities.ImportJob.select(lambda j: j.user.id == book.user.id and j.ended_at is None).count()
    if count >= MOST_OPEN:
        raise LimitExceeded("imports that have not ended", MOST_OPEN)
    values = {
        "user_id": book.user.id,
        "phonebook_id": phonebook_id,
        "name": upload.name[-255:],
        "format": upload.format,
        "encoding": checked_encoding(given.get("encoding", "")),
        "mapping": orjson.dumps(dict(given.get("mapping", {}))).decode(),
        "region": check_region(given.get("region", ""), "region"),
        "header": given.get("header", True),
        "dry_run": given.get("dry_run", False),
        "size": upload.size,
        "file": upload.file,
        "node": upload.node,
    }
    return value_of(ImportJob, rows.create(t, ImportJob, values))


def checked_encoding(name: str) -> str:
    """An encoding of texts, "" for one that is to be found out. Raises `BadValue`."""
    if name:
        try:
            b"".decode(codecs.lookup(name).name)
        except (LookupError, UnicodeError):
            raise BadValue("encoding", f"{name[:40]!r} is not known; expected one such as utf-8 or cp1252") from None
    return name


@writes
def cancel(t: Transaction, who: Account, import_id: int) -> ImportJob:
    """Take no more of its rows; those that were taken stay. One that has ended stays as it is. Raises `NotFound`."""
    row = rows.ours(who, t.entities.ImportJob.get_for_update(id=import_id), KIND, import_id)
    if row.ended_at is None:
        row.set(state=str(ImportState.CANCELLED), ended_at=to_entity(t.now), held_until=None)
    return value_of(ImportJob, row)


@writes
def remove(t: Transaction, who: Account, import_id: int) -> ImportJob:
    """The same, and forget it, with the file and the rows that were refused. Raises `NotFound`. Returns what it was."""
    row = rows.ours(who, t.entities.ImportJob.get_for_update(id=import_id), KIND, import_id)
    found = value_of(ImportJob, row)
    row.delete()
    return found


# --- for the node that works on them ----------------------------------------------------------------------------------------


@verb
def open_ones(t: Transaction) -> list[ImportJob]:
    """Those that have not ended, the oldest first."""
    return [sql.READ(row) for row in t.connection.execute(sql.OPEN, (MOST_LOOKED_AT,))]


@verb
def hold(t: Transaction, import_id: int, node: str) -> ImportJob | None:
    """Work on it is this node's for a while; None where it is another one's, or it has ended."""
    now = to_column(t.now)
    row = (node, to_column(t.now + sql.LEASE), now, import_id, node, now)
    if t.connection.execute(sql.HOLD.of(t.connection), row).fetchone() is None:
        return None
    return sql.READ(t.connection.execute(sql.ONE, (import_id,)).fetchone())


@verb
def release(t: Transaction, import_id: int, node: str) -> None:
    """Another node, or this one after its next start, may go on at once."""
    t.connection.execute(sql.RELEASE, (import_id, node))


@define(eq=False)
class ImportStep:
    """A chunk of an import that is about to be taken: where the import stands before it, and what its file of refused rows
    has."""

    job: ImportJob
    chunk: Chunk
    tally: Tally
    errors_size: int
    encoding: str
    size_read: int


@verb
def take(t: Transaction, who: Account, step: ImportStep) -> Added:
    """Take a chunk. Raises `NotFound`: another node has the import, it was cancelled or removed, or its phonebook was."""
    connection, job = t.connection, step.job
    if connection.execute(sql.STANDS.of(connection), (job.id, job.holder, step.tally.rows)).fetchone() is None:
        raise NotFound(KIND, job.id)
    added = add_contacts(t, job.phonebook_id, step.chunk.contacts, step.tally.taken if job.dry_run else None)
    after = step.tally.plus(step.chunk, added)
    faults = {place: [str(fault.reason), fault.text] for place, fault in added.refused.items()}
    row = (
        to_column(t.now + sql.LEASE),
        step.encoding,
        step.size_read,
        after.rows,
        after.taken,
        after.known,
        after.duplicates,
        after.refused,
        orjson.dumps({str(reason): count for reason, count in after.reasons.items()}).decode(),
        len(step.chunk.entries),
        orjson.dumps(faults, option=orjson.OPT_NON_STR_KEYS).decode(),
        step.errors_size,
    )
    connection.execute(sql.STEP, (*row, job.id))
    return added


def tally_of(job: ImportJob) -> Tally:
    """How far it is."""
    reasons = Counter({Reason(name): count for name, count in orjson.loads(job.reasons).items()})
    return Tally(rows=job.row_count, taken=job.taken, known=job.already_there, duplicates=job.duplicates, reasons=reasons)


def last_faults(job: ImportJob) -> dict[int, RowFault]:
    """The contacts of the last chunk that the database refused, by their places."""
    found = orjson.loads(job.last_faults)
    return {int(place): RowFault(Reason(reason), text) for place, (reason, text) in found.items()}


@writes
def finish(t: Transaction, step: ImportEnd) -> bool:
    """It came to its end, or cannot go on; whether it was this node's to end. Others hear of the contacts of a file that was
    taken."""
    state = ImportState.FAILED if step.problem else ImportState.FINISHED
    row = (str(state), step.problem[:2000], step.encoding, step.size_read, step.errors_size, to_column(t.now))
    ended = t.connection.execute(sql.END, (*row, step.job.id, step.job.holder)).fetchone() is not None
    if ended and state is ImportState.FINISHED and not step.job.dry_run:
        tell_import(t, step.job.phonebook_id, step.tally)
    return ended


@frozen(kw_only=True)
class ImportEnd:
    """How an import ends: `problem` is why it failed, "" when it did not."""

    job: ImportJob
    tally: Tally
    problem: str
    errors_size: int
    encoding: str
    size_read: int


@verb
def note_errors(t: Transaction, import_id: int, size: int) -> None:
    """One that was cancelled is put down, and its file of refused rows is complete."""
    t.connection.execute(sql.ERRORS_SIZE, (size, import_id))


@verb
def look_up(t: Transaction, import_id: int) -> ImportJob | None:
    """The import in its present state; None when there is none of that id."""
    row = t.connection.execute(sql.ONE, (import_id,)).fetchone()
    return None if row is None else sql.READ(row)


@verb
def expire(t: Transaction, before: datetime, limit: int) -> int:
    """Forget up to `limit` that ended before a moment; how many went."""
    return int(t.connection.execute(sql.EXPIRE, (to_column(before), limit)).rowcount)


@verb
def files(t: Transaction) -> Mapping[str, bool]:
    """The files that imports have, and whether each has ended."""
    found: Sequence[Any] = t.connection.execute(sql.FILES).fetchall()
    return {name: from_column_or_none(ended_at) is not None for name, ended_at in found}
