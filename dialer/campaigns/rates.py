"""Calls per second of the gateways: planned calls wait for their gateway's turn.

A rate is no fault and no lack of room: a call that has to wait for it stays with its gateway, it does not go over to the
failover. What would have to wait beyond a tick's horizon is left for a later tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import define, evolve, field

from dialer.campaigns import pacing
from dialer.campaigns.pacing import PER_SECOND, Pace
from dialer.model import Gateway, Plan


@define(eq=False)
class GatewayRates:
    """When each gateway with a rate was last given a call, by any campaign."""

    _paces: dict[int, Pace] = field(factory=dict, init=False)

    def spread(self, plans: Sequence[Plan], until: datetime) -> tuple[Plan, ...]:
        """`plans` at the times that their gateways allow, in order of these times, without those that come after `until`."""
        ways = {plan.gateway.id: plan.gateway for plan in plans}
        spread: list[Plan] = []
        for way in ways.values():
            spread += self._spread([plan for plan in plans if plan.gateway.id == way.id], way, until)
        return tuple(sorted(spread, key=lambda plan: plan.due_at))

    def taken(self, plans: Sequence[Plan]) -> None:
        """These calls, in the order of their due times, are on their way."""
        for plan in plans:
            if plan.gateway.calls_per_second is not None:
                self._paces[plan.gateway.id] = Pace(plan.due_at)

    def _spread(self, plans: list[Plan], way: Gateway, until: datetime) -> list[Plan]:
        if way.calls_per_second is None:
            return plans
        pace = self._paces.get(way.id, Pace())
        times = pacing.throttle(pace, way.calls_per_second * PER_SECOND, [plan.due_at for plan in plans], until)
        return [evolve(plan, due_at=at) for plan, at in zip(plans, times, strict=False)]
