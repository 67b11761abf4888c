"""The methods of `sounds`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal

from twisted.internet.defer import Deferred

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.sounds import SoundObject


class AsyncSoundsResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(self, *, sort: Literal["name", "-name"] | None = None, limit: int | None = None) -> AsyncIterator[SoundObject]:
        """The sounds of the installation."""
        return self._pages(ApiCall(method="GET", path="sounds", query={"sort": sort, "limit": limit}))

    def upload(
        self,
        content: bytes,
        content_type: str = "audio/wav",
        *,
        name: str | None = None,
        replace: bool | None = None,
    ) -> Deferred[SoundObject]:
        """Put a sound into the folder, whose content is looked at: it is there whole, or not at all."""
        return self._send(ApiCall(
            method="POST",
            path="sounds",
            query={"name": name, "replace": replace},
            content=content,
            content_type=content_type,
        ))

    def get(self, sound: str, /) -> Deferred[SoundObject]:
        """One sound: its length, its rate, when it was changed."""
        return self._send(ApiCall(method="GET", path="sounds/{sound}", ids={"sound": sound}))

    def delete(self, sound: str, /) -> Deferred[None]:
        """Remove a sound; campaigns that play it play it no more."""
        return self._send(ApiCall(method="DELETE", path="sounds/{sound}", ids={"sound": sound}))

    def content(self, sound: str, /) -> Deferred[bytes]:
        """The file itself, or a part of it."""
        return self._fetch(ApiCall(method="GET", path="sounds/{sound}/content", ids={"sound": sound}))
