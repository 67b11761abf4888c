"""The methods of `caller_id_pools`.

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
    from dialer.client.objects.caller_ids import (
        CallerIdPoolObject,
        CallerIdPoolUseObject,
        ChangedCallerIdPoolObject,
        NewCallerIdPoolObject,
    )


class AsyncCallerIdPoolsResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(self, *, name: str | None = None, limit: int | None = None) -> AsyncIterator[CallerIdPoolObject]:
        """Your pools of caller ids, the oldest first."""
        return self._pages(ApiCall(method="GET", path="caller-id-pools", query={"name": name, "limit": limit}))

    def create(self, **body: Unpack[NewCallerIdPoolObject]) -> Deferred[CallerIdPoolObject]:
        """Make a pool of caller ids."""
        return self._send(ApiCall(method="POST", path="caller-id-pools", body={**body}))

    def get(self, pool_id: int, /) -> Deferred[CallerIdPoolObject]:
        """One pool of caller ids."""
        return self._send(ApiCall(method="GET", path="caller-id-pools/{pool_id}", ids={"pool_id": pool_id}))

    def change(
        self,
        pool_id: int,
        /,
        *,
        tag: str | None = None,
        **body: Unpack[ChangedCallerIdPoolObject]
    ) -> Deferred[CallerIdPoolObject]:
        """Change a pool of caller ids: a merge patch, which holds for the next call."""
        return self._send(ApiCall(
            method="PATCH",
            path="caller-id-pools/{pool_id}",
            ids={"pool_id": pool_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, pool_id: int, /, *, tag: str | None = None) -> Deferred[None]:
        """Remove a pool of caller ids that has no numbers, and that no campaign uses."""
        return self._send(ApiCall(method="DELETE", path="caller-id-pools/{pool_id}", ids={"pool_id": pool_id}, tag=tag))

    def use(self, pool_id: int, /) -> Deferred[CallerIdPoolUseObject]:
        """How the numbers of a pool are used today: answer rate, short calls, refusals, and which cannot be used and why."""
        return self._send(ApiCall(method="GET", path="caller-id-pools/{pool_id}/use", ids={"pool_id": pool_id}))
