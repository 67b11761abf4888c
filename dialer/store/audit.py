"""The audit of a database: what of it is not as it must be, and the repair of what a program can decide.

Looking changes nothing and may be done beside dialers at work; a repair excludes them, so that none can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from attrs import frozen

from dialer.errors import StoreError
from dialer.gate import caller_name_refusal
from dialer.model import Campaign
from dialer.store.connection import Dialect
from dialer.store.faults import explain, is_database_error
from dialer.store.invariants import INVARIANTS, OPEN_ATTEMPTS, SOON, Invariant, Text
from dialer.store.leases import moment
from dialer.store.location import opened, shown
from dialer.store.maintenance import at_work, exclude_dialers, without_dialers
from dialer.store.schema import check
from dialer.store.schema_diff import CannotCompare, differences
from dialer.store.times import to_column
from dialer.stored import load_rules

EXAMPLES = 5
"""How many of the rows that are wrong are named."""

_DAMAGED = "nothing is repaired in a damaged file: restore a backup, or rescue what is left with `sqlite3 FILE .recover`"

_NAMED_CALLERS: Final = (
    "SELECT id, name, rules FROM campaign "
    "WHERE archived_at IS NULL AND CAST(rules AS TEXT) LIKE '%\"caller_name\"%' ORDER BY id"
)
_RENAME: Final = "enter another one: dialer campaign set NAME --caller-name TEXT"

_ONLY_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_NOBODY_ELSE_WRITES: Final = ("SET LOCAL lock_timeout = '5s'", "LOCK TABLE attempt, subscriber IN SHARE ROW EXCLUSIVE MODE")
"""Command-line tools may write beside a repair on a server, which is no dialer."""

_NAMED = re.compile(r"(?<!:):(now|soon)\b")


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
    """The outcome of an audit. `at_work` names the process that dials with the database, None when there is none.
    `open_attempts` is None when the database could not be asked. `notes` say what could not be looked at."""

    findings: tuple[Finding, ...]
    open_attempts: int | None
    at_work: str | None = None
    notes: tuple[str, ...] = ()


@frozen(kw_only=True)
class Repair:
    """The remedy of a finding as it was applied, and how many rows that changed."""

    name: str
    remedy: str
    rows: int


def audit(url: str, now: datetime) -> Audit:
    """Look at everything that changes in one transaction that only reads. Never raises `StoreError`: a database that cannot be
    read is a finding. Raises `BadValue` for a URL that is none. On a server, the moment is that of its clock."""
    try:
        check(url)
        dialers = at_work(url)
        with _opened(url) as connection:
            missing, notes = _missing_parts(connection)
            connection.rollback()
    except StoreError as error:
        return _unusable(str(error))
    try:
        with _opened(url) as connection:
            _begin_reading(connection)
            findings, open_attempts = _audit(connection, now)
    except StoreError as error:
        return _unusable(str(error), missing)
    return Audit(findings=(*missing, *findings), open_attempts=open_attempts, at_work=dialers, notes=notes)


def repair(url: str, now: datetime) -> list[Repair]:
    """Mend what is wrong and repairable, in one transaction, while no dialer is at work. Nothing is done in a damaged file.
    Raises `StoreError`, also when a dialer is at work: nothing was changed."""
    check(url)
    with without_dialers(url), _opened(url) as connection:
        if connection.dialect is Dialect.SQLITE:
            connection.execute("BEGIN IMMEDIATE")
        else:
            exclude_dialers(connection)
            for statement in _NOBODY_ELSE_WRITES:
                connection.execute(statement)
        done = [] if _damage(connection) else list(_mend(connection, now))
        connection.commit()
        return done


@contextmanager
def _opened(url: str) -> Iterator[Any]:
    """A connection; what the driver raises is raised as `StoreError`."""
    try:
        with opened(url) as connection:
            yield connection
    except Exception as error:
        if not is_database_error(error):
            raise
        raise explain(error, shown(url)) from error


def _begin_reading(connection: Any) -> None:
    if connection.dialect is Dialect.SQLITE:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
    else:
        connection.execute(_ONLY_READ)


def _audit(connection: Any, now: datetime) -> tuple[tuple[Finding, ...], int]:
    asked = _Asked.at(connection, now)
    damage = _damage(connection)
    broken = [found for rule in _rules(connection) if (found := _broken(asked, rule)) is not None]
    (open_attempts,) = connection.execute(OPEN_ATTEMPTS).fetchone()
    return (*damage, *broken, *_unshown_names(connection)), open_attempts


def _mend(connection: Any, now: datetime) -> Iterator[Repair]:
    asked = _Asked.at(connection, now)
    for rule in _rules(connection):
        if rule.repair and _broken(asked, rule) is not None:
            changed = [asked.execute(text).rowcount for text in rule.repair]
            yield Repair(name=rule.name, remedy=rule.remedy, rows=changed[-1])


def _rules(connection: Any) -> Iterator[Invariant]:
    return (rule for rule in INVARIANTS if rule.only in (None, connection.dialect))


@frozen
class _Asked:
    """Runs the statements of invariants at one moment."""

    connection: Any
    moments: dict[str, str]

    @classmethod
    def at(cls, connection: Any, now: datetime) -> _Asked:
        """`now` is the process's clock, for a database without one of its own."""
        at = moment(connection, now)
        return cls(connection, {"now": to_column(at), "soon": to_column(at + timedelta(seconds=SOON))})

    def execute(self, text: Text, around: str = "{}") -> Any:
        """Run it, as a part of `around`."""
        statement = text if isinstance(text, str) else text.of(self.connection)
        parameters = [self.moments[name] for name in _NAMED.findall(statement)]
        return self.connection.execute(around.format(_NAMED.sub("?", statement)), parameters)


