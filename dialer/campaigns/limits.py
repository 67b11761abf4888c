"""The limits that hold over all nodes: which of the planned calls may be begun, and when.

A node plans by what it knows; another one may have begun calls since. The transaction that begins calls holds the campaign and
its gateways, reads how far they are, and asks here. Calls keep their order; one that has to wait for the pace of the campaign
or of its gateway is due later, and is left out when that would be after `until`: its contact stays ready for the next tick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field, frozen

from dialer.errors import BadValue
from dialer.limiter import PER_SECOND, Pace, resume, spread
from dialer.model import Gateway, Plan

AHEAD: Final = timedelta(seconds=1)
"""More than any node plans ahead: a moment further ahead than this and an interval was written at another frequency."""

PATIENCE: Final = timedelta(seconds=5)
"""How long somebody on the line is let wait for the pace of a gateway."""

GATEWAY_AHEAD: Final = PATIENCE + AHEAD
"""The same for the moment of a gateway."""


@frozen(kw_only=True)
class Limit:
    """How far a campaign or a gateway is. `frequency` is in calls per minute, None for no pace; `headroom` is how many more
    calls may be open, None for any number; `next_call_at` is what its row says, which may be `ahead` of now."""

    frequency: float | None = None
    headroom: int | None = None
    next_call_at: datetime | None = None
    ahead: timedelta = AHEAD


def pace_of(limit: Limit, now: datetime) -> Pace:
    """The pace of which a row tells the next moment."""
    return resume(limit.next_call_at, limit.frequency or 0, now, limit.ahead)


def per_minute(calls_per_second: int | None) -> float | None:
    """A gateway's rate as a frequency."""
    return None if calls_per_second is None else calls_per_second * PER_SECOND


def next_through(gateway: Gateway, at: datetime) -> datetime:
    """When the next call is due through a gateway that has one at that moment."""
    rate = gateway.calls_per_second
    return at if rate is None else at + timedelta(seconds=1 / rate)


def admit_leg(gateway: Gateway, limit: Limit | None, wanted: datetime, now: datetime) -> datetime:
    """When a second leg may be dialled that shall be at `wanted`: then, or later. `limit` is how far the gateway is, None for
    one that takes no calls. Raises `BadValue` when it has no room for it, or not soon enough for somebody who waits."""
    if limit is None:
        raise BadValue("transfer", f"gateway {gateway.name} is not active")
    meter = _Meter.of(limit, now)
    if not meter.has_headroom:
        raise BadValue("transfer", f"gateway {gateway.name} is full: it takes {gateway.maximum_call} calls at a time")
    at = meter.at_or_after(wanted)
    if at - now > PATIENCE:
        raise BadValue("transfer", f"gateway {gateway.name} is given its calls per second for longer than a callee waits")
    return at


@define(eq=False)
class Admission:
    """How far limits are while calls are begun, in the order of their due times; none is due after `until`. Without
    `campaigns`, the limits of these were kept before."""

    _campaigns: dict[int, _Meter] | None
    _gateways: dict[int, _Meter]
    _until: datetime

    @classmethod
    def of(
        cls, campaigns: Mapping[int, Limit] | None, gateways: Mapping[int, Limit], now: datetime, until: datetime
    ) -> Admission:
        """As far as their rows are, by id. What is not listed may not be called."""
        open_campaigns = None if campaigns is None else {key: _Meter.of(limit, now) for key, limit in campaigns.items()}
        return cls(open_campaigns, {key: _Meter.of(limit, now) for key, limit in gateways.items()}, until)

    def due_at(self, plan: Plan, gateway: Gateway) -> datetime | None:
        """When a call may be made through a gateway: as planned or later; None when it may not."""
        meters = self._meters(plan, gateway)
        if meters is None or not all(meter.has_headroom for meter in meters):
            return None
        due_at = plan.due_at
        for meter in meters:
            due_at = meter.at_or_after(due_at)
        return None if due_at > self._until else due_at

    def take(self, plan: Plan) -> None:
        """That call is begun, as `due_at` allowed it."""
        for meter in self._meters(plan, plan.gateway) or ():
            meter.take(plan.due_at)

    def admitted(self, plan: Plan) -> Plan | None:
        """A call through the gateway that was planned, when it is due; None when it may not be made."""
        due_at = self.due_at(plan, plan.gateway)
        if due_at is None:
            return None
        admitted = plan if due_at == plan.due_at else evolve(plan, due_at=due_at)
        self.take(admitted)
        return admitted

    def _meters(self, plan: Plan, gateway: Gateway) -> list[_Meter] | None:
        found = [self._gateways.get(gateway.id)]
        if self._campaigns is not None:
            found.insert(0, self._campaigns.get(plan.campaign.id))
        known = [meter for meter in found if meter is not None]
        return known if len(known) == len(found) else None


