"""The methods of `webhooks`.

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
    from dialer.client.objects.webhooks import (
        ChangedWebhookObject,
        NewWebhookObject,
        NewWebhookReplayObject,
        WebhookDeliveryObject,
        WebhookObject,
        WebhookReplayObject,
        WebhookTestObject,
        WebhookWithSecretObject,
    )


class AsyncWebhooksResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(
        self,
        *,
        status: Literal["active", "disabled"] | None = None,
        campaign_id: int | None = None,
        sort: Literal["id", "-id", "created_at", "-created_at"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[WebhookObject]:
        """Your webhooks, the oldest first."""
        return self._pages(ApiCall(
            method="GET",
            path="webhooks",
            query={"status": status, "campaign_id": campaign_id, "sort": sort, "limit": limit},
        ))

    def create(self, **body: Unpack[NewWebhookObject]) -> Deferred[WebhookWithSecretObject]:
        """Add a webhook, which is told what happens from now on; its secret is in this answer and in no other."""
        return self._send(ApiCall(method="POST", path="webhooks", body={**body}))

    def get(self, webhook_id: int, /) -> Deferred[WebhookObject]:
        """One webhook."""
        return self._send(ApiCall(method="GET", path="webhooks/{webhook_id}", ids={"webhook_id": webhook_id}))

    def change(
        self,
        webhook_id: int,
        /,
        *,
        tag: str | None = None,
        **body: Unpack[ChangedWebhookObject]
    ) -> Deferred[WebhookObject]:
        """Change a webhook: a merge patch, which acts within a second."""
        return self._send(ApiCall(
            method="PATCH",
            path="webhooks/{webhook_id}",
            ids={"webhook_id": webhook_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, webhook_id: int, /, *, tag: str | None = None) -> Deferred[None]:
        """Remove a webhook, with what waits for it."""
        return self._send(ApiCall(method="DELETE", path="webhooks/{webhook_id}", ids={"webhook_id": webhook_id}, tag=tag))

    def enable(self, webhook_id: int, /) -> Deferred[WebhookObject]:
        """Tell a disabled webhook again, from where it was."""
        return self._send(ApiCall(method="POST", path="webhooks/{webhook_id}/enable", ids={"webhook_id": webhook_id}))

    def rotate(self, webhook_id: int, /) -> Deferred[WebhookWithSecretObject]:
        """Give a webhook another secret, which is in this answer and in no other; for a day, the old one signs, too."""
        return self._send(ApiCall(method="POST", path="webhooks/{webhook_id}/rotate", ids={"webhook_id": webhook_id}))

    def test(self, webhook_id: int, /) -> Deferred[WebhookTestObject]:
        """Send a webhook a `webhook.test` now, once, and tell what came back."""
        return self._send(ApiCall(method="POST", path="webhooks/{webhook_id}/test", ids={"webhook_id": webhook_id}))

    def replay(self, webhook_id: int, /, **body: Unpack[NewWebhookReplayObject]) -> Deferred[WebhookReplayObject]:
        """Send the events of a time again, as far as they are kept and the webhook asks for them."""
        return self._send(ApiCall(
            method="POST",
            path="webhooks/{webhook_id}/replay",
            ids={"webhook_id": webhook_id},
            body={**body},
        ))

    def deliveries(
        self,
        webhook_id: int,
        /,
        *,
        status: Literal["due", "delivered", "dead"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[WebhookDeliveryObject]:
        """The requests to a webhook, the newest first."""
        return self._pages(ApiCall(
            method="GET",
            path="webhooks/{webhook_id}/deliveries",
            ids={"webhook_id": webhook_id},
            query={"status": status, "limit": limit},
        ))

    def delivery(self, webhook_id: int, delivery_id: int, /) -> Deferred[WebhookDeliveryObject]:
        """One request to a webhook."""
        return self._send(ApiCall(
            method="GET",
            path="webhooks/{webhook_id}/deliveries/{delivery_id}",
            ids={"webhook_id": webhook_id, "delivery_id": delivery_id},
        ))

    def replay_delivery(self, webhook_id: int, delivery_id: int, /) -> Deferred[WebhookDeliveryObject]:
        """Send the events of a request again, as a new one."""
        return self._send(ApiCall(
            method="POST",
            path="webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
            ids={"webhook_id": webhook_id, "delivery_id": delivery_id},
        ))
