"""Hands events to a receiver: in order, at least once, again after failures, until they arrive.

An event is a row that was committed with its cause, and the place of its reader is a row as well, so both survive whatever
happens to this process; an event may arrive twice when the process dies between telling and noting that it told. Of the nodes
that share a database, one serves a reader at a time.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from dialer.errors import HookFailed, StoreError
from dialer.interfaces import ConsumerStore, EventReceiver, Now
from dialer.model.event import EventKind, EventPlace
from dialer.periodic import DegradedLog, PeriodicLoop

log = structlog.get_logger()

LOOK_EVERY = 0.2
"""Seconds between two looks for events."""

HOLD_EVERY = timedelta(seconds=3)
"""A third of the time for which a node that is dead still has its readers."""

BATCH = 200
"""Events that are read at a time."""

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)


@define(eq=False)
class EventFeed:
    """Hands the events of `kinds` to `receiver`, for the reader named `name`, which is known to `store`."""

    clock: IReactorTime
    now: Now
    store: ConsumerStore
    name: str
    kinds: frozenset[EventKind]
    receiver: EventReceiver
    _loop: PeriodicLoop = field(init=False)
    _place: EventPlace | None = field(default=None, init=False)
    _hold_at: float = field(default=0.0, init=False)
    _next_try: float = field(default=0.0, init=False)
    _failures: int = field(default=0, init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("no events are handed over: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop(f"events for {self.name}", LOOK_EVERY, self.deliver, self.clock)

    def start(self) -> None:
        """Begin to hand over."""
        self._loop.start()

    async def stop(self) -> None:
        """Hand over what is there, once more, then no more."""
        await self._loop.stop()
        self._next_try = 0.0
        await self.deliver()

    async def deliver(self) -> None:
        """Hand over everything that is there, as long as it arrives."""
        if self.clock.seconds() < self._next_try:
            return
        try:
            while await self._held() and await self._next():
                pass
        except StoreError as error:
            self._place = None
            self._degraded.failed(str(error))
        else:
            self._degraded.worked()

    async def _held(self) -> bool:
        """Whether this node serves the reader."""
        if self._place is None or self.clock.seconds() >= self._hold_at:
            held = await self.store.hold(self.name, self.now())
            self._hold_at = self.clock.seconds() + HOLD_EVERY.total_seconds()
            if held is None or self._place is None or held.position != self._place.position:
                self._place = held
        return self._place is not None

    async def _next(self) -> bool:
        """Hand the next events over; whether there may be more."""
        place = self._place
        if place is None:
            return False
        ahead, events = await self.store.read(place, BATCH)
        wanted = [one for one in events if one.event.kind in self.kinds]
        if wanted:
            try:
                await self.receiver(wanted)
            except HookFailed as error:
                self._failed(error, len(wanted))
                return False
        self._failures = 0
        if events and not await self.store.advance(self.name, ahead.position):
            self._place = None  # another node serves it by now
            return False
        self._place = ahead
        return len(events) == BATCH

    def _failed(self, error: HookFailed, events: int) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(self._failures, 16), LONGEST_PAUSE)
        self._failures += 1
        self._next_try = self.clock.seconds() + pause.total_seconds()
        log.warning(
            "events were not taken", consumer=self.name, events=events, reason=str(error), again_in=pause.total_seconds()
        )
