"""A connection for long readings, on a thread of its own: what it is asked keeps no transaction of others waiting.

It writes nothing, and each function that it runs sees the database as it was when that began. Readings are short all the same:
as long as one goes on, SQLite's log of changes cannot begin anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, Protocol, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from dialer.store.connection import Connection, Dialect, Variants
from dialer.store.faults import explain, is_database_error
from dialer.store.location import opened, shown

T = TypeVar("T")

_WRITE_NOTHING: Final = Variants(
    sqlite="PRAGMA query_only = ON",
    postgresql="SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
)


class DatabaseReading(Protocol):
    """Runs functions that only read, one after the other."""

    def run(self, function: Callable[[Connection], T], /) -> Deferred[T]:
        """Fires with the result; fails with what the function raised, or with `StoreError`."""
        ...

    def close(self) -> None:
        """Run what was handed in, then give the connection back."""
        ...


@define(eq=False)
class ReadingThread:
    """A `DatabaseReading` of the database at `url`. It has a connection from the first function on."""

    url: str
    reactor: IReactorFromThreads
    _jobs: SimpleQueue[tuple[Callable[[Any], Any], Deferred[Any]] | None] = field(factory=SimpleQueue, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def run(self, function: Callable[[Connection], T]) -> Deferred[T]:
        """Run it on the thread, behind those that were handed in before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._main, name="long reading", daemon=True)
            self._thread.start()
        done: Deferred[T] = Deferred()
        self._jobs.put((function, done))
        return done

    def close(self) -> None:
        """Let the thread end once all that was handed in has run."""
        self._jobs.put(None)

    # --- on its thread ------------------------------------------------------------------------------------------------------

    def _main(self) -> None:
        try:
            with opened(self.url) as connection:
                connection.execute(_WRITE_NOTHING.of(connection))
                connection.commit()
                self._serve(connection)
        except Exception as error:
            self._refuse(error)

    def _serve(self, connection: Any) -> None:
        while (job := self._jobs.get()) is not None:
            function, done = job
            try:
                if connection.dialect is Dialect.SQLITE:
                    connection.execute("BEGIN")
                result = function(connection)
            except Exception as error:
                self._tell(done.errback, Failure(self._explained(error)))
            else:
                self._tell(done.callback, result)
            connection.rollback()

    def _refuse(self, error: Exception) -> None:
        """There is no connection, or not any more."""
        while (job := self._jobs.get()) is not None:
            self._tell(job[1].errback, Failure(self._explained(error)))

    def _explained(self, error: Exception) -> Exception:
        return explain(error, shown(self.url)) if is_database_error(error) else error

    def _tell(self, hear: Callable[[Any], None], what: Any) -> None:
        self.reactor.callFromThread(hear, what)