def _broken(asked: _Asked, rule: Invariant) -> Finding | None:
    """The rows are counted by the database: there may be millions."""
    rows = asked.execute(rule.broken, f"{{}} LIMIT {EXAMPLES}").fetchall()
    if not rows:
        return None
    count = len(rows)
    if count == EXAMPLES:
        (count,) = asked.execute(rule.broken, "SELECT count(*) FROM ({}) AS broken").fetchone()
    examples = tuple(text for (text,) in rows)
    return Finding(
        name=rule.name,
        problem=rule.problem,
        count=count,
        examples=examples,
        remedy=rule.remedy,
        repairable=bool(rule.repair),
    )


def _damage(connection: Any) -> tuple[Finding, ...]:
    """Faults that SQLite itself sees: damaged pages and indexes, constraints that do not hold, references to nothing. A server
    has no such look at itself that would not take hours."""
    if connection.dialect is not Dialect.SQLITE:
        return ()
    texts = [text for (text,) in connection.execute("PRAGMA integrity_check(100)") if text != "ok"]
    for table, row_id, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        texts.append(f"row {row_id} of {table} refers to a row of {parent} that does not exist")
    return _found("damaged", "faults that the database itself sees", texts, _DAMAGED)


def _unshown_names(connection: Any) -> tuple[Finding, ...]:
    """Campaigns whose caller name, taken by an earlier version, the switch would decode."""
    texts = []
    for key, name, rules in connection.execute(_NAMED_CALLERS):
        if refusal := caller_name_refusal(str(load_rules(Campaign, rules).values["caller_name"])):
            texts.append(f"campaign {key} ({name}): {refusal}")
    return _found("caller-name", "campaigns that make no calls: no switch can carry their caller name", texts, _RENAME)


def _missing_parts(connection: Any) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Parts that the schema has and the database has not, or not so; and what is to be said when that cannot be told."""
    try:
        texts = differences(connection)
    except CannotCompare as error:
        return (), (str(error),)
    return _found("schema", "parts of the schema that are missing or have been changed", texts, "restore a backup"), ()


def _found(name: str, problem: str, texts: Sequence[str], remedy: str) -> tuple[Finding, ...]:
    if not texts:
        return ()
    examples = tuple(islice(texts, EXAMPLES))
    return (Finding(name=name, problem=problem, count=len(texts), examples=examples, remedy=remedy),)


def _unusable(reason: str, missing: tuple[Finding, ...] = ()) -> Audit:
    finding = Finding(name="unusable", problem="a database that cannot be used", count=1, examples=(reason,), remedy=reason)
    return Audit(findings=(*missing, finding), open_attempts=None)
