"""The methods of `caller_ids`.

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
        CallerIdDaysObject,
        CallerIdObject,
        CallerIdRestObject,
        ChangedCallerIdObject,
        NewCallerIdObject,
    )


class AsyncCallerIdsResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(self, *, pool_id: int | None = None, limit: int | None = None) -> AsyncIterator[CallerIdObject]:
        """The numbers of your pools, the oldest first."""
        return self._pages(ApiCall(method="GET", path="caller-ids", query={"pool_id": pool_id, "limit": limit}))

    def create(self, **body: Unpack[NewCallerIdObject]) -> Deferred[CallerIdObject]:
        """Add a number to a pool."""
        return self._send(ApiCall(method="POST", path="caller-ids", body={**body}))

    def get(self, caller_id: int, /) -> Deferred[CallerIdObject]:
        """One number."""
        return self._send(ApiCall(method="GET", path="caller-ids/{caller_id}", ids={"caller_id": caller_id}))

    def change(
        self,
        caller_id: int,
        /,
        *,
        tag: str | None = None,
        **body: Unpack[ChangedCallerIdObject]
    ) -> Deferred[CallerIdObject]:
        """Change a number: a merge patch, which holds for the next call."""
        return self._send(ApiCall(
            method="PATCH",
            path="caller-ids/{caller_id}",
            ids={"caller_id": caller_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, caller_id: int, /, *, tag: str | None = None) -> Deferred[None]:
        """Remove a number: no call shows it any more; its attempts stay."""
        return self._send(ApiCall(method="DELETE", path="caller-ids/{caller_id}", ids={"caller_id": caller_id}, tag=tag))

    def rest(self, caller_id: int, /, **body: Unpack[CallerIdRestObject]) -> Deferred[CallerIdObject]:
        """Let a number rest: no call shows it for a while."""
        return self._send(ApiCall(
            method="POST",
            path="caller-ids/{caller_id}/rest",
            ids={"caller_id": caller_id},
            body={**body},
        ))

    def days(self, caller_id: int, /, *, days: int | None = None) -> Deferred[CallerIdDaysObject]:
        """What came of the calls that showed a number: answer rate, short calls and refusals by day."""
        return self._send(ApiCall(
            method="GET",
            path="caller-ids/{caller_id}/days",
            ids={"caller_id": caller_id},
            query={"days": days},
        ))
