"""The clock that all dialers of a database share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from attrs import define, field

log = structlog.get_logger()

TOLERANCE = timedelta(milliseconds=50)
"""Between the clocks of this machine and of the database: a tenth of what a deadline leaves."""


@define(eq=False)
class DatabaseClock:
    """The clock of the database, as far as it is known: nodes that share one compare moments, and a deadline of one node is
    read by another. `own` is the clock of the process; a difference within `TOLERANCE` is not worth a step."""

    own: Callable[[], datetime]
    offset: timedelta = field(factory=timedelta, init=False)

    def now(self) -> datetime:
        """This moment."""
        return self.own() + self.offset

    def learn(self, before: datetime, told: datetime, after: datetime) -> None:
        """The database told its moment, when it was asked between two moments of this clock."""
        error = told - (before + (after - before) / 2)
        if abs(error) > max(TOLERANCE, after - before):
            log.warning("the clock differs from that of the database", seconds=round((self.offset + error).total_seconds(), 3))
            self.offset += error
