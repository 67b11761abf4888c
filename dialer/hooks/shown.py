"""Events that pages list are written whether anybody looks or not, so that who looks later finds them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from dialer.errors import StoreError
from dialer.model.event import RARE, EventKind
from dialer.periodic import DegradedLog, PeriodicLoop

ASK_EVERY: Final = 60.0
"""Seconds."""
LASTS: Final = timedelta(minutes=5)
"""For which the kinds are written after the last process with a page has gone: what happens while it is started anew is
listed, too."""


class ShownStore(Protocol):
    """Where every node of the database reads which kinds are listed. Fails with: `StoreError`."""

    def show(self, kinds: frozenset[EventKind], now: datetime, lasts: timedelta) -> Deferred[None]:
        """They are written for so long."""
        ...


@define(eq=False)
class ShownEvents:
    """Has the rare kinds written, as long as it runs."""

    clock: IReactorTime
    now: Callable[[], datetime]
    store: ShownStore
    _loop: PeriodicLoop = field(init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("events for pages are not asked for: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("events for pages", ASK_EVERY, self.look, self.clock)

    def start(self) -> None:
        """Begin to ask."""
        self._loop.start()

    def stop(self) -> Deferred[None]:
        """Ask no more."""
        return self._loop.stop()

    def ask(self) -> Deferred[None]:
        """Ask once. Fails with `StoreError`."""
        return self.store.show(RARE, self.now(), LASTS)

    async def look(self) -> None:
        """Ask, when the database serves."""
        try:
            await self.ask()
        except StoreError as error:
            self._degraded.failed(str(error))
        else:
            self._degraded.worked()
