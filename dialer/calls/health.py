"""How the ways out fare, as this process sees it: what has had faults of late is backed off from for a while.

A gateway is backed off from after faults of its carrier, the switch as a whole after faults of its own: it is full, paused or
going away (`dialer.calls.causes.Fault`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import define, field

from dialer.calls.causes import Fault
from dialer.gateways import Backoff
from dialer.model import Plan

LONGEST_SWITCH_PAUSE = timedelta(seconds=30)
"""A full switch has room again as soon as some calls have ended."""


@define(eq=False)
class Health:
    """`gateways` are those that did not fare well of late, by id; `switch` is how the switch fares."""

    gateways: dict[int, Backoff] = field(factory=dict, init=False)
    switch: Backoff = field(factory=lambda: Backoff(longest=LONGEST_SWITCH_PAUSE), init=False)

    def ended(self, plan: Plan, fault: Fault, got_through_at: datetime | None, now: datetime) -> None:
        """A call has ended; `got_through_at` is when it showed that its way out works, if it did."""
        gateway_id = plan.gateway.id
        if fault is Fault.GATEWAY:
            self.gateways[gateway_id] = self.gateways.get(gateway_id, Backoff()).after_fault(now)
        elif fault is Fault.SWITCH:
            self.switch = self.switch.after_fault(now, plan.due_at)
        elif got_through_at is not None:
            self.got_through(plan)
            before = self.gateways.get(gateway_id)
            if before is not None and not before.after_success(got_through_at).faults:
                del self.gateways[gateway_id]

    def got_through(self, plan: Plan) -> None:
        """A call rang, or was answered or refused by the contact's network: the switch had room when it was sent."""
        if self.switch.faults:
            self.switch = self.switch.after_success(plan.due_at)
