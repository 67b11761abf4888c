"""The real SQL on a stepped clock: a database in memory whose transactions, and the news of them, take their time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from attrs import define
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from dialer.errors import StoreError
from dialer.store.connection import SqliteConnection

T = TypeVar("T")

TURN = 0.002
"""Seconds until a transaction runs, and again until its news arrives."""


@define(eq=False)
class Rows:
    """What is on disk: it outlives the processes that use it. `away` has every transaction fail."""

    connection: sqlite3.Connection
    away: bool = False

    @classmethod
    def copy_of(cls, template: sqlite3.Connection) -> Rows:
        connection = sqlite3.connect(":memory:", isolation_level=None, factory=SqliteConnection)
        template.backup(connection)
        return cls(connection)

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return self.connection.execute(statement, values).fetchall()


@define(eq=False)
class ClockedDatabase:
    """As much of `dialer.store.database.Database` as a flow needs, for one process. Once it is killed, nothing more is
    committed, and nobody hears of what was."""

    rows: Rows
    clock: Clock
    alive: bool = True
    region: str = ""

    def run(self, function: Callable[[sqlite3.Connection], T], *, may_wait: bool = False, alone: bool = False) -> Deferred[T]:
        if self.rows.away:
            return fail(StoreError("the database is away"))
        done: Deferred[T] = Deferred()
        self.clock.callLater(TURN, self._commit, function, done)
        return done

    def reading(self) -> ClockedDatabase:
        """This one: nobody waits for anybody here."""
        return self

    def close(self) -> None:
        """Of a reading."""

    def _commit(self, function: Callable[[sqlite3.Connection], T], done: Deferred[T]) -> None:
        if not self.alive:
            return
        if self.rows.away:
            self.clock.callLater(TURN, self._tell, done.errback, StoreError("the database is away"))
            return
        self.rows.connection.execute("BEGIN")
        result = function(self.rows.connection)
        self.rows.connection.execute("COMMIT")
        self.clock.callLater(TURN, self._tell, done.callback, result)

    def _tell(self, hear: Callable[[object], None], what: object) -> None:
        if self.alive:
            hear(what)
