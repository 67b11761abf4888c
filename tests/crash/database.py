"""The dialer's database without its thread: each transaction is a step of the world, and so is the news of its COMMIT."""

from __future__ import annotations

from typing import Any

from attrs import define
from pony import orm
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from dialer.errors import StoreError
from dialer.store.connection import SqliteConnection
from dialer.store.database import Database, NodeIdentity, _Job
from tests.crash.process import Process

AWAY = "the database is away"

TRANSACTION = "transaction"

WAIT = (0.0001, 0.003)
"""Seconds until the writer turns to what was handed in: the time of the COMMIT before it."""


def prepare(_: Any, connection: SqliteConnection) -> None:
    """As the product sets a connection up, but that nothing waits for the disk: here, machines do not lose power, and nobody
    reads in the middle of a transaction, so its journal need not be a file."""
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = ON")


def _what(job: _Job) -> str:
    """The function of the product that it is."""
    return str(getattr(job.function, "func", job.function).__qualname__)


@define(eq=False)
class NoEntities:
    """The flow uses SQL alone. To map entities takes longer than to play a scenario."""

    db: orm.Database


class SteppedDatabase(Database):
    """`dialer.store.database.Database` with its own transactions, groups and errors; only what runs them is the clock."""

    reactor: Process

    def __init__(self, url: str, reactor: Process, *, dialling: bool = False, node: NodeIdentity) -> None:
        super().__init__(url, reactor, dialling, node)
        self.waiting: list[_Job] = []
        reactor.when_killed.append(self.close)

    def start(self) -> Deferred[None]:
        self._started = True
        opened: Deferred[None] = Deferred()
        self.reactor.callLater(0.01, self._start, opened)
        return opened

    def _start(self, opened: Deferred[None]) -> None:
        self._connect()
        self._opened(opened)

    def close(self) -> None:
        """What the kernel does for a dead process: its files are closed, its locks are gone."""
        if self._open:
            self._engine.close()

    def _submit(self, job: _Job) -> Deferred[Any]:
        if not self._open:
            job.done.errback(StoreError(f"the database {self.url} is not open"))
            return job.done
        if not self.waiting:
            self.reactor.callLater(self.reactor.world.rng.uniform(*WAIT), self.serve)
        self.waiting.append(job)
        return job.done

    def serve(self) -> None:
        """Run what waits as the writer would: together, but for those that use entities."""
        jobs, self.waiting = self.waiting, []
        alone = [job for job in jobs if job.with_entities]
        together = [job for job in jobs if not job.with_entities]
        for group in [*([job] for job in alone), together]:
            if not group or not self.reactor.effect(f"{TRANSACTION} of {', '.join(map(_what, group))}"):
                continue
            if self.reactor.world.serves:
                self._serve(group)
            else:
                failure = Failure(StoreError(AWAY))
                self.reactor.callFromThread(self._deliver, group, [failure] * len(group))

    def stop(self) -> Deferred[None]:
        """Nothing is ever stopped in this world; a coroutine that was left behind by a killed process may still ask."""
        return succeed(None)
