"""Which kinds of events somebody asks for, as this process knows it, and how long events are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from dialer.errors import StoreError
from dialer.hooks.pruning import Pruner
from dialer.interfaces import Now
from dialer.interfaces.telling import Interest
from dialer.model import EventKind
from dialer.periodic import DegradedLog, PeriodicLoop

log = structlog.get_logger()

LOOK_EVERY: Final = 1.0
"""Seconds after which a new reader is heard of by every node at the latest."""

PRUNE_EVERY: Final = 60.0
PRUNED_AT_ONCE: Final = 500
"""Events in one transaction: others wait for it."""


class Interested(Protocol):
    """Whoever tells of events: `wanted` by readers, `shown` on pages."""

    wanted: frozenset[EventKind]
    shown: frozenset[EventKind]


class InterestStore(Protocol):
    """The readers of events. Fails with: `StoreError`."""

    def wanted(self, now: datetime) -> Deferred[Interest]:
        """The kinds of events that are written."""
        ...

    def prune(self, before: datetime, limit: int) -> Deferred[int]:
        """Remove up to `limit` events that happened before and that no reader waits for."""
        ...


@define(eq=False)
class Interests:
    """Keeps `teller.wanted` and `teller.shown` up to date, and removes events that are older than `keep`."""

    clock: IReactorTime
    now: Now
    store: InterestStore
    teller: Interested
    keep: timedelta
    _loop: PeriodicLoop = field(init=False)
    _pruner: Pruner = field(init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("readers of events are not known: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("readers of events", LOOK_EVERY, self.look, self.clock)
        self._pruner = Pruner(self._remove_old, PRUNED_AT_ONCE, PRUNE_EVERY)

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    def stop(self) -> Deferred[None]:
        """No more looks."""
        return self._loop.stop()

    def call_soon(self) -> None:
        """The readers changed."""
        self._loop.call_soon()

    async def load(self) -> None:
        """Look once. Fails with `StoreError`."""
        found = await self.store.wanted(self.now())
        self.teller.wanted, self.teller.shown = found.asked, found.shown

    async def look(self) -> None:
        """Look, and from time to time remove what is old."""
        try:
            await self.load()
            await self._pruner.look(self.clock.seconds())
        except StoreError as error:
            self._degraded.failed(str(error))
        else:
            self._degraded.worked()

    def _remove_old(self, limit: int) -> Deferred[int]:
        return self.store.prune(self.now() - self.keep, limit)
