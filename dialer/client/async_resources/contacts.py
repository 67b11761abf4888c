"""The methods of `contacts`.

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
    from dialer.client.objects.contacts import (
        AddedContactsObject,
        ChangedContactObject,
        ContactObject,
        ContactsToRemoveObject,
        NewContactObject,
        NewContactsObject,
        RemovedContactsObject,
    )


class AsyncContactsResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def search(
        self,
        *,
        number: str | None = None,
        reference: str | None = None,
        phonebook_id: int | None = None,
        sort: Literal["id", "-id", "number", "-number"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[ContactObject]:
        """The contacts of all your phonebooks that have a number or a reference."""
        return self._pages(ApiCall(
            method="GET",
            path="contacts",
            query={"number": number, "reference": reference, "phonebook_id": phonebook_id, "sort": sort, "limit": limit},
        ))

    def list(
        self,
        phonebook_id: int,
        /,
        *,
        number: str | None = None,
        reference: str | None = None,
        sort: Literal["id", "-id", "number", "-number"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[ContactObject]:
        """The contacts of a phonebook."""
        return self._pages(ApiCall(
            method="GET",
            path="phonebooks/{phonebook_id}/contacts",
            ids={"phonebook_id": phonebook_id},
            query={"number": number, "reference": reference, "sort": sort, "limit": limit},
        ))

    def create(self, phonebook_id: int, /, **body: Unpack[NewContactObject]) -> Deferred[ContactObject]:
        """Add a contact to a phonebook; the campaigns that use it call it."""
        return self._send(ApiCall(
            method="POST",
            path="phonebooks/{phonebook_id}/contacts",
            ids={"phonebook_id": phonebook_id},
            body={**body},
        ))

    def create_many(self, phonebook_id: int, /, **body: Unpack[NewContactsObject]) -> Deferred[AddedContactsObject]:
        """Add many contacts to a phonebook, as far as they can be; the answer names the others."""
        return self._send(ApiCall(
            method="POST",
            path="phonebooks/{phonebook_id}/contacts/batch",
            ids={"phonebook_id": phonebook_id},
            body={**body},
        ))

    def remove_many(self, phonebook_id: int, /, **body: Unpack[ContactsToRemoveObject]) -> Deferred[RemovedContactsObject]:
        """Remove many contacts of a phonebook; their attempts stay."""
        return self._send(ApiCall(
            method="POST",
            path="phonebooks/{phonebook_id}/contacts/remove",
            ids={"phonebook_id": phonebook_id},
            body={**body},
        ))

    def get(self, phonebook_id: int, contact_id: int, /) -> Deferred[ContactObject]:
        """One contact of a phonebook."""
        return self._send(ApiCall(
            method="GET",
            path="phonebooks/{phonebook_id}/contacts/{contact_id}",
            ids={"phonebook_id": phonebook_id, "contact_id": contact_id},
        ))

    def change(
        self,
        phonebook_id: int,
        contact_id: int,
        /,
        *,
        tag: str | None = None,
        **body: Unpack[ChangedContactObject]
    ) -> Deferred[ContactObject]:
        """Change a contact: a merge patch. Its number may get another spelling; another number is another contact."""
        return self._send(ApiCall(
            method="PATCH",
            path="phonebooks/{phonebook_id}/contacts/{contact_id}",
            ids={"phonebook_id": phonebook_id, "contact_id": contact_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, phonebook_id: int, contact_id: int, /, *, tag: str | None = None) -> Deferred[None]:
        """Remove a contact, which no campaign calls any more; its attempts stay."""
        return self._send(ApiCall(
            method="DELETE",
            path="phonebooks/{phonebook_id}/contacts/{contact_id}",
            ids={"phonebook_id": phonebook_id, "contact_id": contact_id},
            tag=tag,
        ))
