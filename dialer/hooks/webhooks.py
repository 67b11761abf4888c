"""Tells webhooks what happened: one node at a time serves all of them, each on a `Line` of its own.

Lines that are at the same place share what is read, so that events are read once for all webhooks that keep up.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, Final

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from dialer.errors import StoreError
from dialer.hooks.line import Line, Means
from dialer.hooks.pruning import Pruner
from dialer.hooks.share import Share
from dialer.interfaces import Now, WebhookSender, WebhookStore
from dialer.model.event import EventPlace, Told
from dialer.periodic import DegradedLog, PeriodicLoop

log = structlog.get_logger()

LOOK_EVERY: Final = 0.05
"""Seconds between two looks for events; nothing is looked for when there is no webhook."""
REFRESH_EVERY: Final = 1.0
"""Seconds after which a change of a webhook is heard of."""
HOLD_EVERY: Final = 3.0
"""Seconds; a third of the time for which a node that is dead still has the webhooks."""

BATCH: Final = 200
"""Events that are read at a time."""
ROUNDS: Final = 10
"""Batches that are read at one look."""

PRUNE_EVERY: Final = 60.0
PRUNED_AT_ONCE: Final = 1000
"""Deliveries in one transaction: others wait for it."""

LAST_ANSWERS: Final = 2.0
"""Seconds that requests under way may take when the dialer stops; those that take longer are made again."""

Reads = dict[EventPlace, tuple[EventPlace, list[Told]]]


@define(eq=False)
class Webhooks:
    """Serves the webhooks of `store` as long as this node may. Deliveries are kept for `keep`; `most` requests are made at
    once, beside one for each webhook."""

    clock: IReactorTime
    now: Now
    store: WebhookStore
    sender: WebhookSender
    rng: random.Random
    keep: timedelta
    most: int
    lines: dict[int, Line] = field(factory=dict, init=False)
    _means: Means = field(init=False)
    _loop: PeriodicLoop = field(init=False)
    _refresh_at: float = field(default=0.0, init=False)
    _hold_at: float = field(default=0.0, init=False)
    _pruner: Pruner = field(init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("no webhooks are told: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._means = Means(
            clock=self.clock,
            now=self.now,
            store=self.store,
            sender=self.sender,
            rng=self.rng,
            share=Share(self.most),
        )
        self._loop = PeriodicLoop("webhooks", LOOK_EVERY, self.look, self.clock)
        self._pruner = Pruner(self._remove_old, PRUNED_AT_ONCE, PRUNE_EVERY)

    def start(self) -> None:
        """Begin to tell."""
        self._loop.start()

    async def stop(self) -> None:
        """Begin no more requests; store what became of the others."""
        for line in self.lines.values():
            line.halt()
        await self._loop.stop()
        last = self.clock.seconds() + LAST_ANSWERS
        while any(line.in_flight for line in self.lines.values()) and self.clock.seconds() < last:
            await _sleep(self.clock, LOOK_EVERY / 2)
        try:
            await self._store()
        except StoreError as error:
            self._degraded.failed(str(error))
        self._drop_all()

    async def look(self) -> None:
        """Read what there is, make requests, store what became of them."""
        try:
            if self.clock.seconds() >= self._refresh_at:
                await self._refresh()
                self._refresh_at = self.clock.seconds() + REFRESH_EVERY
            if self.lines:
                await self._serve()
        except StoreError as error:
            self._degraded.failed(str(error))
        else:
            self._degraded.worked()

    async def _refresh(self) -> None:
        """Learn which webhooks there are."""
        found = {each.webhook.id: each for each in await self.store.served()}
        if found and not await self._held():
            self._drop_all()
            return
        for number in self.lines.keys() - found.keys():
            self.lines.pop(number).close()
        for number, served in found.items():
            if number in self.lines:
                self.lines[number].update(served)
            else:
                self.lines[number] = Line(self._means, served)
        for line in self.lines.values():
            await line.load()
        await self._pruner.look(self.clock.seconds())

    def _remove_old(self, limit: int) -> Deferred[int]:
        return self.store.prune(self.now() - self.keep, limit)

    async def _held(self) -> bool:
        if not self.lines or self.clock.seconds() >= self._hold_at:
            self._hold_at = self.clock.seconds() + HOLD_EVERY
            return await self.store.hold(self.now())
        return True

    async def _serve(self) -> None:
        for _ in range(ROUNDS):
            reads: Reads = {}
            more = False
            for line in list(self.lines.values()):
                more = await self._read(line, reads) or more
                line.pump()
            if not more:
                break
        await self._store()

    async def _read(self, line: Line, reads: Reads) -> bool:
        """Read the next events of a line that has room for them; whether there may be more."""
        if not line.wants_events:
            return False
        place = line.place
        if place not in reads:
            reads[place] = await self.store.read(place, BATCH)
        ahead, events = reads[place]
        line.take(ahead, events)
        return len(events) == BATCH

    async def _store(self) -> None:
        """Fails with `StoreError` when some could not be stored; the others are."""
        lines = list(self.lines.items())
        problem: Failure | None = None
        stored = await DeferredList([Deferred.fromCoroutine(line.store()) for _, line in lines], consumeErrors=True)
        for (number, line), outcome in zip(lines, stored, strict=True):
            result: Any = outcome[1]
            if isinstance(result, Failure):
                problem = result
            elif not result:
                line.close()
                self.lines.pop(number, None)
        if problem is not None:
            problem.raiseException()

    def _drop_all(self) -> None:
        for line in self.lines.values():
            line.close()
        self.lines = {}


async def _sleep(clock: IReactorTime, seconds: float) -> None:
    slept: Deferred[None] = Deferred()
    clock.callLater(seconds, slept.callback, None)
    await slept
