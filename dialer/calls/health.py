"""How the gateways fare, as this process sees it: who has had carrier faults of late is spared for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import define, field

from dialer.calls import disposition
from dialer.calls.causes import Fault
from dialer.gateways import Backoff
from dialer.model import Outcome


@define(eq=False)
class GatewayHealth(Mapping[int, Backoff]):
    """The gateways that did not fare well of late, by id."""

    _backoffs: dict[int, Backoff] = field(factory=dict, init=False)

    def note(self, gateway_id: int, outcome: Outcome, now: datetime) -> None:
        """A call through that gateway has ended."""
        before = self._backoffs.get(gateway_id, Backoff())
        got_through_at = disposition.got_through_at(outcome)
        if disposition.fault(outcome) is Fault.GATEWAY:
            self._backoffs[gateway_id] = before.after_fault(now)
        elif got_through_at is not None and before.after_success(got_through_at) == Backoff():
            self._backoffs.pop(gateway_id, None)

    def __getitem__(self, gateway_id: int) -> Backoff:
        return self._backoffs[gateway_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._backoffs)

    def __len__(self) -> int:
        return len(self._backoffs)
