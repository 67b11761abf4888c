"""The resources of the API v2 that are about single calls, and the numbers that calls show."""

from __future__ import annotations

from typing import Any

from dialer.client.calls import ApiCall
from dialer.client.resources import A, ChangeableResource, F, L, NounResource


class CallResource(NounResource[A, L, F]):
    """Calls without a campaign."""

    path, key = "calls", "call_id"

    def create(self, **body: Any) -> A:
        """Make one, now or at `starting_at`."""
        return self._post(self.path, body)

    def cancel(self, key: int) -> A:
        """Have it not made, or hung up."""
        return self._post(f"{self._one}/cancel", call_id=key)


class CallerIdPoolResource(ChangeableResource[A, L, F]):
    """Pools of numbers that calls show."""

    path, key = "caller-id-pools", "pool_id"

    def use(self, key: int) -> A:
        """How its numbers are used today."""
        return self._get(f"{self._one}/use", pool_id=key)


class CallerIdResource(ChangeableResource[A, L, F]):
    """Their numbers."""

    path, key = "caller-ids", "caller_id"

    def rest(self, key: int, **body: Any) -> A:
        """Have no call show one `until` then."""
        return self._post(f"{self._one}/rest", body, caller_id=key)

    def days(self, key: int, **query: object) -> A:
        """Its calls by day."""
        return self._send(ApiCall(method="GET", path=f"{self._one}/days", ids={"caller_id": key}, query=query))
