"""Imports as jobs: files of contacts, or of numbers that are not called, that were uploaded, and are taken in the background.

A chunk of rows, how far the import is, and the rows of the chunk that were refused are one transaction: whatever is killed,
each row is taken once, and told of once. One node at a time works on an import, which is the one that holds it. A draft waits
for somebody to start it.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from attrs import define, evolve, frozen
from pony.orm import desc

from dialer.errors import BadValue, LimitExceeded, NotFound, WrongState
from dialer.files.contacts import Reason
from dialer.files.sample import check_columns
from dialer.management import do_not_call_lists, import_errors, rows
from dialer.management.forbidding import OntoDoNotCallList, forbid_contacts
from dialer.management.import_errors import KeptErrors, RefusedRows, in_parameters
from dialer.management.imports import Added, Chunk, Tally
from dialer.management.management import Transaction, reads, verb, writes
from dialer.management.phonebook_import import add_contacts, tell_import
from dialer.model import Account, Scope
from dialer.model.import_job import MOST_DRAFTS, MOST_OPEN, Doubles, ImportFormat, ImportJob, ImportState
from dialer.model.user import ADMINISTRATOR
from dialer.numbering import check_region
from dialer.store import import_jobs as sql
from dialer.store.leases import moment
from dialer.store.new_contacts import EncodedContacts
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
    t: Transaction,
    who: Account,
    phonebook_id: int | None = None,
    before: int | None = None,
    limit: int | None = None,
    list_id: int | None = None,
    state: ImportState | None = None,
) -> list[ImportJob]:
    """The user's imports, the newest first; everybody's for a superuser, without the scope `admin` but for those onto others'
    lists. Those into a phonebook, or onto a list, and of a state, where one is given, and whose ids are below `before`."""
    query = t.entities.ImportJob.select()
    if not who.is_superuser:
        query = query.filter(lambda j: j.user.id == who.id)
    elif Scope.ADMIN not in who.scopes:
        query = query.filter(lambda j: j.user.id == who.id or j.list is None)
    if phonebook_id is not None:
        query = query.filter(lambda j: j.phonebook_id == phonebook_id)
    if list_id is not None:
        query = query.filter(lambda j: j.list.id == list_id)
    if state is not None:
        word = str(state)
        query = query.filter(lambda j: j.state == word)
    if before is not None:
        query = query.filter(lambda j: j.id < before)
    query = query.order_by(lambda j: desc(j.id))
    return [value_of(ImportJob, row) for row in (query if limit is None else query.limit(limit))]


@reads
def read(t: Transaction, who: Account, import_id: int) -> ImportJob:
    """One of them. Raises `NotFound`."""
    return value_of(ImportJob, _ours(who, t.entities.ImportJob.get(id=import_id), import_id))


def _ours(who: Account, row: Any, import_id: int) -> Any:
    found = rows.ours(who, row, KIND, import_id)
    if found.list is not None and found.user.id != who.id and Scope.ADMIN not in who.scopes:
        raise NotFound(KIND, import_id)
    return found


@writes
def create(
    t: Transaction, who: Account, given: Mapping[str, Any], upload: UploadedFile, sample: Sequence[Sequence[str]] = ()
) -> ImportJob:
    """A file for a phonebook or for a do-not-call list; `given` are `phonebook_id` or `list_id`, and `mapping`, `region`,
    `encoding`, `header`, `dry_run` and `doubles`, as far as they were given. With a `sample`, its first rows, it is a draft.
    Raises `NotFound`, `BadValue`, `LimitExceeded`, `Forbidden`."""
    rows.asking(t, who)
    phonebook_id, list_id = given.get("phonebook_id"), given.get("list_id")
    if (phonebook_id is None) is (list_id is None):
        raise BadValue("phonebook_id", "expected the id of a phonebook, or else `list_id`, that of a do-not-call list")
    if list_id is None:
        owner = int(rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id).user.id)
    else:
        owner = do_not_call_lists.read(t, who, list_id).user_id or who.id
    _check_room(t, owner, as_draft=bool(sample))
    values = {
        "user_id": owner,
        "phonebook_id": phonebook_id,
        "list_id": list_id,
        "name": upload.name[-255:],
        "format": upload.format,
        "state": ImportState.DRAFT if sample else ImportState.QUEUED,
        "sample": orjson.dumps(sample).decode(),
        "size": upload.size,
        "file": upload.file,
        "node": upload.node,
        "added_by": do_not_call_lists.doer(who),
        "dry_run": given.get("dry_run", False),
        **_manner(given),
    }
    return value_of(ImportJob, rows.create(t, ImportJob, values))


def _manner(given: Mapping[str, Any]) -> dict[str, Any]:
    """How a file is read, and what is done with it. Raises `BadValue`."""
    return {
        "encoding": checked_encoding(given.get("encoding", "")),
        "mapping": orjson.dumps(dict(given.get("mapping", {}))).decode(),
        "region": check_region(given.get("region", ""), "region"),
        "header": given.get("header", True),
        "doubles": Doubles(given.get("doubles", Doubles.KEEP)),
    }


def _manner_of(job: ImportJob) -> dict[str, Any]:
    """The same as it is given, of an import that is there."""
    same = {name: getattr(job, name) for name in ("encoding", "region", "header", "doubles")}
    return {**same, "mapping": orjson.loads(job.mapping)}


def _check_columns(row: Any, wanted: Mapping[str, Any]) -> None:
    """Raise `BadValue` for a mapping that the first rows of the file do not fit."""
    if ImportFormat(row.format) is not ImportFormat.CSV:
        return
    try:
        check_columns(orjson.loads(row.sample), wanted["mapping"], header=wanted["header"])
    except BadValue as error:
        raise BadValue(in_parameters(error.field), in_parameters(error.problem)) from None


def _check_room(t: Transaction, owner: int, *, as_draft: bool) -> None:
    """Raise `LimitExceeded` for a user that has too many already."""
    query = t.entities.ImportJob.select(lambda j: j.user.id == owner and j.ended_at is None)
    drafts = query.filter(lambda j: j.state == "draft").count()
    if as_draft and drafts >= MOST_DRAFTS:
        raise LimitExceeded("imports that wait to be started", MOST_DRAFTS)
    if not as_draft and query.count() - drafts >= MOST_OPEN:
        raise LimitExceeded("imports that have not ended", MOST_OPEN)


@writes
def start(t: Transaction, who: Account, import_id: int, given: Mapping[str, Any]) -> ImportJob:
    """Take the file of a draft, or with `dry_run` tell what would be done; `given` are the others that `create` takes, but
    for where the file goes: what is not given stays as it was. Raises `NotFound`, `WrongState` for one that is no draft,
    `BadValue`, also for a column that the file does not have, `LimitExceeded`, `Forbidden`."""
    row = _ours(who, t.entities.ImportJob.get_for_update(id=import_id), import_id)
    if row.state != str(ImportState.DRAFT):
        raise WrongState(f"import {import_id} is {row.state}; only a draft is started")
    if row.list is not None:
        do_not_call_lists.read(t, who, row.list.id)
    wanted = {**_manner_of(value_of(ImportJob, row)), **given}
    manner = _manner(wanted)
    _check_columns(row, wanted)
    _check_room(t, row.user.id, as_draft=False)
    t.connection.execute(sql.FORGET_ERRORS, (import_id,))
    begun = {"state": ImportState.QUEUED, "dry_run": bool(given.get("dry_run", False)), **manner, **_NOT_BEGUN}
    rows.change(t, ImportJob, row, begun)
    return value_of(ImportJob, row)


_NOT_BEGUN: Final[Mapping[str, Any]] = {
    "problem": "", "row_count": 0, "size_read": 0, "taken": 0, "already_there": 0, "changed": 0, "duplicates": 0, "refused": 0,
    "reasons": "{}", "errors_size": 0, "errors_left_out": 0, "started_at": None, "held_until": None, "holder": "",
}  # fmt: skip
"""Of an import that nothing was read of."""


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
    row = _ours(who, t.entities.ImportJob.get_for_update(id=import_id), import_id)
    if row.ended_at is None:
        row.set(state=str(ImportState.CANCELLED), ended_at=to_entity(t.now), held_until=None)
    return value_of(ImportJob, row)


@writes
def remove(t: Transaction, who: Account, import_id: int) -> ImportJob:
    """The same, and forget it, with the file and the rows that were refused. Raises `NotFound`. Returns what it was."""
    row = _ours(who, t.entities.ImportJob.get_for_update(id=import_id), import_id)
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
    at = moment(t.connection, t.now)
    now = to_column(at)
    row = (node, to_column(at + sql.LEASE), now, import_id, node, now)
    if t.connection.execute(sql.HOLD, row).fetchone() is None:
        return None
    return sql.READ(t.connection.execute(sql.ONE, (import_id,)).fetchone())


@verb
def release(t: Transaction, import_id: int, node: str) -> None:
    """Another node, or this one after its next start, may go on at once."""
    t.connection.execute(sql.RELEASE, (import_id, node))


@define(eq=False)
class ImportStep:
    """A chunk of an import that is about to be taken: where the import stands before it, and the rows of the chunk that are
    refused whatever the database says. `new` are the contacts of the chunk as a phonebook takes them, if there are any."""

    job: ImportJob
    chunk: Chunk
    new: EncodedContacts | None
    tally: Tally
    refused: RefusedRows
    encoding: str
    size_read: int


@frozen(kw_only=True)
class TakenChunk:
    """What became of a chunk, and what is kept of the rows that were refused."""

    added: Added
    errors: KeptErrors


@verb
def take(t: Transaction, who: Account, step: ImportStep) -> TakenChunk:
    """Take a chunk. Raises `NotFound`: another node has the import, it was cancelled or removed, or its phonebook or its list
    was."""
    connection, job = t.connection, step.job
    if connection.execute(sql.STANDS.of(connection), (job.id, job.holder, step.tally.rows)).fetchone() is None:
        raise NotFound(KIND, job.id)
    added = _add(t, step)
    after = step.tally.plus(step.chunk, added)
    errors = import_errors.keep(t, job.id, step.refused, step.chunk.refusals(added.refused))
    row = (
        to_column(moment(connection, t.now) + sql.LEASE),
        step.encoding,
        step.size_read,
        after.rows,
        after.taken,
        after.known,
        after.changed,
        after.duplicates,
        after.refused,
        orjson.dumps({str(reason): count for reason, count in after.reasons.items()}).decode(),
        errors.size,
        errors.left_out,
    )
    connection.execute(sql.STEP, (*row, job.id))
    return TakenChunk(added=added, errors=errors)


def _add(t: Transaction, step: ImportStep) -> Added:
    job, contacts = step.job, step.chunk.contacts
    if job.list_id is not None:
        return forbid_contacts(t, onto_list(job), contacts, job.dry_run)
    planned = step.tally.taken if job.dry_run else None
    return add_contacts(t, job.phonebook_id or 0, contacts, planned, change=job.doubles is Doubles.CHANGE, new=step.new)


def onto_list(job: ImportJob) -> OntoDoNotCallList:
    """Where the numbers of an import go that is for a do-not-call list; that they may was seen when it was started."""
    who = evolve(ADMINISTRATOR, username=job.added_by)
    return OntoDoNotCallList(who=who, list_id=job.list_id or 0, source=job.name)


def tally_of(job: ImportJob) -> Tally:
    """How far it is."""
    reasons = Counter({Reason(name): count for name, count in orjson.loads(job.reasons).items()})
    return Tally(
        rows=job.row_count,
        taken=job.taken,
        known=job.already_there,
        changed=job.changed,
        duplicates=job.duplicates,
        reasons=reasons,
    )


@writes
def finish(t: Transaction, step: ImportEnd) -> bool:
    """It came to its end, or cannot go on; whether it was this node's to end. What was made as a draft is one again after a
    dry run. Others hear of the contacts of a file that was taken."""
    state = ImportState.FAILED if step.problem else ImportState.FINISHED
    if step.job.dry_run and step.job.is_made_as_draft:
        state = ImportState.DRAFT
    ended_at = None if state is ImportState.DRAFT else to_column(t.now)
    row = (str(state), step.problem[:2000], step.encoding, step.size_read, ended_at)
    ended = t.connection.execute(sql.END, (*row, step.job.id, step.job.holder)).fetchone() is not None
    if ended and state is ImportState.FINISHED and not step.job.dry_run and step.job.phonebook_id is not None:
        tell_import(t, step.job.phonebook_id, step.tally)
    return ended


@frozen(kw_only=True)
class ImportEnd:
    """How an import ends: `problem` is why it failed, "" when it did not."""

    job: ImportJob
    tally: Tally
    problem: str
    encoding: str
    size_read: int


@verb
def look_up(t: Transaction, import_id: int) -> ImportJob | None:
    """The import in its present state; None when there is none of that id."""
    row = t.connection.execute(sql.ONE, (import_id,)).fetchone()
    return None if row is None else sql.READ(row)


@verb
def expire_errors(t: Transaction, before: datetime, limit: int) -> int:
    """Forget up to `limit` pieces of rows that were refused by imports which ended before a moment; how many went."""
    return int(t.connection.execute(sql.EXPIRE_ERRORS, (to_column(before), limit)).rowcount)


@verb
def expire(t: Transaction, before: datetime, limit: int) -> int:
    """Forget up to `limit` that ended before a moment, and drafts that nobody started since; how many of the first went."""
    t.connection.execute(sql.EXPIRE_DRAFTS, (to_column(before),))
    return int(t.connection.execute(sql.EXPIRE, (to_column(before), limit)).rowcount)


@verb
def files(t: Transaction) -> Mapping[str, bool]:
    """The files that imports have, and whether each has ended."""
    found: Sequence[Any] = t.connection.execute(sql.FILES).fetchall()
    return {name: from_column_or_none(ended_at) is not None for name, ended_at in found}
