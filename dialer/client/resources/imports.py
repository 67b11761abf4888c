"""The methods of `imports`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Unpack

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.imports import ImportObject, ImportStartObject


class ImportsResource(Resource):
    """Each method waits for its answer."""

    def list(
        self,
        *,
        phonebook_id: int | None = None,
        list_id: int | None = None,
        state: Literal["draft", "queued", "running", "finished", "cancelled", "failed"] | None = None,
        limit: int | None = None,
    ) -> Iterator[ImportObject]:
        """Your imports, the newest first."""
        return self._pages(ApiCall(
            method="GET",
            path="imports",
            query={"phonebook_id": phonebook_id, "list_id": list_id, "state": state, "limit": limit},
        ))

    def create(
        self,
        content: bytes,
        content_type: str = "text/csv",
        *,
        phonebook_id: int | None = None,
        list_id: int | None = None,
        format: Literal["csv", "json-lines"] | None = None,
        mapping: str | None = None,
        region: str | None = None,
        encoding: str | None = None,
        header: bool | None = None,
        dry_run: bool | None = None,
        doubles: Literal["keep", "change"] | None = None,
        draft: bool | None = None,
    ) -> ImportObject:
        """Take a file of contacts into a phonebook, or of numbers onto a do-not-call list, in the background."""
        return self._send(ApiCall(
            method="POST",
            path="imports",
            query={
                "phonebook_id": phonebook_id, "list_id": list_id, "format": format, "mapping": mapping, "region": region,
                "encoding": encoding, "header": header, "dry_run": dry_run, "doubles": doubles, "draft": draft,
            },
            content=content,
            content_type=content_type,
        ))

    def get(self, import_id: int, /) -> ImportObject:
        """One import: how far it is."""
        return self._send(ApiCall(method="GET", path="imports/{import_id}", ids={"import_id": import_id}))

    def delete(self, import_id: int, /) -> None:
        """The same, and forget the import with its refused rows."""
        return self._send(ApiCall(method="DELETE", path="imports/{import_id}", ids={"import_id": import_id}))

    def errors(self, import_id: int, /) -> bytes:
        """The rows that were not taken, as they stand in the file, each with its reason: correct them, and send that file."""
        return self._fetch(ApiCall(method="GET", path="imports/{import_id}/errors", ids={"import_id": import_id}))

    def start(self, import_id: int, /, **body: Unpack[ImportStartObject]) -> ImportObject:
        """Take the file of a draft, or tell what would be done; what is not named stays as it was."""
        return self._send(ApiCall(
            method="POST",
            path="imports/{import_id}/start",
            ids={"import_id": import_id},
            body={**body},
        ))

    def cancel(self, import_id: int, /) -> ImportObject:
        """Take no more rows of a file; the contacts that were taken stay."""
        return self._send(ApiCall(method="POST", path="imports/{import_id}/cancel", ids={"import_id": import_id}))
