"""This process as a node among others: its heartbeats, and the calls of nodes that have died.

A heartbeat renews the lease within which others leave this node's attempts alone, and tells the database's clock. When others
took this node for dead (it was frozen, or cut off), what they have taken over is forgotten here: no end and no move of it
comes from this node any more, and a session that is opened for it here is refused. When another node's lease runs out, its
attempts on switches that are ours, too, are taken over and compared with these like those of an earlier run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from dialer.calls.corrections import Correction
from dialer.calls.fleet import Fleet
from dialer.calls.lifecycle import Lifecycle
from dialer.errors import StoreError
from dialer.interfaces import FlowStore, NodeState, NodeStore, Now, Pulse
from dialer.periodic import DegradedLog, PeriodicLoop

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two heartbeats."""

UNANSWERED = 5 * EVERY
"""Seconds without an answer after which the database counts as one that does not serve."""

BREAK = 2.5 * EVERY
"""Seconds between two answers that are a break: the shortest lease is longer."""


@define(eq=False, kw_only=True)
class Heartbeat:
    """Beats while it runs. `learn` is told the database's clock, with the moments before and after it was asked; `figures` are
    what the node tells of itself. `lease` is in seconds: a heartbeat that is unanswered for so long gives the connection up;
    and nobody is rescued before this node has beaten for so long without a break, because when the database was away, or
    everybody was frozen, the leases of all nodes have run out."""

    clock: IReactorTime
    now: Now
    nodes: NodeStore
    store: FlowStore
    fleet: Fleet
    lifecycle: Lifecycle
    figures: Callable[[], Mapping[str, int]]
    learn: Callable[[datetime, datetime, datetime], None] = lambda _before, _told, _after: None
    lease: float = 10.0
    _steady_since: float = field(init=False)
    _answered_at: float = field(init=False)
    _epoch: int = field(default=0, init=False)
    _degraded: DegradedLog = field(factory=lambda: DegradedLog("no heartbeat: the database does not serve"), init=False)
    _loop: PeriodicLoop = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._steady_since = self._answered_at = self.clock.seconds()
        self._loop = PeriodicLoop("heartbeat", EVERY, self.beat, self.clock)

    @property
    def answered(self) -> bool:
        """Whether the database has answered the last heartbeat, a moment ago."""
        recent = self.clock.seconds() - self._answered_at < UNANSWERED
        return recent and self._epoch != 0 and not self._degraded.reason

    def start(self) -> None:
        """Begin to beat."""
        self._loop.start()

    async def stop(self) -> None:
        """Beat no more, and say so."""
        await self._loop.stop()
        try:
            await self.nodes.leave(self.now())
        except StoreError as error:
            log.warning("the end of this node is not stored", reason=str(error))

    async def beat(self) -> None:
        """One heartbeat, and a look at the dead."""
        try:
            pulse = await self._pulse()
            if self._epoch not in (0, pulse.epoch):
                await self._rejoined()
            self._epoch = pulse.epoch
            if self.fleet.ready and self.clock.seconds() - self._steady_since >= self.lease:
                await self._rescue()
            self._degraded.worked()
        except StoreError as error:
            self._degraded.failed(str(error))

    async def _pulse(self) -> Pulse:
        state = NodeState(
            switches={
                member.name: member.switch.core_uuid if member.switch.ready else "" for member in self.fleet if member.name
            },
            ready=self.fleet.ready,
            figures=self.figures(),
        )
        overdue = self.clock.callLater(self.lease, self.nodes.interrupt)
        before = self.now()
        try:
            pulse = await self.nodes.beat(state, before)
        finally:
            if overdue.active():
                overdue.cancel()
        answered_at = self.clock.seconds()
        if answered_at - self._answered_at > BREAK:
            self._steady_since = answered_at
        self._answered_at = answered_at
        self.learn(before, pulse.at, self.now())
        return pulse

    async def _rejoined(self) -> None:
        owned = {attempt.call_uuid: attempt for attempt in await self.store.open_attempts()}
        known = set(self.lifecycle.register.calls)
        lost = known - owned.keys()
        log.warning("this node was taken for dead: others have its calls by now", calls=len(lost))
        self.lifecycle.forget(lost)
        self.lifecycle.take_over([attempt for uuid, attempt in owned.items() if uuid not in known])

    async def _rescue(self) -> None:
        rescued = await self.nodes.rescue([member.name for member in self.fleet if member.switch.ready])
        if not rescued:
            return
        for attempt in rescued:
            self.lifecycle.corrections.note(Correction.RESCUED, attempt.call_uuid, "the lease of the node that had it ran out")
        self.lifecycle.take_over(rescued)
