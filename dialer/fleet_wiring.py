"""The wiring of the switches: an inbound Event Socket for each that is configured, and the fleet that they make."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define

from dialer.calls.fleet import Fleet, FleetMember
from dialer.calls.live import LiveAttempt
from dialer.esl.inbound import InboundSwitch, Observation, SwitchConfig
from dialer.interfaces import Now, SwitchListener


def new_switches(
    reactor: Any,
    listener: SwitchListener,
    configs: Sequence[SwitchConfig],
    now: Now,
    owns: Callable[[str], bool] | None,
    observation: Observation | None,
) -> tuple[InboundSwitch, ...]:
    """An Event Socket for each of `configs`, in their order; none is connected yet. `owns` and `observation` are those of
    `InboundSwitch`."""
    return tuple(
        InboundSwitch(reactor, listener, config, now, random.Random(), owns=owns, observation=observation)
        for config in configs
    )


def new_fleet(switches: Sequence[InboundSwitch], configs: Sequence[SwitchConfig]) -> Fleet:
    """The fleet of some switches, made as `configs` say."""
    members = zip(switches, configs, strict=True)
    return Fleet(
        [
            FleetMember(
                switch=one,
                gateways=of.gateways,
                max_calls=of.max_calls,
                drain=of.drain,
                gateway_interval=of.gateway_interval,
            )
            for one, of in members
        ]
    )


@define(eq=False)
class CallSwitches:
    """The Event Sockets by the calls that they have. `find` gives an open attempt of this process. It is a
    `dialer.esl.proof.Proof`, too: a session proves to come from the switch that has its call. `shared`: there may be other
    dialers that have calls on these switches."""

    switches: Sequence[InboundSwitch]
    fleet: Fleet
    find: Callable[[str], LiveAttempt | None]
    shared: bool = False

    def of(self, call_uuid: str) -> InboundSwitch | None:
        """The one that has a call of ours; None for any other call."""
        live = self.find(call_uuid)
        member = None if live is None else self.fleet.of(live)
        return None if member is None else next(switch for switch in self.switches if switch is member.switch)

    def any(self) -> InboundSwitch:
        """One that can be asked, if there is any."""
        return next((switch for switch in self.switches if switch.ready), self.switches[0])

    def holds(self, call_uuid: str, token: str) -> bool:
        """Whether the token is the one that the switch of that call was given."""
        switch = self.of(call_uuid)
        return switch is not None and switch.proof.holds(call_uuid, token)

    def may_be_anothers(self, call_uuid: str, token: str) -> bool:
        """Whether a call that is not ours was made by a dialer of one of these switches, so that another one may have it."""
        return self.shared and any(switch.proof.holds(call_uuid, token) for switch in self.switches)
