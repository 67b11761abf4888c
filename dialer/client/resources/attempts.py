"""The methods of `attempts`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.attempts import AttemptObject
    from dialer.client.objects.webhooks import WebhookDeliveryObject


class AttemptsResource(Resource):
    """Each method waits for its answer."""

    def list(
        self,
        *,
        campaign_id: int | None = None,
        number: str | None = None,
        disposition: Literal[
            "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
            "UNKNOWN",
        ] | None = None,
        cause: str | None = None,
        gateway_id: int | None = None,
        since: str | None = None,
        until: str | None = None,
        answered: bool | None = None,
        ended: bool | None = None,
        sort: Literal["planned_at", "-planned_at"] | None = None,
        limit: int | None = None,
    ) -> Iterator[AttemptObject]:
        """The attempts of your campaigns; for a superuser, all of them."""
        return self._pages(ApiCall(
            method="GET",
            path="attempts",
            query={
                "campaign_id": campaign_id, "number": number, "disposition": disposition, "cause": cause,
                "gateway_id": gateway_id, "since": since, "until": until, "answered": answered, "ended": ended, "sort": sort,
                "limit": limit,
            },
        ))

    def export(
        self,
        *,
        campaign_id: int | None = None,
        number: str | None = None,
        disposition: Literal[
            "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
            "UNKNOWN",
        ] | None = None,
        cause: str | None = None,
        gateway_id: int | None = None,
        since: str | None = None,
        until: str | None = None,
        answered: bool | None = None,
        ended: bool | None = None,
        sort: Literal["planned_at", "-planned_at"] | None = None,
        format: Literal["csv", "jsonl"] | None = None,
    ) -> bytes:
        """The attempts of your campaigns as a file, all that the filters leave, whatever their number."""
        return self._fetch(ApiCall(
            method="GET",
            path="attempts/export",
            query={
                "campaign_id": campaign_id, "number": number, "disposition": disposition, "cause": cause,
                "gateway_id": gateway_id, "since": since, "until": until, "answered": answered, "ended": ended, "sort": sort,
                "format": format,
            },
        ))

    def get(self, attempt_id: str, /) -> AttemptObject:
        """One attempt."""
        return self._send(ApiCall(method="GET", path="attempts/{attempt_id}", ids={"attempt_id": attempt_id}))

    def recording(self, attempt_id: str, /) -> bytes:
        """The recording of a call, or a part of it."""
        return self._fetch(ApiCall(method="GET", path="attempts/{attempt_id}/recording", ids={"attempt_id": attempt_id}))

    def delete_recording(self, attempt_id: str, /) -> None:
        """Remove the recording of a call; the call's record stays."""
        return self._send(ApiCall(method="DELETE", path="attempts/{attempt_id}/recording", ids={"attempt_id": attempt_id}))

    def deliveries(self, attempt_id: str, /, *, limit: int | None = None) -> Iterator[WebhookDeliveryObject]:
        """The requests to your webhooks that told of an attempt, the oldest first."""
        return self._pages(ApiCall(
            method="GET",
            path="attempts/{attempt_id}/deliveries",
            ids={"attempt_id": attempt_id},
            query={"limit": limit},
        ))
