"""How old the oldest event is that a receiver still waits for: whether any of them is dead, or too slow."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from dialer.errors import StoreError
from dialer.periodic import PeriodicLoop

LOOK_EVERY: Final = 5.0
"""Seconds; a few steps in indexes for each receiver."""


class WaitingStore(Protocol):
    """What receivers have not got yet. Fails with: `StoreError`."""

    def oldest_undelivered(self) -> Deferred[datetime | None]:
        """When the oldest event happened that a receiver waits for; None when none does."""
        ...


@define(eq=False)
class Undelivered:
    """Keeps `oldest` up to date: the moment of the oldest event that a receiver waits for, None when none does. While the
    database is away, it stays what it was: what waits grows older."""

    clock: IReactorTime
    store: WaitingStore
    oldest: datetime | None = field(default=None, init=False)
    _loop: PeriodicLoop = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("undelivered events", LOOK_EVERY, self.look, self.clock)

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    def stop(self) -> Deferred[None]:
        """No more looks."""
        return self._loop.stop()

    async def look(self) -> None:
        """Ask once."""
        try:
            self.oldest = await self.store.oldest_undelivered()
        except StoreError:
            return  # others tell of that
