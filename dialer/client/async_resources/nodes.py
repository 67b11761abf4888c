"""The methods of `nodes`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal

from twisted.internet.defer import Deferred

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.installation import NodeObject


class AsyncNodesResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(
        self,
        *,
        state: Literal["dialling", "no_switch", "stopped", "dead"] | None = None,
        switch: str | None = None,
        sort: Literal["id", "-id", "name", "-name", "started_at", "-started_at", "seen_at", "-seen_at"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[NodeObject]:
        """The dialers that share the database."""
        return self._pages(ApiCall(
            method="GET",
            path="nodes",
            query={"state": state, "switch": switch, "sort": sort, "limit": limit},
        ))

    def get(self, node: str, /) -> Deferred[NodeObject]:
        """One dialer."""
        return self._send(ApiCall(method="GET", path="nodes/{node}", ids={"node": node}))

    def delete(self, node: str, /, *, tag: str | None = None) -> Deferred[None]:
        """Forget a dialer that will not come back."""
        return self._send(ApiCall(method="DELETE", path="nodes/{node}", ids={"node": node}, tag=tag))
