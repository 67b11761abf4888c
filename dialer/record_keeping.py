"""How long the records of calls are kept: those that ended longer ago are removed in the background, and with them the calls
without a campaign whose records are gone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from dialer.errors import StoreError
from dialer.interfaces import Now
from dialer.periodic import DegradedLog, PeriodicLoop
from dialer.settings import FIVE_YEARS

log = structlog.get_logger()

EVERY: Final = 1.0
"""Seconds between two steps, while there is something to remove."""
AGAIN: Final = 60.0
"""Seconds until the next look, when there is nothing."""
AT_ONCE: Final = 200
"""Records in one transaction: some milliseconds, for which others wait. In a day, 17 million go so."""
CALLS_AT_ONCE: Final = 100
"""Calls without a campaign, of which each is several rows."""


class PurgeStore(Protocol):
    """The records. Fails with: `StoreError`."""

    def purge(self, before: datetime, after: int, limit: int) -> Deferred[tuple[int, int]]:
        """Remove up to `limit` attempts that ended before a moment, the oldest first, from behind the id `after`. Fires with
        how many went, and with the last id that is gone."""
        ...

    def purge_calls(self, before: datetime, limit: int) -> Deferred[int]:
        """Remove those of the oldest `limit` calls without a campaign that were over before a moment and have no record. Fires
        with how many went."""
        ...


@define(eq=False)
class RecordKeeper:
    """Removes the records that are older than `keep`; of the nodes of a database, one at a time does."""

    clock: IReactorTime
    now: Now
    store: PurgeStore
    keep: timedelta
    _loop: PeriodicLoop = field(init=False)
    _next_at: float = field(default=0.0, init=False)
    _gone: int = field(default=0, init=False)
    _removed: int = field(default=0, init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("old call records are not removed: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("old call records", EVERY, self.look, self.clock)

    def start(self) -> None:
        """Begin to look. Says so when records are kept for less long than the law of the United States demands."""
        if self.keep < timedelta(days=FIVE_YEARS):
            log.warning(
                "call records are removed before the five years are over that 16 CFR 310.5 demands",
                keep_days=self.keep.days,
                see="records.keep",
            )
        self._loop.start()

    def stop(self) -> Deferred[None]:
        """No more looks."""
        return self._loop.stop()

    async def look(self) -> None:
        """Remove a few, when it is time to."""
        if self.clock.seconds() < self._next_at:
            return
        before = self.now() - self.keep
        try:
            removed, self._gone = await self.store.purge(before, self._gone, AT_ONCE)
            calls = await self.store.purge_calls(before, CALLS_AT_ONCE)
        except StoreError as error:
            self._degraded.failed(str(error))
            return
        self._degraded.worked()
        self._removed += removed
        if removed < AT_ONCE and calls < CALLS_AT_ONCE:
            self._next_at = self.clock.seconds() + AGAIN
            if self._removed:
                log.info("old call records were removed", records=self._removed, keep_days=self.keep.days)
            self._gone = self._removed = 0
