"""One FIFO writer on one database thread, with group commit.

Whoever needs the database hands in a plain function; it runs on the database thread, inside one transaction, and its result
comes back on the reactor thread once the COMMIT is durable. Functions that wait at the same time are committed together: one
fsync serves them all. When one of a group fails, the group is rolled back and its members run singly, so that only the guilty
one fails. A function may therefore run twice, and must have no effect but on the database.

What nobody waits for may wait for company: the first of a group that says so gives the others a few milliseconds. Each COMMIT
costs the disk a flush and about a millisecond of CPU, whatever is in it.

A Pony session opens and closes on the database thread around each transaction: it never crosses an await, and the reactor
thread never has one. Functions that use entities are alone in their transaction, because what Pony remembers of a row would
not know of what a neighbour's raw SQL did to it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

from attrs import define, field, frozen
from pony import orm
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from dialer.errors import StoreError
from dialer.store.entities import Entities, make_entities
from dialer.store.faults import explain, is_database_error
from dialer.store.location import sqlite_path
from dialer.store.lock import DiallingLock
from dialer.store.schema import BUSY_SECONDS, check

T = TypeVar("T")
Connection = sqlite3.Connection

LARGEST_GROUP = 256
"""Functions in one transaction: it bounds what is repeated when one of them fails."""

COMPANY = 0.01
"""Seconds that what may wait is held back at most. Whatever is urgent ends the wait."""


@frozen(eq=False)
class _Job:
    function: Callable[[Any], Any]
    done: Deferred[Any]
    with_entities: bool = False
    may_wait: bool = False


class _CannotCommit(Exception):
    """The transaction as a whole cannot begin or commit: no member is to blame."""


@define(eq=False)
class Database:
    """The database at `url`. With `dialling`, it holds the right to dial with that file from `start` to `stop`."""

    url: str
    reactor: IReactorFromThreads
    dialling: bool = False
    installation_id: str = field(default="", init=False)
    """Which installation this is, generated with the schema; known once started."""
    _jobs: SimpleQueue[_Job | None] = field(factory=SimpleQueue, init=False)
    _hurry: threading.Event = field(factory=threading.Event, init=False)
    _entities: Entities = field(init=False)
    _lock: DiallingLock = field(init=False)
    _started: bool = field(default=False, init=False)
    _open: bool = field(default=False, init=False)
    _stopping: bool = field(default=False, init=False)
    _stopped: Deferred[None] = field(factory=Deferred, init=False)

    def start(self) -> Deferred[None]:
        """Check the schema and open the database. Fails with `StoreError`: nothing is open then. Starts once."""
        if self._started:
            raise ValueError("a Database starts once")
        self._started = True
        opened: Deferred[None] = Deferred()
        threading.Thread(target=self._main, args=(opened,), name="database", daemon=True).start()
        return opened

    def stop(self) -> Deferred[None]:
        """Run what was handed in, then close. Whatever is handed in later fails with `StoreError`."""
        waiter: Deferred[None] = Deferred()
        if not self._started:
            waiter.callback(None)
            return waiter
        if not self._stopping:
            self._stopping = True
            self._jobs.put(None)
            self._hurry.set()
        self._stopped.chainDeferred(waiter)
        return waiter

    def run(self, function: Callable[[Connection], T], *, may_wait: bool = False) -> Deferred[T]:
        """Run `function(connection)` in a transaction that it may share with others, `COMPANY` later at most when it
        `may_wait` for these. Fires with its result once that is durable; fails with what it raised, or with `StoreError`
        when the database cannot serve: then nothing was written."""
        return self._submit(function, may_wait=may_wait)

    def run_with_entities(self, function: Callable[[Entities], T]) -> Deferred[T]:
        """The same for a function that takes the entities; it has its transaction for itself. Entities must not leave it."""
        return self._submit(function, with_entities=True)

    def _submit(self, function: Callable[[Any], T], *, with_entities: bool = False, may_wait: bool = False) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        if self._open and not self._stopping:
            self._jobs.put(_Job(function, done, with_entities, may_wait))
            if not may_wait:
                self._hurry.set()
        else:
            done.errback(StoreError(f"the database {self.url} is not open"))
        return done

    # --- on the database thread ---------------------------------------------------------------------------------------------

    def _main(self, opened: Deferred[None]) -> None:
        try:
            self._connect()
        except Exception as error:
            self.reactor.callFromThread(self._open_failed, opened, Failure(self._explained(error)))
            return
        self.reactor.callFromThread(self._opened, opened)
        try:
            for group in self._groups():
                self._serve(group)
        finally:
            self._entities.db.disconnect()
            self._lock.release()
            self.reactor.callFromThread(self._stopped.callback, None)

    def _connect(self) -> None:
        check(self.url)
        path = sqlite_path(self.url)
        self._lock = DiallingLock(path)
        if self.dialling:
            self._lock.acquire()
        try:
            db = orm.Database()
            db.on_connect(provider="sqlite")(_prepare)
            self._entities = make_entities(db)
            db.bind(provider="sqlite", filename=str(path), create_db=False, timeout=BUSY_SECONDS)
            db.generate_mapping(create_tables=False, check_tables=True)
            with orm.db_session:
                self.installation_id = self._entities.Installation[1].installation_id
        except BaseException:
            self._lock.release()
            raise

    def _groups(self) -> Iterator[list[_Job]]:
        """What waits, in order, in groups; ends with the end of the queue's story."""
        group: list[_Job] = []
        while True:
            if group and (self._jobs.empty() or len(group) == LARGEST_GROUP):
                yield group
                group = []
            job = self._jobs.get()
            if group and (job is None or job.with_entities):
                yield group
                group = []
            if job is None:
                return
            if job.with_entities:
                yield [job]
                continue
            if job.may_wait and not group:
                self._hurry.wait(COMPANY)
            self._hurry.clear()
            group.append(job)

    def _serve(self, group: Sequence[_Job]) -> None:
        try:
            results = self._transaction(group)
        except _CannotCommit as error:
            failure = Failure(self._explained(error.args[0]))
            results = [failure] * len(group)
        except Exception as error:
            results = [Failure(self._explained(error))] if len(group) == 1 else [self._alone(job) for job in group]
        self.reactor.callFromThread(_deliver, group, results)

    def _alone(self, job: _Job) -> Any:
        try:
            return self._transaction([job])[0]
        except _CannotCommit as error:
            return Failure(self._explained(error.args[0]))
        except Exception as error:
            return Failure(self._explained(error))

    def _transaction(self, jobs: Sequence[_Job]) -> list[Any]:
        db = self._entities.db
        with orm.db_session:
            try:
                connection = db.get_connection()
            except Exception as error:
                raise _CannotCommit(error) from error
            results = [job.function(self._entities if job.with_entities else connection) for job in jobs]
            try:
                orm.commit()
            except Exception as error:
                raise _CannotCommit(error) from error
        return results

    def _explained(self, error: BaseException) -> BaseException:
        return explain(error, str(sqlite_path(self.url))) if is_database_error(error) else error

    # --- on the reactor thread ----------------------------------------------------------------------------------------------

    def _opened(self, opened: Deferred[None]) -> None:
        self._open = True
        opened.callback(None)

    def _open_failed(self, opened: Deferred[None], failure: Failure) -> None:
        self._stopped.callback(None)
        opened.errback(failure)


def _prepare(_: Any, connection: Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def _deliver(group: Sequence[_Job], results: Sequence[Any]) -> None:
    for job, result in zip(group, results, strict=True):
        if isinstance(result, Failure):
            job.done.errback(result)
        else:
            job.done.callback(result)
