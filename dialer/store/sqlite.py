"""SQLite as an engine: one file, one dialling process."""

from __future__ import annotations

from typing import Any, TypeVar

from attrs import define, field
from pony import orm

from dialer.errors import StoreError
from dialer.store.connection import SqliteConnection
from dialer.store.engine import Work, transact
from dialer.store.entities import Entities, make_entities
from dialer.store.faults import explain, is_database_error
from dialer.store.location import BUSY_SECONDS, sqlite_path
from dialer.store.lock import DiallingLock
from dialer.store.schema import check

T = TypeVar("T")


@define(eq=False)
class SqliteEngine:
    """An `Engine` on a SQLite file. A lock or a full disk fails a transaction after `BUSY_SECONDS` at most; who asked
    asks again."""

    url: str
    dialling: bool
    away: StoreError | None = field(default=None, init=False)
    shared: bool = field(default=False, init=False)
    claim: None = field(default=None, init=False)
    _lock: DiallingLock = field(init=False)
    _db: Any = field(factory=orm.Database, init=False)
    _entities: Entities | None = field(default=None, init=False)

    def open(self) -> Entities:
        check(self.url)
        path = sqlite_path(self.url)
        self._lock = DiallingLock(path)
        if self.dialling:
            self._lock.acquire()
        db = self._db
        try:
            db.on_connect(provider="sqlite")(prepare)
            self._entities = make_entities(db)
            db.bind(provider="sqlite", filename=str(path), create_db=False, timeout=BUSY_SECONDS, factory=SqliteConnection)
            db.generate_mapping(create_tables=False, check_tables=True)
        except BaseException:
            self._lock.release()
            raise
        return self._entities

    @property
    def _bound(self) -> Entities:
        if self._entities is None:
            raise StoreError(f"the database {sqlite_path(self.url)} is not open")
        return self._entities

    def close(self) -> None:
        if self._entities is not None:
            self._entities.db.disconnect()
            self._lock.release()

    def perform(self, work: Work[T]) -> T:
        kept: list[T] = []
        transact(self._bound.db, work, kept, lambda _connection, _before: None)
        return kept[0]

    def revive(self) -> None:
        """Nothing to do: a file is never away."""

    def interrupt(self) -> None:
        """Nothing to do: a file answers, or fails, within `BUSY_SECONDS`."""

    def give_up(self) -> None:
        """Nothing to do: nobody waits for a file."""

    def explained(self, error: BaseException) -> BaseException:
        return explain(error, str(sqlite_path(self.url))) if is_database_error(error) else error


def prepare(_: Any, connection: SqliteConnection) -> None:
    """Set a new connection up."""
    # Pony decodes each text in a Python function that forgives bad UTF-8, of which the dialer stores none.
    connection.text_factory = str
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
