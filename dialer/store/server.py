"""A PostgreSQL server as an engine: connections that break, transactions that deadlock, other dialers beside this one.

A transaction that was interrupted before its COMMIT was sent is undone, and runs again on the next connection. One whose
COMMIT nobody answered is looked up: the node's row counts its commits (`dialer.store.claim`). That is waited for as long as it
takes, because the caller may neither send nor forget. Everything else waits for `PATIENCE`, then fails, and may be asked
again.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from attrs import define, field
from pony import orm

from dialer.errors import StoreError
from dialer.store import sqlstates
from dialer.store.claim import NodeClaim
from dialer.store.connection import Connection
from dialer.store.engine import CannotCommit, Work, transact
from dialer.store.entities import Entities, make_entities
from dialer.store.faults import explain, is_database_error, root_of
from dialer.store.location import shown
from dialer.store.postgresql import PostgresConnection, Provider, connect_arguments, prepare
from dialer.store.schema import check

log = structlog.get_logger()

T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds for which a lost server is waited for before what waits fails: it restarts in less."""

PAUSE: Final = 0.2
"""Seconds between two tries to connect."""

TRIES: Final = 10
"""Times that a transaction is run, when deadlocks or lost connections undo it."""


@define(eq=False)
class ServerEngine:
    """An `Engine` on a PostgreSQL server. With `claim`, this process dials as that node."""

    url: str
    claim: NodeClaim | None = None
    away: StoreError | None = field(default=None, init=False)
    shared: bool = field(default=True, init=False)
    _db: Any = field(factory=orm.Database, init=False)
    _connection: PostgresConnection | None = field(default=None, init=False)
    _committing: bool = field(default=False, init=False)
    _stopping: threading.Event = field(factory=threading.Event, init=False)

    # --- opening and closing ----------------------------------------------------------------------------------------------

    def open(self) -> Entities:
        check(self.url)
        entities = make_entities(self._db)
        self._db.on_connect(lambda _, connection: self._connected(connection))
        try:
            self._db.bind(Provider, **connect_arguments(self.url, self._application))
            self._db.generate_mapping(create_tables=False, check_tables=True)
        except BaseException:
            self.close()
            raise
        return entities

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if self._db.provider is not None:
            with contextlib.suppress(Exception):
                self._db.disconnect()

    @property
    def _application(self) -> str:
        return "dialer" if self.claim is None else f"dialer {self.claim.bearer.name}"

    def _connected(self, connection: PostgresConnection) -> None:
        """A new connection: set up, and the node's own again."""
        try:
            prepare(connection)
            if self.claim is not None:
                # A node that is frozen in the middle of a transaction must not keep what others wait for.
                connection.execute(f"SET idle_in_transaction_session_timeout = '{self.claim.bearer.lease:.0f}s'")
                connection.commit()
                if self.claim.id:
                    self.claim.resume(connection)
                else:
                    self.claim.take(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    # --- transactions -----------------------------------------------------------------------------------------------------

    def perform(self, work: Work[T]) -> T:
        for _ in range(TRIES):
            self._connect(0.0 if self.away is not None else PATIENCE)
            kept: list[T] = []
            self._committing = False
            try:
                transact(self._db, partial(_whole, work), kept, self._seal)
            except Exception as error:
                if not self._is_passing(error):
                    raise
                if not (self._committing and self._connection is None and self._was_committed()):
                    log.warning("a transaction is run again", database=shown(self.url), reason=str(_cause(error)))
                    continue
            if self.claim is not None and self._committing:
                self.claim.committed()
            return kept[0]
        raise CannotCommit(
            StoreError(f"the database {shown(self.url)} undid a transaction {TRIES} times in a row: see its log")
        )

    def _seal(self, connection: Connection, before: int) -> None:
        if connection.total_changes == before:
            return  # it may be run again as often as you like
        if self.claim is not None:
            self.claim.check(connection)
        self._committing = True

    def _is_passing(self, error: BaseException) -> bool:
        return self._is_lost(error) or sqlstates.is_passing(_cause(error))

    def _is_lost(self, error: BaseException) -> bool:
        connection = self._connection
        if connection is None or connection.closed or sqlstates.is_lost(_cause(error)):
            self._drop()
            return True
        return False

    def _drop(self) -> None:
        self._connection = None
        with contextlib.suppress(Exception):
            self._db.disconnect()

    def _was_committed(self) -> bool:
        """Find out about a COMMIT without an answer. Raises `StoreError` when nobody can tell (any more)."""
        if self.claim is None:
            raise CannotCommit(
                StoreError(f"the connection to {shown(self.url)} was lost at the last moment: look whether it was done")
            )
        log.warning("a COMMIT without an answer is looked up", database=shown(self.url))
        while True:
            try:
                self._connect(PATIENCE)
                with orm.db_session:
                    return self.claim.was_committed(self._db.get_connection())
            except Exception as error:
                if self._stopping.is_set():
                    raise CannotCommit(
                        StoreError(f"stopped before {shown(self.url)} told whether a COMMIT was done")
                    ) from error
                if not isinstance(error, StoreError) and not self._is_lost(error):
                    raise

    # --- the connection ---------------------------------------------------------------------------------------------------

    def _connect(self, patience: float) -> None:
        """Have a connection, or raise `CannotCommit` after `patience` seconds."""
        if self._connection is not None:
            return
        until = time.monotonic() + patience
        while True:
            try:
                with orm.db_session:
                    self._db.get_connection()
            except Exception as error:
                self._drop()
                cause = error if isinstance(error, StoreError) else explain(error, shown(self.url))
                if time.monotonic() >= until or self._stopping.wait(PAUSE):
                    if self.away is None:
                        log.error("the database is away", reason=str(cause))
                    self.away = cause
                    raise CannotCommit(cause) from error
            else:
                if self.away is not None:
                    log.info("the database is there again", database=shown(self.url))
                self.away = None
                return

    def revive(self) -> None:
        with contextlib.suppress(CannotCommit):
            self._connect(0.0)

    def interrupt(self) -> None:
        connection = self._connection
        if connection is None:
            return
        with contextlib.suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as wire:
            log.error("the database does not answer: the connection is given up", database=shown(self.url))
            wire.shutdown(socket.SHUT_RDWR)

    def give_up(self) -> None:
        self._stopping.set()

    def explained(self, error: BaseException) -> BaseException:
        return explain(error, shown(self.url)) if is_database_error(error) else error


def _whole(work: Work[T], connection: Any) -> T:
    """The result of `work`, unless it went on after the server had refused a statement, and with it the transaction. Raises
    `StoreError`: nobody shall be told that it was stored."""
    result = work(connection)
    if connection.is_undone:
        raise StoreError("a change went on after the database had refused a part of it: nothing of it was stored")
    return result


def _cause(error: BaseException) -> BaseException:
    return root_of(error.args[0] if isinstance(error, CannotCommit) else error)
