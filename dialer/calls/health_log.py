"""What the log tells of the ways out: that one is backed off from, why and until when, and that it serves again.

A dead gateway fails thousands of calls, and may do so for days. So each is told at once when it begins, then once a minute
while it lasts; and one that comes and goes is told no more often than that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog
from attrs import define, field

from dialer.calls.causes import Verdict
from dialer.gateways import Backoff
from dialer.model import Outcome

log = structlog.get_logger()

REMIND: Final = timedelta(minutes=1)


def words(outcome: Outcome, verdict: Verdict) -> str:
    """The cause of an end for people: FreeSWITCH's word, and where there was one the SIP status with its meaning."""
    return outcome.cause if outcome.sip_status is None else f"{outcome.cause}, SIP {outcome.sip_status}: {verdict.reason}"


@define(eq=False)
class HealthLog:
    """`look` is called after each end of a call."""

    _told_at: dict[str, datetime] = field(factory=dict, init=False)
    _down: set[str] = field(factory=set, init=False)

    def look(self, what: str, backoff: Backoff | None, now: datetime) -> None:
        """`what` is the way out, such as `gateway carrier`; None for one without faults."""
        if backoff is None or not backoff.faults:
            self._serves(what)
        elif backoff.until is not None and backoff.blocks(now):
            self._backed_off(what, backoff, backoff.until, now)

    def _backed_off(self, what: str, backoff: Backoff, until: datetime, now: datetime) -> None:
        before = self._told_at.get(what)
        if before is not None and timedelta() <= now - before < REMIND:
            return
        self._told_at[what] = now
        self._down.add(what)
        seconds = round((until - now).total_seconds())
        at = until.isoformat(timespec="seconds")
        log.warning(f"{what} is backed off from", cause=backoff.cause, faults=backoff.faults, seconds=seconds, until=at)

    def _serves(self, what: str) -> None:
        if what in self._down:
            self._down.remove(what)
            log.info(f"{what} serves again")
