"""Errors of a database that cannot serve, in words that tell an admin which file it is and what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pony import orm
from pony.orm.dbapiprovider import DBException

from dialer.errors import BadValue, Duplicate, StoreError
from dialer.store import sqlstates

_ADVICE = {
    sqlite3.SQLITE_BUSY: "is locked by another program; end what holds a transaction open, then try again",
    sqlite3.SQLITE_LOCKED: "is locked by another program; end what holds a transaction open, then try again",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space, then try again",
    sqlite3.SQLITE_READONLY: "cannot be written; give this user write access to the file and to its directory",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that the directory exists and that this user may read and write in it",
    sqlite3.SQLITE_PERM: "cannot be opened; check that the directory exists and that this user may read and write in it",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore a backup, or rescue what is left with `sqlite3 FILE .recover`",
    sqlite3.SQLITE_NOTADB: "is not a database, or is damaged; name another file, or restore a backup",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error; check the disk and its file system",
    sqlite3.SQLITE_CONSTRAINT: "refused a row that would not be consistent",
}
_PRIMARY_CODE = 0xFF
_SAME_AS = {
    errno.EACCES: sqlite3.SQLITE_CANTOPEN,
    errno.EPERM: sqlite3.SQLITE_CANTOPEN,
    errno.ENOENT: sqlite3.SQLITE_CANTOPEN,
    errno.ENOTDIR: sqlite3.SQLITE_CANTOPEN,
    errno.EISDIR: sqlite3.SQLITE_CANTOPEN,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
}


def root_of(error: BaseException) -> BaseException:
    """The driver's own error inside those that Pony wraps around it."""
    while True:
        inner = getattr(error, "original_exc", None)
        if inner is None:
            wrapped = getattr(error, "exceptions", None)
            inner = wrapped[0][1] if wrapped else None
        if inner is None or inner is error:
            return error
        error = inner


def is_database_error(error: BaseException) -> bool:
    """Whether the database or its driver raised it (or Pony, on their behalf)."""
    root = root_of(error)
    return isinstance(root, sqlite3.Error | OSError) or sqlstates.is_error(root)


def explain(error: BaseException, where: str) -> StoreError:
    """The product's error for what a driver raised. `where` names the database."""
    cause = root_of(error)
    if sqlstates.is_error(cause):
        return StoreError(f"the database {where} {sqlstates.advice(cause)}")
    code = getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if isinstance(cause, OSError):
        code = _SAME_AS.get(cause.errno or 0, 0)
    if code in _ADVICE:
        return StoreError(f"the database {where} {_ADVICE[code]} ({cause})")
    return StoreError(f"the database {where} cannot serve: {cause}")


def refused_value(error: BaseException) -> BadValue | None:
    """The field that a constraint protects, when it was one: `Duplicate` for a unique one, `BadValue` for any other.

    SQLite names the columns of a unique constraint, and a CHECK constraint by its name, which is `<table>_<column>` here.
    """
    cause = root_of(error)
    if not isinstance(cause, sqlite3.IntegrityError):
        return sqlstates.refused_value(cause)
    kind, _, subject = str(cause).partition(" constraint failed: ")
    if kind == "UNIQUE":
        columns = [column.strip().partition(".")[2] for column in subject.split(",")]
        return Duplicate(columns[-1], "exists already")
    if kind == "CHECK":
        return BadValue(_field_of(subject), "is out of range")
    if kind == "NOT NULL":
        return BadValue(subject.partition(".")[2], "is missing")
    return BadValue("reference", "names something that does not exist")


_TABLES = ("user_account_", "gateway_", "voip_app_", "campaign_", "phonebook_", "contact_", "subscriber_", "attempt_")


def _field_of(constraint: str) -> str:
    for table in _TABLES:
        if constraint.startswith(table):
            return constraint[len(table) :]
    return constraint


@contextmanager
def refusals() -> Iterator[None]:
    """Around the making or changing of entities: flushes at the end, raises `BadValue` or `Duplicate` for what is refused."""
    try:
        yield
        orm.flush()
    except (orm.core.OrmError, DBException) as error:  # the latter for a changed row, which Pony does not wrap
        refused = refused_value(error)
        if refused is None:
            raise
        raise refused from error
