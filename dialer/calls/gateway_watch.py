"""What the switches themselves know of their SIP gateways: each is asked again and again, and whenever it says that something
has changed.

One that is down, because it does not answer the switch's pings or cannot be registered, is not called through: no call has to
fail to show that. When it is back, it is used at once, whatever it was backed off for. That is told, in the log and to others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from dialer.calls.fleet import Fleet, FleetMember
from dialer.errors import CommandFailed, SwitchUnavailable
from dialer.gateways import Backoff
from dialer.interfaces import Now, Switch
from dialer.model import Gateway
from dialer.periodic import PeriodicLoop

log = structlog.get_logger()

COLLECT: Final = 0.2
"""Seconds in which further news of a switch is waited for: a gateway that cannot be registered changes thrice a try."""
AGAIN: Final = timedelta(minutes=1)
"""After which others are told again of one that is still down: a call that was under way may have told them otherwise."""


@define(eq=False, kw_only=True)
class GatewayWatch:
    """Of the switches of a fleet. `gateways` are the dialer's own, by id; `changed` is told of each that goes down, with the
    reason and the moment of the next look, and of each that is back, with None; `call_soon` that calls may be made now."""

    clock: IReactorTime
    now: Now
    fleet: Fleet
    gateways: Callable[[], Mapping[int, Gateway]]
    changed: Callable[[Gateway, Backoff | None], None]
    call_soon: Callable[[], None]
    _loops: dict[FleetMember, PeriodicLoop] = field(factory=dict, init=False)
    _soon: dict[FleetMember, IDelayedCall] = field(factory=dict, init=False)
    _down: dict[int, datetime] = field(factory=dict, init=False)
    """When others were told last of each that is down, by id."""

    def __attrs_post_init__(self) -> None:
        for member in self.fleet:
            if member.gateway_interval:
                look = partial(self.look, member)
                self._loops[member] = PeriodicLoop("SIP gateways", member.gateway_interval, look, self.clock)

    def start(self) -> None:
        """Begin to ask."""
        for loop in self._loops.values():
            loop.start()

    def stop(self) -> Deferred[list[None]]:
        """Ask no more."""
        for waiting in self._soon.values():
            waiting.cancel()
        self._soon.clear()
        return gatherResults([loop.stop() for loop in self._loops.values()])

    def switch_up(self, switch: Switch) -> None:
        """That switch is there: it is asked at once."""
        loop = self._loops.get(self.fleet.member(switch))
        if loop is not None:
            loop.call_soon()

    def look_soon(self, switch: Switch) -> None:
        """That switch has something new to tell, and may have more in a moment."""
        member = self.fleet.member(switch)
        if member in self._loops and member not in self._soon:
            self._soon[member] = self.clock.callLater(COLLECT, self._look_now, member)

    def _look_now(self, member: FleetMember) -> None:
        del self._soon[member]
        self._loops[member].call_soon()

    async def look(self, member: FleetMember) -> None:
        """Ask one of them. What a switch had told before it went away holds until it is back and tells anew."""
        try:
            found = await member.switch.sip_gateways() if member.switch.ready else None
        except SwitchUnavailable:
            return
        except CommandFailed:
            found = None
        if not member.switch.ready:
            return
        before = [(key, gateway) for key, gateway in self.gateways().items() if member.trouble(gateway)]
        member.told(found)
        for key, gateway in before:
            if not member.trouble(gateway):
                member.health.forget(key)
        self._tell(member.gateway_interval)

    def _tell(self, interval: float) -> None:
        now = self.now()
        for key, gateway in self.gateways().items():
            trouble, told_at = self.fleet.trouble(gateway), self._down.get(key)
            if trouble and (told_at is None or not timedelta() <= now - told_at < AGAIN):
                if told_at is None:
                    log.warning(f"gateway {gateway.name} is down, as the switch tells", state=trouble)
                self._down[key] = now
                reason = f"the switch tells that it is down ({trouble})"
                self.changed(gateway, Backoff(cause=reason, until=now + timedelta(seconds=interval)))
            elif told_at is not None and self.fleet.is_up(gateway):
                del self._down[key]
                log.info(f"gateway {gateway.name} is not down any more, as far as the switch tells")
                self.changed(gateway, None)
                self.call_soon()
