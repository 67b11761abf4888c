"""What the log tells of the ways out: that one is backed off from, why and until when, and that it serves again.

A dead gateway fails thousands of calls, and may do so for days. So each is told at once when it begins, then once a minute
while it lasts; and one that comes and goes is told no more often than that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from dialer.calls.causes import Verdict
from dialer.errors import StoreError
from dialer.gateways import Backoff
from dialer.model import Gateway, Outcome
from dialer.periodic import PeriodicLoop

log = structlog.get_logger()

REMIND: Final = timedelta(minutes=1)
LEARN_EVERY: Final = 60.0
"""Seconds between two looks at which gateways other nodes have found down."""


def words(outcome: Outcome, verdict: Verdict) -> str:
    """The cause of an end for people: FreeSWITCH's word, and where there was one the SIP status with its meaning."""
    return outcome.cause if outcome.sip_status is None else f"{outcome.cause}, SIP {outcome.sip_status}: {verdict.reason}"


@define(eq=False)
class HealthLog:
    """`look` and `look_at_gateway` are called after each end of a call; `changed` is told of each gateway that goes down, with
    its back-off, and of each that serves again, with None."""

    changed: Callable[[Gateway, Backoff | None], None] = lambda gateway, backoff: None
    _told_at: dict[str, datetime] = field(factory=dict, init=False)
    _down: set[str] = field(factory=set, init=False)

    def look(self, what: str, backoff: Backoff | None, now: datetime) -> bool:
        """`what` is the way out, such as `the switch`; None for one without faults. Returns whether something was told."""
        if backoff is None or not backoff.faults:
            return self._serves(what)
        return backoff.until is not None and backoff.blocks(now) and self._backed_off(what, backoff, backoff.until, now)

    def look_at_gateway(self, gateway: Gateway, backoff: Backoff | None, now: datetime, *, got_through: bool) -> None:
        """The same for a gateway. Only a call that got through it shows that it serves again: one that was never sent says
        nothing."""
        has_faults = backoff is not None and backoff.faults > 0
        if (has_faults or got_through) and self.look(_word(gateway.name), backoff, now):
            self.changed(gateway, backoff if has_faults else None)

    def know_down(self, names: Collection[str]) -> None:
        """These gateways are down, as an earlier process or another node has told: that they serve again is told."""
        self._down.update(map(_word, names))

    def _backed_off(self, what: str, backoff: Backoff, until: datetime, now: datetime) -> bool:
        before = self._told_at.get(what)
        if before is not None and timedelta() <= now - before < REMIND:
            return False
        self._told_at[what] = now
        self._down.add(what)
        seconds = round((until - now).total_seconds())
        at = until.isoformat(timespec="seconds")
        log.warning(f"{what} is backed off from", cause=backoff.cause, faults=backoff.faults, seconds=seconds, until=at)
        return True

    def _serves(self, what: str) -> bool:
        if what not in self._down:
            return False
        self._down.remove(what)
        log.info(f"{what} serves again")
        return True


def _word(name: str) -> str:
    return f"gateway {name}"


def learning_of_gateways(
    reactor: IReactorTime, down: Callable[[], Awaitable[Collection[str]]], health_log: Callable[[], HealthLog]
) -> PeriodicLoop:
    """Learns which gateways are `down`, as an earlier process or another node has told: whoever sees one serve again tells
    it. A `StoreError` of `down` is passed over: it is asked again at the next look."""

    async def learn() -> None:
        with suppress(StoreError):
            health_log().know_down(await down())

    return PeriodicLoop("gateways that are down", LEARN_EVERY, learn, reactor)
