"""The resources of the API v2 that bring many contacts, or many numbers that are not called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dialer.client.calls import ApiCall
from dialer.client.resources import A, ChangeableResource, F, L, NounResource


class ImportResource(NounResource[A, L, F]):
    """Files of contacts, taken in the background."""

    path, key = "imports", "import_id"

    def create(self, phonebook_id: int | None, content: bytes, content_type: str = "text/csv", **query: object) -> A:
        """Send one; `get` tells how far it is. With `dry_run`, nothing is added. Without a phonebook, `list_id` names the
        do-not-call list that the numbers go to."""
        if phonebook_id is not None:
            query = {"phonebook_id": phonebook_id, **query}
        return self._send(ApiCall(method="POST", path=self.path, query=query, content=content, content_type=content_type))

    def errors(self, key: int) -> F:
        """The rows that were refused, with the reasons."""
        return self._file(f"{self._one}/errors", {}, import_id=key)

    def cancel(self, key: int) -> A:
        """End one: rows that were added stay."""
        return self._post(f"{self._one}/cancel", import_id=key)

    def delete(self, key: int) -> A:
        """Forget one that has ended."""
        return self._delete(self._one, None, import_id=key)


class DoNotCallListResource(ChangeableResource[A, L, F]):
    """Lists of numbers that are not called: by anybody, by a user, by a campaign."""

    path, key = "do-not-call-lists", "list_id"

    def entries(self, key: int, **query: object) -> L:
        """The numbers of one."""
        return self._list(f"{self._one}/entries", query, list_id=key)

    def entry(self, key: int, number: str) -> A:
        """One of these."""
        return self._get(f"{self._one}/entries/{{number}}", list_id=key, number=number)

    def add(self, key: int, numbers: Sequence[str], **body: Any) -> A:
        """Put numbers there, with a `reason` and until when (`expires_at`) if so wanted."""
        return self._post(f"{self._one}/entries", {"numbers": [*numbers], **body}, list_id=key)

    def take_off(self, key: int, numbers: Sequence[str]) -> A:
        """The opposite."""
        return self._post(f"{self._one}/entries/remove", {"numbers": [*numbers]}, list_id=key)

    def delete_entry(self, key: int, number: str, *, tag: str | None = None) -> A:
        """Take one number off."""
        return self._delete(f"{self._one}/entries/{{number}}", tag, list_id=key, number=number)

    def history(self, key: int, **query: object) -> L:
        """Who put numbers there and took them off, the oldest first."""
        return self._list(f"{self._one}/history", query, list_id=key)
