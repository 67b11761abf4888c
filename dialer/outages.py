"""Something that is tried again and again does not work: told once, and once more when it works again."""

from __future__ import annotations

import structlog
from attrs import define, field

log = structlog.get_logger()


@define(eq=False)
class Outage:
    """`what` is what does not work, for who reads the log; `reason` is why it did not work the last time, "" when it did."""

    what: str
    reason: str = field(default="", init=False)
    _tries: int = field(default=0, init=False)

    def failed(self, reason: str, **more: object) -> None:
        """It did not work this time."""
        self._tries += 1
        self.reason = reason
        if self._tries == 1:
            log.error(self.what, reason=reason, **more)

    def worked(self) -> None:
        """It did."""
        if self._tries:
            log.info(f"it works again: {self.what}", tries=self._tries)
            self._tries = 0
            self.reason = ""
