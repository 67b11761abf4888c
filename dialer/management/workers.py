"""Threads for what takes tens of milliseconds: verifying a password (and 64 MiB), reading ten thousand numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from dialer.errors import Busy

T = TypeVar("T")

THREADS: Final = 2
LONGEST_QUEUE: Final = 32
"""Functions that wait or run. At 50 ms each on two threads, the last one waits for less than a second."""


@define(eq=False)
class Workers:
    """A few threads for pure functions. `start` before, `stop` after; `stop` waits for what runs."""

    reactor: Any
    _pool: ThreadPool = field(factory=lambda: ThreadPool(0, THREADS, "requests"), init=False)
    _waiting: int = field(default=0, init=False)

    def start(self) -> None:
        """Threads are made when there is work."""
        self._pool.start()

    def stop(self) -> None:
        """End the threads."""
        self._pool.stop()

    def run(self, function: Callable[[], T]) -> Deferred[T]:
        """Fires with what the function returns. Fails with what it raises, or with `Busy`."""
        if self._waiting >= LONGEST_QUEUE:
            return fail(Busy("too much is under way"))
        self._waiting += 1
        done: Deferred[T] = deferToThreadPool(self.reactor, self._pool, function)
        return done.addBoth(self._done)

    def _done(self, result: T) -> T:
        self._waiting -= 1
        return result
