"""One piece of work for all who ask at the same time, or a little later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

T = TypeVar("T")


@define(eq=False)
class SharedResult(Generic[T]):
    """What `make` returns, which runs once at a time, and not again for `fresh` seconds after it has ended. A failure is told
    to those who wait for it, and not kept. Reactor thread only."""

    make: Callable[[], Awaitable[T]]
    fresh: float
    clock: IReactorTime
    _made: tuple[float, T] | None = field(default=None, init=False)
    _waiting: list[Deferred[T]] = field(factory=list, init=False)

    def get(self) -> Deferred[T]:
        """Fires with it. Fails with what `make` raises. Who cancels it waits no more; the work goes on for the others."""
        if self._made is not None and 0 <= self.clock.seconds() - self._made[0] < self.fresh:
            return succeed(self._made[1])
        waiter: Deferred[T] = Deferred()
        self._waiting.append(waiter)
        if len(self._waiting) == 1:
            Deferred.fromCoroutine(self._make()).addBoth(self._tell)
        return waiter

    async def _make(self) -> T:
        made = await self.make()
        self._made = self.clock.seconds(), made
        return made

    def _tell(self, result: T | Failure) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(result)
