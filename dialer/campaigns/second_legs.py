"""Second legs in the limits of their gateways: calls at a time and calls per second.

They count in memory, beside the attempts of this process and those that are open at other nodes. Second legs of other nodes,
and those that an earlier run of this process began, are not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from attrs import define

from dialer.calls.register import OpenAttempts
from dialer.campaigns.limits import GatewayRates
from dialer.errors import BadValue
from dialer.gateways import headroom
from dialer.interfaces import Now
from dialer.model import Gateway

PATIENCE: Final = timedelta(seconds=5)
"""How long somebody on the line is let wait for the pace of a gateway."""


@define(eq=False)
class CountedLegs:
    """`dialer.interfaces.SecondLegs`; `elsewhere` are the attempts that other nodes have open, by gateway."""

    now: Now
    register: OpenAttempts
    rates: GatewayRates
    elsewhere: Callable[[], Mapping[int, int]]

    def begin(self, gateway: Gateway) -> float:
        open_calls = self.register.gateways.get(gateway.id, 0) + self.elsewhere().get(gateway.id, 0)
        if headroom(gateway, open_calls) == 0:
            raise BadValue("transfer", f"gateway {gateway.name} is full: it takes {gateway.maximum_call} calls at a time")
        now = self.now()
        at = self.rates.next_at(gateway, now)
        if at - now > PATIENCE:
            raise BadValue("transfer", f"gateway {gateway.name} is given its calls per second for longer than a callee waits")
        self.rates.take(gateway, at)
        self.register.begin_leg(gateway.id)
        return (at - now).total_seconds()

    def end(self, gateway: Gateway) -> None:
        self.register.end_leg(gateway.id)
