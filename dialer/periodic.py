"""Work that is done again and again: a loop that cannot die and cannot overlap itself; and what is logged of things that
happen again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Final

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

log = structlog.get_logger()

QUIET: Final = 60.0
"""Seconds between two lines about the same thing."""

MOST_THINGS: Final = 200
"""Things that one `RepeatedLog` tells apart; others beyond these share a line."""


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


@define(eq=False)
class _Thing:
    told_at: float
    held: int = 0
    last: Mapping[str, object] = field(factory=dict)


@define(eq=False)
class RepeatedLog:
    """Something that others can make happen thousands of times a minute. It is counted (`total`), and told by one warning (or
    `error`) a minute at most for each `key`: the first at once, what comes meanwhile in one line at the end of the minute.
    `times` says how many a line stands for; its other fields are those of the last one."""

    what: str
    clock: IReactorTime
    error: bool = False
    total: int = field(default=0, init=False)
    _things: dict[Hashable, _Thing] = field(factory=dict, init=False)

    def happened(self, key: Hashable = None, **more: object) -> None:
        """It has happened, once more."""
        self.total += 1
        now = self.clock.seconds()
        if key not in self._things and len(self._things) >= MOST_THINGS:
            self._forget(now)
            key = key if len(self._things) < MOST_THINGS else None
        thing = self._things.get(key)
        if thing is None or (not thing.held and not 0 <= now - thing.told_at < QUIET):
            self._tell(key, 1, more)
            return
        thing.held += 1
        thing.last = more
        if thing.held == 1:
            self.clock.callLater(max(0.0, thing.told_at + QUIET - now), self._tell_held, key, thing)

    def _tell(self, key: Hashable, times: int, more: Mapping[str, object]) -> None:
        write = log.error if self.error else log.warning
        write(self.what, **more, times=times)
        self._things[key] = _Thing(self.clock.seconds())

    def _tell_held(self, key: Hashable, thing: _Thing) -> None:
        self._tell(key, thing.held, thing.last)

    def _forget(self, now: float) -> None:
        past = [key for key, thing in self._things.items() if not thing.held and now - thing.told_at >= QUIET]
        for key in past:
            del self._things[key]
