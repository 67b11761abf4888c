"""The way back to a dialer of calls that others have begun.

A call whose session has ended asks for another one where its channel was told that the dialer listens. That may be the port of
a node that is no more, or one that this process has no longer. So what was taken over and is alive is led here.
"""

from __future__ import annotations

from typing import Final

import structlog
from attrs import define, field
from twisted.internet.defer import DeferredSemaphore
from twisted.python.failure import Failure

from dialer.calls.fleet import Fleet
from dialer.calls.live import LiveAttempt
from dialer.errors import CommandFailed, SwitchUnavailable

log = structlog.get_logger()

AT_ONCE: Final = 20
"""Calls that are told at a time: the commands share their connection with the originates of other contacts."""


@define(eq=False)
class WayBack:
    """Leads calls on the switches of `fleet` to `outbound`, the `host:port` of this process."""

    fleet: Fleet
    outbound: str
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False)

    def lead(self, live: LiveAttempt) -> None:
        """Have the call of an attempt come here. When the switch goes away before it has heard that, the call is found again,
        and so led again."""
        member = self.fleet.of(live)
        if member is not None:
            led = self._turns.run(member.switch.lead, live.attempt.call_uuid, self.outbound)
            led.addErrback(_not_led, live.attempt.call_uuid)


def _not_led(failure: Failure, call_uuid: str) -> None:
    failure.trap(SwitchUnavailable, CommandFailed)
    log.warning("a call may not find this dialer", call=call_uuid, reason=str(failure.value))
