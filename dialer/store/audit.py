"""The audit of a database: what of it is not as it must be, and the repair of what a program can decide.

Looking changes nothing and may be done beside a dialer at work; a repair takes the right to dial, so that none can be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from attrs import frozen

from dialer.errors import StoreError
from dialer.store.faults import explain
from dialer.store.invariants import INVARIANTS, OPEN_ATTEMPTS, Invariant
from dialer.store.location import sqlite_path
from dialer.store.lock import DiallingLock
from dialer.store.schema import BUSY_SECONDS, check, upgrades
from dialer.store.times import to_column

EXAMPLES = 5
"""How many of the rows that are wrong are named."""

_DAMAGED = "nothing is repaired in a damaged file: restore a backup, or rescue what is left with `sqlite3 FILE .recover`"


@frozen(kw_only=True)
class Finding:
    """Something that is wrong: `count` rows, some of which `examples` name. `remedy` is what a repair does when it is
    `repairable`, else what an admin can do."""

    name: str
    problem: str
    count: int
    examples: tuple[str, ...]
    remedy: str
    repairable: bool = False


@frozen(kw_only=True)
class Audit:
    """What was found. `open_attempts` is None when the database could not be asked."""

    findings: tuple[Finding, ...]
    open_attempts: int | None


@frozen(kw_only=True)
class Repair:
    """What was done about a finding, and how many rows that changed."""

    name: str
    remedy: str
    rows: int


def audit(url: str) -> Audit:
    """Look at everything, in one transaction that only reads. Never raises `StoreError`: a database that cannot be read is a
    finding. Raises `BadValue` for a URL that is none."""
    path = sqlite_path(url)
    try:
        check(url)
        with _opened(path) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            return _audit(connection)
    except StoreError as error:
        return _unusable(str(error))
    except sqlite3.Error as error:
        return _unusable(str(explain(error, str(path))))


def repair(url: str, now: datetime) -> list[Repair]:
    """Mend what is wrong and repairable, in one transaction, while no dialer is at work. Nothing is done in a damaged file.
    Raises `StoreError`, also when a dialer is at work: nothing was changed."""
    path = sqlite_path(url)
    check(url)
    lock = DiallingLock(path)
    lock.acquire()
    try:
        with _opened(path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            done = [] if _damage(connection) else list(_mend(connection, now))
            connection.execute("COMMIT")
            return done
    except sqlite3.Error as error:
        raise explain(error, str(path)) from error
    finally:
        lock.release()


def _audit(connection: sqlite3.Connection) -> Audit:
    damage = [found for found in (_damage(connection), _missing_parts(connection)) if found is not None]
    broken = [found for found in (_broken(connection, rule) for rule in INVARIANTS) if found is not None]
    (open_attempts,) = connection.execute(OPEN_ATTEMPTS).fetchone()
    return Audit(findings=(*damage, *broken), open_attempts=open_attempts)


def _mend(connection: sqlite3.Connection, now: datetime) -> Iterator[Repair]:
    for rule in INVARIANTS:
        if rule.repair and _broken(connection, rule) is not None:
            changed = [connection.execute(text, {"now": to_column(now)}).rowcount for text in rule.repair]
            yield Repair(name=rule.name, remedy=rule.remedy, rows=changed[-1])


def _broken(connection: sqlite3.Connection, rule: Invariant) -> Finding | None:
    return _finding(rule.name, rule.problem, connection.execute(rule.broken), rule.remedy, repairable=bool(rule.repair))


def _damage(connection: sqlite3.Connection) -> Finding | None:
    """What SQLite itself sees: damaged pages and indexes, constraints that do not hold, references to nothing."""
    rows = [(text,) for (text,) in connection.execute("PRAGMA integrity_check(100)") if text != "ok"]
    for table, row_id, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        rows.append((f"row {row_id} of {table} refers to a row of {parent} that does not exist",))
    return _finding("damaged", "faults that the database itself sees", iter(rows), _DAMAGED)


def _missing_parts(connection: sqlite3.Connection) -> Finding | None:
    """Tables, indexes and triggers that the schema has and the database has not, or not so."""
    parts = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    with closing(sqlite3.connect(":memory:")) as fresh:
        for step in upgrades():
            fresh.executescript(step.sql)
        expected = dict(fresh.execute(parts))
    present = dict(connection.execute(parts))
    differing = [
        (f"{name} {'differs' if name in present else 'is missing'}",)
        for name, sql in expected.items()
        if present.get(name) != sql
    ]
    return _finding(
        "schema", "parts of the schema that are missing or have been changed", iter(sorted(differing)), "restore a backup"
    )


def _finding(name: str, problem: str, rows: Iterator[tuple[str]], remedy: str, *, repairable: bool = False) -> Finding | None:
    examples = tuple(text for (text,) in islice(rows, EXAMPLES))
    if not examples:
        return None
    count = len(examples) + sum(1 for _ in rows)
    return Finding(name=name, problem=problem, count=count, examples=examples, remedy=remedy, repairable=repairable)


def _unusable(reason: str) -> Audit:
    finding = Finding(name="unusable", problem="a database that cannot be used", count=1, examples=(reason,), remedy=reason)
    return Audit(findings=(finding,), open_attempts=None)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        yield connection
