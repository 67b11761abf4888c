"""The methods of `phonebooks`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal, Unpack

from twisted.internet.defer import Deferred

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.phonebooks import ChangedPhonebookObject, NewPhonebookObject, PhonebookObject


class AsyncPhonebooksResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(
        self,
        *,
        name: str | None = None,
        sort: Literal["id", "-id", "name", "-name", "created_at", "-created_at"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[PhonebookObject]:
        """Your phonebooks, the newest first."""
        return self._pages(ApiCall(method="GET", path="phonebooks", query={"name": name, "sort": sort, "limit": limit}))

    def create(self, **body: Unpack[NewPhonebookObject]) -> Deferred[PhonebookObject]:
        """Create a phonebook, for a campaign when one is named."""
        return self._send(ApiCall(method="POST", path="phonebooks", body={**body}))

    def get(self, phonebook_id: int, /) -> Deferred[PhonebookObject]:
        """One phonebook."""
        return self._send(ApiCall(method="GET", path="phonebooks/{phonebook_id}", ids={"phonebook_id": phonebook_id}))

    def change(
        self,
        phonebook_id: int,
        /,
        *,
        tag: str | None = None,
        **body: Unpack[ChangedPhonebookObject]
    ) -> Deferred[PhonebookObject]:
        """Change a phonebook: a merge patch; the region only while there are no contacts."""
        return self._send(ApiCall(
            method="PATCH",
            path="phonebooks/{phonebook_id}",
            ids={"phonebook_id": phonebook_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, phonebook_id: int, /, *, tag: str | None = None) -> Deferred[None]:
        """Remove a phonebook with its contacts, which no campaign calls any more; the attempts of the past stay."""
        return self._send(ApiCall(
            method="DELETE",
            path="phonebooks/{phonebook_id}",
            ids={"phonebook_id": phonebook_id},
            tag=tag,
        ))
