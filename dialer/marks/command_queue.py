"""The commands of one app on their way to the switch: in order, and only so many a second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from dialer.limiter import Limiter
from dialer.marks.requests import Immediate, Later, Request


@define(eq=False, kw_only=True)
class CommandQueue:
    """`commands` is how many a second, at most those of a second at once; `perform` gives one to the switch, and `failed` is
    told of each that failed, before the app is."""

    clock: IReactorTime
    commands: float
    perform: Callable[[Immediate], Deferred[str]]
    failed: Callable[[Immediate, BaseException], None]
    _limiter: Limiter = field(init=False)
    _waiting: deque[tuple[Immediate, Future[str]]] = field(factory=deque, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _scheduled: set[IDelayedCall] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self.limit(self.commands)

    def limit(self, commands: float) -> None:
        """So many a second, from now on."""
        self._limiter = Limiter(1 / commands, max(1, int(commands)))

    def take(self, request: Request, future: Future[str]) -> None:
        """Perform a request in its turn, one that is scheduled when it is due. `future` gets what the switch says."""
        if isinstance(request, Later):
            self._scheduled = {timer for timer in self._scheduled if timer.active()}
            self._scheduled.add(self.clock.callLater(request.seconds, self.take, request.request, future))
            return
        self._waiting.append((request, future))
        self._pump()

    def stop(self) -> None:
        """Nothing that waits is performed any more."""
        for timer in (*self._scheduled, self._timer):
            if timer is not None and timer.active():
                timer.cancel()

    def _pump(self) -> None:
        wait = 0.0
        while self._waiting and not (wait := self._limiter.take(None, self.clock.seconds())):
            request, future = self._waiting.popleft()
            performed = maybeDeferred(self.perform, request)
            performed.addCallbacks(future.set_result, self._not_performed, errbackArgs=(request, future))
        if self._waiting and (self._timer is None or not self._timer.active()):
            self._timer = self.clock.callLater(wait, self._pump)

    def _not_performed(self, failure: Failure, request: Immediate, future: Future[str]) -> None:
        error: Any = failure.value
        self.failed(request, error)
        future.set_exception(error)
