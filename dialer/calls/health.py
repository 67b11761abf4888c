"""How the gateways fare, as this process sees it: who has had carrier faults of late is spared for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import define, field

from dialer.calls.causes import Fault
from dialer.gateways import Backoff


@define(eq=False)
class GatewayHealth(Mapping[int, Backoff]):
    """The gateways that did not fare well of late, by id."""

    _backoffs: dict[int, Backoff] = field(factory=dict, init=False)

    def note(self, gateway_id: int, fault: Fault, got_through_at: datetime | None, now: datetime) -> None:
        """A call through that gateway has ended; `got_through_at` is when it showed that the gateway works."""
        before = self._backoffs.get(gateway_id, Backoff())
        if fault is Fault.GATEWAY:
            self._backoffs[gateway_id] = before.after_fault(now)
        elif got_through_at is not None and before.after_success(got_through_at) == Backoff():
            self._backoffs.pop(gateway_id, None)

    def __getitem__(self, gateway_id: int) -> Backoff:
        return self._backoffs[gateway_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._backoffs)

    def __len__(self) -> int:
        return len(self._backoffs)
