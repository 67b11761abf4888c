"""Threads for what takes tens of milliseconds: verifying a password (and 64 MiB), reading ten thousand numbers.

The work waits in lanes, each with a place for so many, and the first lane that has some is served first: whatever strangers
ask, the turn of those who are known comes before theirs, and one of the threads is never theirs.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from dialer.errors import Busy

T = TypeVar("T")
InThread = Callable[[Callable[[], Any]], Deferred[Any]]
"""Runs a function on a thread that waits for nothing else."""

THREADS: Final = 2
LONGEST_QUEUE: Final = 32
"""Functions of one lane that wait or run. At 50 ms each on two threads, the last one waits for less than a second."""


class Lane(enum.IntEnum):
    """Whose work it is: of users who have logged in, of a login that was right before, of one from an address that has not
    failed of late, of one from an address that has."""

    USERS = 0
    KNOWN = 1
    NEW = 2
    FAILED = 3


_STRANGERS: Final = (Lane.NEW, Lane.FAILED)


@define(eq=False)
class Workers:
    """A few threads for pure functions. `start` before, `stop` after; `stop` waits for what runs."""

    reactor: Any
    _pool: ThreadPool = field(factory=lambda: ThreadPool(0, THREADS, "requests"), init=False)
    _lanes: dict[Lane, deque[tuple[Callable[[], Any], Deferred[Any]]]] = field(
        factory=lambda: {lane: deque() for lane in Lane}, init=False
    )
    _running: dict[Lane, int] = field(factory=lambda: dict.fromkeys(Lane, 0), init=False)

    def start(self) -> None:
        """Threads are made when there is work."""
        self._pool.start()

    def stop(self) -> None:
        """End the threads."""
        self._pool.stop()

    def run(self, function: Callable[[], T], lane: Lane = Lane.USERS) -> Deferred[T]:
        """Fires with what the function returns. Fails with what it raises, or with `Busy`."""
        if len(self._lanes[lane]) + self._running[lane] >= LONGEST_QUEUE:
            return fail(Busy("too much is under way"))
        done: Deferred[T] = Deferred()
        self._lanes[lane].append((function, done))
        self._begin()
        return done

    def _begin(self) -> None:
        while sum(self._running.values()) < THREADS and (lane := self._next()) is not None:
            function, done = self._lanes[lane].popleft()
            self._running[lane] += 1
            ran: Deferred[Any] = deferToThreadPool(self.reactor, self._pool, function)
            ran.addBoth(self._ended, lane)
            ran.chainDeferred(done)

    def _next(self) -> Lane | None:
        strangers = sum(self._running[lane] for lane in _STRANGERS)
        return next((lane for lane in Lane if self._lanes[lane] and (lane not in _STRANGERS or strangers < THREADS - 1)), None)

    def _ended(self, result: Any, lane: Lane) -> Any:
        self._running[lane] -= 1
        self._begin()
        return result
