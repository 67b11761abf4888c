"""The methods of `voice_applications`.

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
    from dialer.client.objects.voice_applications import (
        ChangedVoiceApplicationObject,
        NewVoiceApplicationObject,
        VoiceApplicationObject,
    )


class AsyncVoiceApplicationsResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(
        self,
        *,
        name: str | None = None,
        type: Literal["dial", "play-audio", "conference", "speak"] | None = None,
        sort: Literal["id", "-id", "name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[VoiceApplicationObject]:
        """The voice applications that you may use."""
        return self._pages(ApiCall(
            method="GET",
            path="voice-applications",
            query={"name": name, "type": type, "sort": sort, "limit": limit},
        ))

    def create(self, **body: Unpack[NewVoiceApplicationObject]) -> Deferred[VoiceApplicationObject]:
        """Add a voice application; users use it when it is granted to them."""
        return self._send(ApiCall(method="POST", path="voice-applications", body={**body}))

    def get(self, voip_app_id: int, /) -> Deferred[VoiceApplicationObject]:
        """One voice application that you may use."""
        return self._send(ApiCall(method="GET", path="voice-applications/{voip_app_id}", ids={"voip_app_id": voip_app_id}))

    def change(
        self,
        voip_app_id: int,
        /,
        *,
        tag: str | None = None,
        **body: Unpack[ChangedVoiceApplicationObject]
    ) -> Deferred[VoiceApplicationObject]:
        """Change a voice application: a merge patch, which acts at once."""
        return self._send(ApiCall(
            method="PATCH",
            path="voice-applications/{voip_app_id}",
            ids={"voip_app_id": voip_app_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, voip_app_id: int, /, *, tag: str | None = None) -> Deferred[None]:
        """Remove a voice application that no campaign uses."""
        return self._send(ApiCall(
            method="DELETE",
            path="voice-applications/{voip_app_id}",
            ids={"voip_app_id": voip_app_id},
            tag=tag,
        ))
