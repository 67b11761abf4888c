"""The schema's version: `upgrade` brings a database to the newest one, `check` refuses any other.

An upgrade's statements, and the row that says that it was applied, are one transaction: power may fail at any moment. (That is
why the runner is our own: yoyo-migrations marks an upgrade on a second connection after its statements were committed, keeps
its lock as a row that a killed process leaves behind, and writes to the database even to read its version.)
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from attrs import frozen

from dialer.errors import StoreError
from dialer.store import maintenance
from dialer.store.connection import Dialect, SqliteConnection, Variants
from dialer.store.faults import explain, is_database_error
from dialer.store.location import check_driver, dialect_of, shown, sqlite_path

BUSY_SECONDS = 5.0
"""How long a statement waits for another program's lock."""

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.(sqlite|postgresql)\.sql")

_VERSIONS = "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at {} NOT NULL)"
_APPLIED = "INSERT INTO schema_version VALUES (?, ?, CURRENT_TIMESTAMP)"
_VERSION = "SELECT max(version) FROM schema_version"
_TABLES = Variants(
    sqlite="SELECT name FROM sqlite_master WHERE type = 'table'",
    postgresql="SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false))",
)


@frozen(kw_only=True)
class Upgrade:
    """One step of the schema. Steps are numbered from 1 without gaps."""

    version: int
    name: str
    sql: str


def upgrades(dialect: Dialect = Dialect.SQLITE) -> list[Upgrade]:
    """The steps that this version of the product knows, in order."""
    found = []
    for entry in resources.files("dialer.store.upgrades").iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match and match[3] == dialect:
            found.append(Upgrade(version=int(match[1]), name=match[2], sql=entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda step: step.version)


def upgrade(url: str, steps: Sequence[Upgrade] | None = None) -> list[int]:
    """Bring the database to the newest schema; a missing file is created, readable by its owner only, a database on a server
    has to be there. Returns the versions that were applied, none when it was up to date. Raises `StoreError` and leaves the
    database as it was, also when a dialer is at work on a server; who dials with a file is for the caller to tell."""
    steps = upgrades(dialect_of(url)) if steps is None else steps
    where = shown(url)
    try:
        with _begun(url) as connection:
            if connection.dialect is Dialect.POSTGRESQL and _version(connection, where) < steps[-1].version:
                maintenance.exclude_dialers(connection)
            applied = _apply(connection, where, steps)
            connection.commit()
            return applied
    except Exception as error:
        raise _explained(error, where) from error


def is_newest(url: str) -> bool:
    """Whether there is nothing to upgrade. Raises `StoreError` for a database that cannot be read, or is not there."""
    where = shown(url)
    try:
        with opened(url) as connection:
            return _version(connection, where) == upgrades(dialect_of(url))[-1].version
    except Exception as error:
        raise _explained(error, where) from error


def check(url: str, steps: Sequence[Upgrade] | None = None) -> None:
    """Raise `StoreError` unless the database has exactly the newest schema. Changes nothing."""
    newest = (upgrades(dialect_of(url)) if steps is None else steps)[-1].version
    where = shown(url)
    try:
        with opened(url) as connection:
            version = _version(connection, where)
    except Exception as error:
        raise _explained(error, where) from error
    if version < newest:
        raise StoreError(f"the database {where} has schema {version}, and {newest} is needed: run the upgrade command")
    _refuse_newer(version, newest, where)


@contextmanager
def opened(url: str) -> Iterator[Any]:
    """A connection of one's own (`Connection`, with `commit` and `rollback`), outside a transaction on SQLite. Raises
    `StoreError` for a file that is not there, and what the driver raises."""
    if dialect_of(url) is Dialect.POSTGRESQL:
        from dialer.store.postgresql import connect

        with closing(connect(url, "dialer")) as server:
            yield server
        return
    check_driver()
    path = sqlite_path(url)
    if not path.exists():
        raise StoreError(f"there is no database at {path}: create it with the upgrade command")
    with closing(_connect(path)) as file:
        yield file


@contextmanager
def _begun(url: str) -> Iterator[Any]:
    """The same, in a transaction; rolled back when the body fails. A missing file is created."""
    if dialect_of(url) is Dialect.SQLITE:
        _create(sqlite_path(url))
    with opened(url) as connection:
        if connection.dialect is Dialect.SQLITE:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise


def _explained(error: Exception, where: str) -> Exception:
    return explain(error, where) if is_database_error(error) else error


def _apply(connection: Any, where: str, steps: Sequence[Upgrade]) -> list[int]:
    version = _version(connection, where)
    _refuse_newer(version, steps[-1].version, where)
    is_file = connection.dialect is Dialect.SQLITE
    if version == 0:
        connection.execute(_VERSIONS.format("TEXT" if is_file else "TIMESTAMP(6)"))
    applied = []
    for step in steps:
        if step.version > version:
            for statement in _statements(step.sql) if is_file else [step.sql]:
                connection.execute(statement)
            connection.execute(_APPLIED, (step.version, step.name))
            applied.append(step.version)
    return applied


def _version(connection: Any, where: str) -> int:
    tables = {name for (name,) in connection.execute(_TABLES.of(connection))}
    if "schema_version" in tables:
        (version,) = connection.execute(_VERSION).fetchone()
        return int(version or 0)
    if tables:
        raise StoreError(f"{where} is a database of another program: name another one")
    return 0


def _refuse_newer(version: int, newest: int, where: str) -> None:
    if version > newest:
        raise StoreError(
            f"the database {where} has schema {version}, which is newer than this dialer knows ({newest}): use a newer dialer"
        )


def _statements(sql: str) -> Iterator[str]:
    """A script's statements; a semicolon inside a trigger or a string ends none."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise ValueError(f"unfinished statement: {pending}")


def _create(path: Path) -> None:
    """The file is created before SQLite does it, which would let the umask decide who may read the contacts."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _connect(path: Path) -> SqliteConnection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, factory=SqliteConnection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
