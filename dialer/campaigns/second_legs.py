"""Second legs in the limits of their gateways (calls at a time, calls per second) and of the switch that has the call.

They count beside the attempts, in memory for this process, and in the store for other nodes and for the next run. One that may
live on counts as long as its call does: when the connection to the switch is lost, or the application was interrupted, the end
of the call is its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field
from twisted.python.failure import Failure

from dialer.calls.register import OpenAttempts
from dialer.campaigns.limits import GATEWAY_AHEAD, GatewayRates, Limit, admit_leg, per_minute
from dialer.errors import BadValue
from dialer.gateways import headroom
from dialer.interfaces import FlowStore, Now
from dialer.model import Gateway, GatewayStatus
from dialer.periodic import DegradedLog


@define(eq=False)
class CountedLegs:
    """`dialer.interfaces.SecondLegs`; `elsewhere` are the calls that other nodes have open, by gateway; `refusal` is
    why the switch of a call dials nobody for it through a gateway, "" when it does."""

    now: Now
    store: FlowStore
    register: OpenAttempts
    rates: GatewayRates
    elsewhere: Callable[[], Mapping[int, int]]
    refusal: Callable[[str, Gateway], str] = lambda _call, _gateway: ""
    _degraded: DegradedLog = field(factory=lambda: DegradedLog("the ends of second legs are not stored"), init=False)

    async def begin(self, call_uuid: str, gateway: Gateway) -> float:
        self.end(call_uuid)
        if reason := self.refusal(call_uuid, gateway):
            raise BadValue("transfer", reason)
        now = self.now()
        wanted = admit_leg(gateway, self._limit(gateway), now, now)
        if not self.register.begin_leg(call_uuid, gateway.id):
            raise BadValue("transfer", "the call has ended, or is another node's by now")
        self.rates.take(gateway, wanted)
        try:
            at = await self.store.begin_leg(call_uuid, gateway, now, wanted)
        except BaseException:
            self.end(call_uuid)  # also when nobody waits any more, or nobody knows whether it was written
            raise
        self.rates.take(gateway, at)
        return max((at - self.now()).total_seconds(), 0.0)

    def end(self, call_uuid: str) -> None:
        if self.register.end_leg(call_uuid):
            self.store.end_leg(call_uuid).addCallbacks(lambda _: self._degraded.worked(), self._not_ended)

    def _not_ended(self, failure: Failure) -> None:
        """The end of the call will end it."""
        self._degraded.failed(failure.getErrorMessage())

    def _limit(self, gateway: Gateway) -> Limit | None:
        if gateway.status is not GatewayStatus.ACTIVE:
            return None
        open_calls = self.register.gateways.get(gateway.id, 0) + self.elsewhere().get(gateway.id, 0)
        return Limit(
            frequency=per_minute(gateway.calls_per_second),
            headroom=headroom(gateway, open_calls),
            next_call_at=self.rates.next_at(gateway, self.now()),
            ahead=GATEWAY_AHEAD,
        )
