"""Turns of the database: what reads or writes a lot at once is done for one user after the other.

The database thread serves the flow, too. A request that keeps it for some milliseconds is no harm; forty of them, which one
user can send at a time, would keep calls waiting. So the requests of a user that read or write a lot wait for each other, and
then for as long again as the one before took: they have the thread for half of the time at most, and others come between. Work
of many pieces, which would take twice as long so, rests less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

T = TypeVar("T")

AS_LONG: Final = 1.0
"""The rest after a piece of work, in proportion to it."""
SHORT: Final = 0.05
"""The same of work of which there is much: others still come behind each piece, as they wait before it."""
BUSY: Final = 0.06
"""Seconds that no piece of such work is meant to take: one that does tells that the machine has much else to do."""
WHILE_BUSY: Final = 0.25
"""The rest after it: calls come first."""


@define(eq=False)
class _Queue:
    """That of one user; `free_at` is when the next one may begin, `waiting` counts those that wait or run."""

    lock: DeferredLock = field(factory=DeferredLock)
    free_at: float = 0.0
    waiting: int = 0


@define(eq=False)
class Turns:
    """Whose turn it is. Users of whom nothing waits are not remembered but for the time that they have to wait."""

    clock: IReactorTime
    _queues: dict[int, _Queue] = field(factory=dict, init=False)

    async def take(self, user_id: int, work: Callable[[], Deferred[T]], rest: float = AS_LONG) -> T:
        """Do it when it is its turn, and have the next one rest for so long in proportion. Fails with what it fails with."""
        queue = self._queue(user_id)
        queue.waiting += 1
        try:
            await queue.lock.acquire()
            try:
                return await self._work(queue, work, rest)
            finally:
                queue.lock.release()
        finally:  # also of who gave up before it was its turn
            queue.waiting -= 1

    async def _work(self, queue: _Queue, work: Callable[[], Deferred[T]], rest: float) -> T:
        if (wait := queue.free_at - self.clock.seconds()) > 0:
            await deferLater(self.clock, wait)
        began = self.clock.seconds()
        try:
            return await work()
        finally:
            now = self.clock.seconds()
            seconds = now - began
            queue.free_at = now + seconds * (rest if seconds < BUSY else max(rest, WHILE_BUSY))

    def _queue(self, user_id: int) -> _Queue:
        now = self.clock.seconds()
        if user_id not in self._queues:
            self._queues = {key: queue for key, queue in self._queues.items() if queue.waiting or queue.free_at > now}
            self._queues[user_id] = _Queue()
        return self._queues[user_id]