@define(eq=False)
class _Meter:
    """How far a limit is while calls are admitted; `frequency` 0 is no pace here, a limit of 0 has no headroom."""

    frequency: float
    pace: Pace
    headroom: int | None

    @classmethod
    def of(cls, limit: Limit, now: datetime) -> _Meter:
        headroom = 0 if limit.frequency is not None and limit.frequency <= 0 else limit.headroom
        return cls(limit.frequency or 0, pace_of(limit, now), headroom)

    @property
    def has_headroom(self) -> bool:
        return self.headroom is None or self.headroom > 0

    def at_or_after(self, wanted: datetime) -> datetime:
        """The earliest moment from `wanted` on that the pace allows."""
        return max(wanted, self.pace.next_at(self.frequency) or wanted)

    def take(self, at: datetime) -> None:
        self.pace = Pace(at)
        if self.headroom is not None:
            self.headroom -= 1


@define(eq=False)
class GatewayRates:
    """When each gateway with calls per second was last given a call, by any campaign of this process.

    A rate is no fault and no lack of headroom: a call that has to wait for it stays with its gateway and does not go over to
    the failover. A call that would have to wait beyond a tick's horizon is left for a later tick.
    """

    _paces: dict[int, Pace] = field(factory=dict, init=False)

    def spread(self, plans: Sequence[Plan], until: datetime) -> tuple[Plan, ...]:
        """`plans` at the times that their gateways allow, in order of these times, without those that come after `until`."""
        gateways = {plan.gateway.id: plan.gateway for plan in plans}
        allowed: list[Plan] = []
        for gateway in gateways.values():
            allowed += self._spread([plan for plan in plans if plan.gateway.id == gateway.id], gateway, until)
        return tuple(sorted(allowed, key=lambda plan: plan.due_at))

    def taken(self, plans: Sequence[Plan]) -> None:
        """These calls, in the order of their due times, are on their way."""
        for plan in plans:
            self.take(plan.gateway, plan.due_at)

    def next_at(self, gateway: Gateway, now: datetime) -> datetime:
        """The earliest moment for one more call through a gateway."""
        frequency = per_minute(gateway.calls_per_second)
        return now if frequency is None else max(self._paces.get(gateway.id, Pace()).next_at(frequency) or now, now)

    def take(self, gateway: Gateway, at: datetime) -> None:
        """One call more is made at that moment."""
        if gateway.calls_per_second is not None:
            self._paces[gateway.id] = Pace(max(at, self._paces.get(gateway.id, Pace()).last_at or at))

    def not_after(self, now: datetime) -> None:
        """The clock was set back to that moment."""
        self._paces = {key: pace.not_after(now) for key, pace in self._paces.items()}

    def _spread(self, plans: list[Plan], gateway: Gateway, until: datetime) -> list[Plan]:
        frequency = per_minute(gateway.calls_per_second)
        if frequency is None:
            return plans
        times = spread(self._paces.get(gateway.id, Pace()), frequency, [plan.due_at for plan in plans], until)
        return [evolve(plan, due_at=at) for plan, at in zip(plans, times, strict=False)]
