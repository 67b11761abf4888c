"""The methods of `do_not_call_lists`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.do_not_call import DoNotCallEntryObject
    from dialer.client.objects.do_not_call_lists import (
        AddedDoNotCallEntriesObject,
        ChangedDoNotCallListObject,
        DoNotCallListObject,
        NewDoNotCallEntriesObject,
        NewDoNotCallListObject,
        RemovedDoNotCallEntriesCountObject,
        RemovedDoNotCallEntriesObject,
    )


class DoNotCallListsResource(Resource):
    """Each method waits for its answer."""

    def list(self, *, name: str | None = None, limit: int | None = None) -> Iterator[DoNotCallListObject]:
        """Your lists, the oldest first; with the scope admin, those that hold for everybody."""
        return self._pages(ApiCall(method="GET", path="do-not-call-lists", query={"name": name, "limit": limit}))

    def create(self, **body: Unpack[NewDoNotCallListObject]) -> DoNotCallListObject:
        """Make a list: of your campaigns, of one of them, or, for superusers, of another user or of everybody."""
        return self._send(ApiCall(method="POST", path="do-not-call-lists", body={**body}))

    def get(self, list_id: int, /) -> DoNotCallListObject:
        """One list."""
        return self._send(ApiCall(method="GET", path="do-not-call-lists/{list_id}", ids={"list_id": list_id}))

    def change(
        self,
        list_id: int,
        /,
        *,
        tag: str | None = None,
        **body: Unpack[ChangedDoNotCallListObject]
    ) -> DoNotCallListObject:
        """Give a list another name or description: a merge patch."""
        return self._send(ApiCall(
            method="PATCH",
            path="do-not-call-lists/{list_id}",
            ids={"list_id": list_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, list_id: int, /, *, tag: str | None = None) -> None:
        """Remove a list: its entries hold no more."""
        return self._send(ApiCall(method="DELETE", path="do-not-call-lists/{list_id}", ids={"list_id": list_id}, tag=tag))

    def entries(
        self,
        list_id: int,
        /,
        *,
        number: str | None = None,
        limit: int | None = None,
    ) -> Iterator[DoNotCallEntryObject]:
        """The entries of a list that hold now, in the order of their numbers; with `number`, those of that number."""
        return self._pages(ApiCall(
            method="GET",
            path="do-not-call-lists/{list_id}/entries",
            ids={"list_id": list_id},
            query={"number": number, "limit": limit},
        ))

    def add(self, list_id: int, /, **body: Unpack[NewDoNotCallEntriesObject]) -> AddedDoNotCallEntriesObject:
        """Put numbers on a list, all or none; those that are there stay as they are, unless they would expire before."""
        return self._send(ApiCall(
            method="POST",
            path="do-not-call-lists/{list_id}/entries",
            ids={"list_id": list_id},
            body={**body},
        ))

    def take_off(self, list_id: int, /, **body: Unpack[RemovedDoNotCallEntriesObject]) -> RemovedDoNotCallEntriesCountObject:
        """Take numbers off a list, as far as they are there: they may be called again."""
        return self._send(ApiCall(
            method="POST",
            path="do-not-call-lists/{list_id}/entries/remove",
            ids={"list_id": list_id},
            body={**body},
        ))

    def entry(self, list_id: int, number: str, /) -> DoNotCallEntryObject:
        """The entry of a number that holds now, however it is spelled there."""
        return self._send(ApiCall(
            method="GET",
            path="do-not-call-lists/{list_id}/entries/{number}",
            ids={"list_id": list_id, "number": number},
        ))

    def delete_entry(self, list_id: int, number: str, /, *, tag: str | None = None) -> None:
        """Take a number off a list."""
        return self._send(ApiCall(
            method="DELETE",
            path="do-not-call-lists/{list_id}/entries/{number}",
            ids={"list_id": list_id, "number": number},
            tag=tag,
        ))

    def history(
        self,
        list_id: int,
        /,
        *,
        number: str | None = None,
        limit: int | None = None,
    ) -> Iterator[DoNotCallEntryObject]:
        """All entries that a list ever had, the oldest first: who put them there and took them off, and when."""
        return self._pages(ApiCall(
            method="GET",
            path="do-not-call-lists/{list_id}/history",
            ids={"list_id": list_id},
            query={"number": number, "limit": limit},
        ))
