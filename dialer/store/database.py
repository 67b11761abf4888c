"""One FIFO writer on one database thread, with group commit.

A caller that needs the database hands in a plain function; it runs on the database thread, inside one transaction, and its
result comes back on the reactor thread once the COMMIT is durable. Functions that wait at the same time are committed
together: one fsync serves them all. When one of a group fails, the group is rolled back and its members run singly, so that
only the guilty one fails. A function may therefore run twice, and must have no effect but on the database.

What nobody waits for may wait for company: the first of a group that says so gives the others a few milliseconds. Each COMMIT
costs the disk a flush and about a millisecond of CPU, whatever is in it.

A Pony session opens and closes on the database thread around each transaction: it never crosses an await, and the reactor
thread never has one. Functions that use entities are alone in their transaction, because what Pony remembers of a row would
not know of what a neighbour's raw SQL did to it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from dialer import __version__
from dialer.errors import StoreError
from dialer.histogram import Histogram
from dialer.store.connection import Connection, Dialect
from dialer.store.engine import CannotCommit, Engine
from dialer.store.entities import Entities
from dialer.store.location import dialect_of, shown, sqlite_path
from dialer.store.lock import holder
from dialer.store.reading import DatabaseReading, ReadingThread

if TYPE_CHECKING:
    from dialer.store.claim import NodeClaim

T = TypeVar("T")

LARGEST_GROUP = 256
"""Functions in one transaction: it bounds what is repeated when one of them fails."""

COMPANY = 0.01
"""Seconds that what may wait is held back at most. Whatever is urgent ends the wait."""

LONGEST_QUEUE = 20_000
"""Functions that wait. A dialer that gets so far behind is refused more, and asks again."""

REVIVAL = 1.0
"""Seconds between two tries to reach a database that is away, when nobody asks for anything."""


@frozen(eq=False)
class _Job:
    function: Callable[[Any], Any]
    done: Deferred[Any]
    with_entities: bool = False
    may_wait: bool = False
    alone: bool = False
    asked_at: float = field(factory=time.monotonic)


@frozen(kw_only=True)
class NodeIdentity:
    """The name under which a process dials. `lease` is the time in seconds for which others leave a silent node alone."""

    name: str = "local"
    lease: float = 10.0


@define(eq=False)
class Database:
    """The database at `url`. With `dialling`, it holds the dialling lock, as `node`, from `start` to `stop`."""

    url: str
    reactor: IReactorFromThreads
    dialling: bool = False
    node: NodeIdentity = field(factory=NodeIdentity)
    installation_id: str = field(default="", init=False)
    """Which installation this is, generated with the schema; known once started."""
    region: str = field(default="", init=False)
    """The region for which its identities of numbers are made; known once started."""
    waits: Histogram = field(factory=Histogram, init=False)
    """Seconds from the handing in of a function to the beginning of its transaction."""
    commits: Histogram = field(factory=Histogram, init=False)
    """Seconds from the end of the last function of a transaction to the answer to its COMMIT."""
    _jobs: SimpleQueue[_Job | None] = field(factory=SimpleQueue, init=False)
    _hurry: threading.Event = field(factory=threading.Event, init=False)
    _entities: Entities = field(init=False)
    _engine: Engine = field(init=False)
    _waiting: int = field(default=0, init=False)
    _started: bool = field(default=False, init=False)
    _open: bool = field(default=False, init=False)
    _stopping: bool = field(default=False, init=False)
    _stopped: Deferred[None] = field(factory=Deferred, init=False)

    def __attrs_post_init__(self) -> None:
        self._engine = self._new_engine()

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
            self._engine.give_up()
            self._jobs.put(None)
            self._hurry.set()
        self._stopped.chainDeferred(waiter)
        return waiter

    def run(self, function: Callable[[Connection], T], *, may_wait: bool = False, alone: bool = False) -> Deferred[T]:
        """Run `function(connection)` in a transaction that it may share with others, `COMPANY` later at most when it
        `may_wait` for these; `alone` is for one that takes locks for which other processes wait. Fires with its result once
        that is durable; fails with what it raised, or with `StoreError` when the database cannot serve: then nothing was
        written."""
        return self._submit(_Job(function, Deferred(), may_wait=may_wait, alone=alone and self._engine.shared))

    def run_with_entities(self, function: Callable[[Entities], T]) -> Deferred[T]:
        """The same for a function that takes the entities; it has its transaction for itself. Entities must not leave it."""
        return self._submit(_Job(function, Deferred(), with_entities=True, alone=True))

    def reading(self) -> DatabaseReading:
        """A connection of its own for a long reading, which is to be closed."""
        return ReadingThread(self.url, self.reactor)

    @property
    def backlog(self) -> int:
        """How many functions were handed in and have no answer yet. A database that is away answers at once, with an error."""
        return self._waiting

    @property
    def claim(self) -> NodeClaim | None:
        """The dialling lock of a node on a server; None with a file, or when this process does not dial. Its methods are for
        functions that run on the database thread."""
        return self._engine.claim

    @property
    def dialect(self) -> Dialect:
        """Which kind of database it is."""
        return dialect_of(self.url)

    def is_dialled_with(self) -> bool:
        """Whether a dialer, in whichever process, waits for this one's transactions: with a file, one writes at a time. Raises
        `StoreError` when that cannot be told."""
        if self.dialect is not Dialect.SQLITE:
            return False
        return self.dialling or holder(sqlite_path(self.url)) is not None

    def interrupt(self) -> None:
        """Give up what the database was asked and does not answer; it runs again, on another connection."""
        self._engine.interrupt()

    def _submit(self, job: _Job) -> Deferred[Any]:
        if not self._open or self._stopping:
            job.done.errback(StoreError(f"the database {shown(self.url)} is not open"))
        elif self._engine.away is not None:
            job.done.errback(self._engine.away)
        elif self._waiting >= LONGEST_QUEUE:
            job.done.errback(StoreError(f"the database {shown(self.url)} is too slow: {self._waiting} changes wait for it"))
        else:
            self._waiting += 1
            self._jobs.put(job)
            if not job.may_wait:
                self._hurry.set()
        return job.done

    # --- on the database thread ---------------------------------------------------------------------------------------------

    def _main(self, opened: Deferred[None]) -> None:
        try:
            self._connect()
        except Exception as error:
            cause = error.args[0] if isinstance(error, CannotCommit) else error
            self.reactor.callFromThread(self._open_failed, opened, Failure(self._explained(cause)))
            return
        self.reactor.callFromThread(self._opened, opened)
        try:
            for group in self._groups():
                self._serve(group)
        finally:
            self._engine.close()
            self.reactor.callFromThread(self._stopped.callback, None)

    def _new_engine(self) -> Engine:
        if dialect_of(self.url) is Dialect.SQLITE:
            from dialer.store.sqlite import SqliteEngine

            return SqliteEngine(self.url, self.dialling)
        from dialer.store.claim import Bearer, NodeClaim
        from dialer.store.server import ServerEngine

        if not self.dialling:
            return ServerEngine(self.url)
        bearer = Bearer(
            name=self.node.name, host=socket.gethostname(), pid=os.getpid(), version=__version__, lease=self.node.lease
        )
        return ServerEngine(self.url, NodeClaim(bearer))

    def _connect(self) -> None:
        self._entities = self._engine.open()
        try:
            self.installation_id, self.region = self._engine.perform(_installation)
        except BaseException:
            self._engine.close()
            raise

    def _groups(self) -> Iterator[list[_Job]]:
        """The waiting jobs, in order, in groups; ends with the end of the queue's story."""
        group: list[_Job] = []
        while True:
            if group and (self._jobs.empty() or len(group) == LARGEST_GROUP):
                yield group
                group = []
            job = self._next()
            if group and (job is None or job.alone):
                yield group
                group = []
            if job is None:
                return
            if job.alone:
                yield [job]
                continue
            if job.may_wait and not group:
                self._hurry.wait(COMPANY)
            self._hurry.clear()
            group.append(job)

    def _next(self) -> _Job | None:
        while self._engine.away is not None:
            try:
                return self._jobs.get(timeout=REVIVAL)
            except Empty:
                self._engine.revive()
        return self._jobs.get()

    def _serve(self, group: Sequence[_Job]) -> None:
        now = time.monotonic()
        for job in group:
            self.waits.observe(now - job.asked_at)
        try:
            results = self._transaction(group)
        except CannotCommit as error:
            failure = Failure(self._explained(error.args[0]))
            results = [failure] * len(group)
        except Exception as error:
            results = [Failure(self._explained(error))] if len(group) == 1 else [self._alone(job) for job in group]
        self.reactor.callFromThread(self._deliver, group, results)

    def _alone(self, job: _Job) -> Any:
        try:
            return self._transaction([job])[0]
        except CannotCommit as error:
            return Failure(self._explained(error.args[0]))
        except Exception as error:
            return Failure(self._explained(error))

    def _transaction(self, jobs: Sequence[_Job]) -> list[Any]:
        done_at = 0.0

        def work(connection: Connection) -> list[Any]:
            nonlocal done_at
            results = [job.function(self._entities if job.with_entities else connection) for job in jobs]
            done_at = time.monotonic()
            return results

        results = self._engine.perform(work)
        self.commits.observe(time.monotonic() - done_at)
        return results

    def _explained(self, error: BaseException) -> BaseException:
        return self._engine.explained(error)

    # --- on the reactor thread ----------------------------------------------------------------------------------------------

    def _opened(self, opened: Deferred[None]) -> None:
        self._open = True
        opened.callback(None)

    def _open_failed(self, opened: Deferred[None], failure: Failure) -> None:
        self._stopped.callback(None)
        opened.errback(failure)

    def _deliver(self, group: Sequence[_Job], results: Sequence[Any]) -> None:
        self._waiting -= len(group)
        for job, result in zip(group, results, strict=True):
            if isinstance(result, Failure):
                job.done.errback(result)
            else:
                job.done.callback(result)


def _installation(connection: Connection) -> tuple[str, str]:
    name, region = connection.execute("SELECT installation_id, region FROM installation").fetchone()
    return str(name), str(region)
