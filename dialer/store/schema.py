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
from contextlib import closing
from importlib import resources
from pathlib import Path

from attrs import frozen

from dialer.errors import StoreError
from dialer.store.faults import explain
from dialer.store.location import check_driver, sqlite_path

DIALECT = "sqlite"
BUSY_SECONDS = 5.0
"""How long a statement waits for another program's lock."""

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sqlite\.sql")


@frozen(kw_only=True)
class Upgrade:
    """One step of the schema. Steps are numbered from 1 without gaps."""

    version: int
    name: str
    sql: str


def upgrades() -> list[Upgrade]:
    """The steps that this version of the product knows, in order."""
    found = []
    for entry in resources.files("dialer.store.upgrades").iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match:
            found.append(Upgrade(version=int(match[1]), name=match[2], sql=entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda step: step.version)


def upgrade(url: str, steps: Sequence[Upgrade] | None = None) -> list[int]:
    """Bring the database to the newest schema; a missing file is created, readable by its owner only. Returns the versions
    that were applied, none when it was up to date. Raises `StoreError` and leaves the database as it was."""
    check_driver()
    path = sqlite_path(url)
    steps = upgrades() if steps is None else steps
    try:
        _create(path)
        with closing(_connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                applied = _apply(connection, path, steps)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
            return applied
    except (sqlite3.Error, OSError) as error:
        raise explain(error, str(path)) from error


def check(url: str, steps: Sequence[Upgrade] | None = None) -> None:
    """Raise `StoreError` unless the database has exactly the newest schema. Changes nothing."""
    check_driver()
    path = sqlite_path(url)
    if not path.exists():
        raise StoreError(f"there is no database at {path}: create it with the upgrade command")
    newest = (upgrades() if steps is None else steps)[-1].version
    try:
        with closing(_connect(path)) as connection:
            version = _version(connection, path)
    except sqlite3.Error as error:
        raise explain(error, str(path)) from error
    if version < newest:
        raise StoreError(f"the database {path} has schema {version}, and {newest} is needed: run the upgrade command")
    _refuse_newer(version, newest, path)


def _apply(connection: sqlite3.Connection, path: Path, steps: Sequence[Upgrade]) -> list[int]:
    version = _version(connection, path)
    _refuse_newer(version, steps[-1].version, path)
    if version == 0:
        connection.execute(
            "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)"
        )
    applied = []
    for step in steps:
        if step.version > version:
            for statement in _statements(step.sql):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?, ?, CURRENT_TIMESTAMP)", (step.version, step.name))
            applied.append(step.version)
    return applied


def _version(connection: sqlite3.Connection, path: Path) -> int:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "schema_version" in tables:
        (version,) = connection.execute("SELECT max(version) FROM schema_version").fetchone()
        return int(version or 0)
    if tables:
        raise StoreError(f"{path} is a database of another program: name another file")
    return 0


def _refuse_newer(version: int, newest: int, path: Path) -> None:
    if version > newest:
        raise StoreError(
            f"the database {path} has schema {version}, which is newer than this dialer knows ({newest}): use a newer dialer"
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


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
