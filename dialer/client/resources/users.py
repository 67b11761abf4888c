"""The methods of `users`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Unpack

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.users import ChangedUserObject, GrantsObject, NewUserObject, UserObject


class UsersResource(Resource):
    """Each method waits for its answer."""

    def list(
        self,
        *,
        username: str | None = None,
        is_superuser: bool | None = None,
        is_active: bool | None = None,
        sort: Literal["id", "-id", "username", "-username", "created_at", "-created_at"] | None = None,
        limit: int | None = None,
    ) -> Iterator[UserObject]:
        """All users."""
        return self._pages(ApiCall(
            method="GET",
            path="users",
            query={"username": username, "is_superuser": is_superuser, "is_active": is_active, "sort": sort, "limit": limit},
        ))

    def create(self, **body: Unpack[NewUserObject]) -> UserObject:
        """Create a user; one that is no superuser has limits that protect from costs where none are given."""
        return self._send(ApiCall(method="POST", path="users", body={**body}))

    def get(self, user_id: int, /) -> UserObject:
        """One user."""
        return self._send(ApiCall(method="GET", path="users/{user_id}", ids={"user_id": user_id}))

    def change(self, user_id: int, /, *, tag: str | None = None, **body: Unpack[ChangedUserObject]) -> UserObject:
        """Change a user: a merge patch, which acts at once."""
        return self._send(ApiCall(method="PATCH", path="users/{user_id}", ids={"user_id": user_id}, body={**body}, tag=tag))

    def delete(self, user_id: int, /, *, tag: str | None = None) -> None:
        """Remove a user that has no campaigns and no phonebooks."""
        return self._send(ApiCall(method="DELETE", path="users/{user_id}", ids={"user_id": user_id}, tag=tag))

    def grant(self, user_id: int, /, **body: Unpack[GrantsObject]) -> UserObject:
        """Let a user use gateways and voice applications."""
        return self._send(ApiCall(method="POST", path="users/{user_id}/grant", ids={"user_id": user_id}, body={**body}))

    def revoke(self, user_id: int, /, **body: Unpack[GrantsObject]) -> UserObject:
        """Have a user use gateways and voice applications no more; those that its campaigns use stay."""
        return self._send(ApiCall(method="POST", path="users/{user_id}/revoke", ids={"user_id": user_id}, body={**body}))
