"""The methods of `do_not_call`.

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
    from dialer.client.objects.do_not_call import DoNotCallEntryObject, NewDoNotCallEntryObject


class AsyncDoNotCallResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(self, *, limit: int | None = None) -> AsyncIterator[DoNotCallEntryObject]:
        """The numbers, in their order."""
        return self._pages(ApiCall(method="GET", path="do-not-call", query={"limit": limit}))

    def create(self, **body: Unpack[NewDoNotCallEntryObject]) -> Deferred[DoNotCallEntryObject]:
        """Put a number on the list; one that is there stays as it is, unless it would expire before."""
        return self._send(ApiCall(method="POST", path="do-not-call", body={**body}))

    def get(self, number: str, /) -> Deferred[DoNotCallEntryObject]:
        """The entry of a number, however it is spelled there."""
        return self._send(ApiCall(method="GET", path="do-not-call/{number}", ids={"number": number}))

    def delete(self, number: str, /, *, tag: str | None = None) -> Deferred[None]:
        """Take a number off the list: it may be called again."""
        return self._send(ApiCall(method="DELETE", path="do-not-call/{number}", ids={"number": number}, tag=tag))
