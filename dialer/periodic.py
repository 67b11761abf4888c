"""Work that is done again and again: a loop that cannot die and cannot overlap itself, and what it logs of failures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

log = structlog.get_logger()


@define(eq=False)
class PeriodicLoop:
    """Runs `work` again and again. The interval (seconds) counts from the end of a run, so a slow run delays the next one
    and never piles up. What `work` raises is logged under `name` and the loop goes on. Reactor thread only.
    """

    name: str
    interval: float
    work: Callable[[], Awaitable[object]]
    clock: IReactorTime
    _timer: IDelayedCall | None = field(default=None, init=False)
    _running: Deferred[None] | None = field(default=None, init=False)
    _again: bool = field(default=False, init=False)
    _started: bool = field(default=False, init=False)

    def start(self) -> None:
        """Run for the first time, now."""
        self._started = True
        self._run()

    def call_soon(self) -> None:
        """Run without waiting for the interval; requests made while a run is under way become one more run after it."""
        if not self._started:
            return
        if self._running is not None:
            self._again = True
            return
        self._cancel()
        self._run()

    def stop(self) -> Deferred[None]:
        """No further run; fires when the run under way, if any, has ended."""
        self._started = False
        self._again = False
        self._cancel()
        if self._running is None:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._running.addBoth(lambda _: waiter.callback(None))
        return waiter

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        self._timer = None
        self._running = Deferred.fromCoroutine(self._guarded())
        self._running.addCallback(self._done)

    async def _guarded(self) -> None:
        try:
            await self.work()
        except Exception:
            log.exception("periodic work failed", loop=self.name)

    def _done(self, _: None) -> None:
        self._running = None
        if self._started:
            delay = 0.0 if self._again else self.interval
            self._again = False
            self._timer = self.clock.callLater(delay, self._run)


@define(eq=False)
class DegradedLog:
    """Something that is tried again and again and does not work: told once, and once more when it works again.

    `what` names it for the reader of the log; `reason` is why it did not work the last time, "" when it did."""

    what: str
    reason: str = field(default="", init=False)
    _tries: int = field(default=0, init=False)

    def failed(self, reason: str, **more: object) -> None:
        """It did not work this time."""
        self._tries += 1
        self.reason = reason
        if self._tries == 1:
            log.error(self.what, reason=reason, **more)

    def worked(self) -> None:
        """It did."""
        if self._tries:
            log.info(f"it works again: {self.what}", tries=self._tries)
            self._tries = 0
            self.reason = ""
