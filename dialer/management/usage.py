"""How much gateways are used: their calls since ever.

Attempts are counted by blocks of their ids. A block whose attempts have all ended is counted once; those with open calls, and
the newest ones, are counted anew when somebody asks and the figures are not fresh. So asking costs little, however many
attempts there are; only the first time after a start, all of them are counted, block by block, others between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog
from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from dialer.management.management import Management, Transaction, verb
from dialer.model import CampaignDetails, GatewayUse
from dialer.store import reports as sql

log = structlog.get_logger()

BLOCK: Final = 5000
"""Attempts that are counted at once: some milliseconds on the database thread."""

FRESH: Final = 2.0
"""Seconds for which figures are good."""

SHARE: Final = 0.05
"""Of its time, the database counts at most so much: figures that took long to count are good for longer."""

PATIENCE: Final = 1.0
"""Seconds that an answer waits for fresh figures; then it tells those that there are, or none."""

Counts = Mapping[int, tuple[int, int, int]]
"""Calls, open calls and milliseconds, by gateway."""


@verb
def newest(t: Transaction) -> int:
    """The id of the newest attempt."""
    (found,) = t.connection.execute(sql.NEWEST_ATTEMPT).fetchone()
    return int(found)


@verb
def count(t: Transaction, before: int) -> Counts:
    """The attempts of the block behind an id."""
    found: dict[int, tuple[int, int, int]] = {}
    block = (before, before + BLOCK)
    for gateway, calls, still_open, talked in t.connection.execute(sql.USE_OF_GATEWAYS, (*block, *block)).fetchall():
        _add(found, {gateway: (int(calls), int(still_open), int(talked))})
    return found


@define(eq=False)
class UseOfGateways:
    """Counts when asked. `management` asks the database, and has the clock."""

    management: Management
    _figures: Mapping[int, GatewayUse] | None = field(default=None, init=False)
    _good_until: float = field(default=0.0, init=False)
    _closed: dict[int, tuple[int, int, int]] = field(factory=dict, init=False)
    _blocks: list[int] = field(factory=list, init=False)
    """Those that are counted anew: the ids before them."""
    _next: int = field(default=0, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)
    _counting: bool = field(default=False, init=False)

    def tell(self, details: CampaignDetails) -> CampaignDetails | Deferred[CampaignDetails]:
        """The campaign with the use of its gateway; at once when that is known."""
        if self._is_fresh:
            return self._with(details)
        return self._counted().addCallback(lambda _: self._with(details))

    async def tell_all(self, several: list[CampaignDetails]) -> list[CampaignDetails]:
        """The same of several."""
        if several and not self._is_fresh:
            await self._counted()
        return [self._with(details) for details in several]

    @property
    def _is_fresh(self) -> bool:
        return self._figures is not None and self.management.reactor.seconds() < self._good_until

    def _with(self, details: CampaignDetails) -> CampaignDetails:
        if self._figures is None:
            return details
        return evolve(details, gateway_use=self._figures.get(details.gateway.id, GatewayUse()))

    def _counted(self) -> Deferred[None]:
        """Fires when the figures are fresh, when counting failed, or when that takes too long; never fails."""
        waiter: Deferred[None] = Deferred()
        self._waiting.append(waiter)
        if not self._counting:
            self._counting = True
            counted = Deferred.fromCoroutine(self._count())
            counted.addErrback(_not_counted).addBoth(self._done)
        return waiter.addTimeout(PATIENCE, self.management.reactor, lambda _result, _seconds: None)

    def _done(self, _: Any) -> None:
        self._counting = False
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.called:
                waiter.callback(None)

    async def _count(self) -> None:
        seconds = self.management.reactor.seconds
        began, last = seconds(), await self.management.ask(newest)
        while self._next < last:
            self._blocks.append(self._next)
            self._next += BLOCK
        current = dict(self._closed)
        for before in list(self._blocks):
            counts = await self.management.ask(count, before)
            _add(current, counts)
            # Ids are given out before their rows are written: other processes may still write some of the newest ones.
            if before + 2 * BLOCK <= last and not any(still_open for _, still_open, _ in counts.values()):
                _add(self._closed, counts)
                self._blocks.remove(before)
        self._figures = {
            gateway: GatewayUse(calls=calls, open=still_open, talked=talked // 1000)
            for gateway, (calls, still_open, talked) in current.items()
        }
        self._good_until = seconds() + max(FRESH, (seconds() - began) / SHARE)


def _add(to: dict[int, tuple[int, int, int]], counts: Counts) -> None:
    for gateway, more in counts.items():
        before: Iterable[int] = to.get(gateway, (0, 0, 0))
        calls, still_open, talked = (one + other for one, other in zip(before, more, strict=True))
        to[gateway] = calls, still_open, talked


def _not_counted(failure: Failure) -> None:
    log.warning("the calls through the gateways could not be counted", reason=failure.getErrorMessage())
