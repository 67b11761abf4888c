"""The methods of `tokens`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Unpack

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.tokens import MadeTokenObject, NewTokenObject, TokenObject


class TokensResource(Resource):
    """Each method waits for its answer."""

    def list(
        self,
        *,
        user_id: int | None = None,
        sort: Literal["id", "-id", "name", "-name", "created_at", "-created_at"] | None = None,
        limit: int | None = None,
    ) -> Iterator[TokenObject]:
        """Your tokens, the newest first; everybody's with the scope `admin` of a superuser."""
        return self._pages(ApiCall(method="GET", path="tokens", query={"user_id": user_id, "sort": sort, "limit": limit}))

    def create(self, **body: Unpack[NewTokenObject]) -> MadeTokenObject:
        """Make a token, whose text is in this answer and nowhere else."""
        return self._send(ApiCall(method="POST", path="tokens", body={**body}))

    def get(self, token_id: int, /) -> TokenObject:
        """One of your tokens."""
        return self._send(ApiCall(method="GET", path="tokens/{token_id}", ids={"token_id": token_id}))

    def delete(self, token_id: int, /, *, tag: str | None = None) -> None:
        """Revoke a token: it is good for nothing from now on."""
        return self._send(ApiCall(method="DELETE", path="tokens/{token_id}", ids={"token_id": token_id}, tag=tag))
