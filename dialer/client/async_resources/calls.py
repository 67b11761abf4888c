"""The methods of `calls`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Unpack

from twisted.internet.defer import Deferred

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.calls import CallObject, NewCallObject


class AsyncCallsResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(self, *, limit: int | None = None) -> AsyncIterator[CallObject]:
        """Your calls, the newest first."""
        return self._pages(ApiCall(method="GET", path="calls", query={"limit": limit}))

    def create(self, **body: Unpack[NewCallObject]) -> Deferred[CallObject]:
        """Make a call, now or later."""
        return self._send(ApiCall(method="POST", path="calls", body={**body}))

    def get(self, call_id: int, /) -> Deferred[CallObject]:
        """One call: where it is, and how it ended."""
        return self._send(ApiCall(method="GET", path="calls/{call_id}", ids={"call_id": call_id}))

    def cancel(self, call_id: int, /) -> Deferred[CallObject]:
        """Cancel a call: one that waits is not made, one that is live is hung up."""
        return self._send(ApiCall(method="POST", path="calls/{call_id}/cancel", ids={"call_id": call_id}))
