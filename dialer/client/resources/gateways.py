"""The methods of `gateways`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Unpack

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.gateways import ChangedGatewayObject, GatewayHealthObject, GatewayObject, NewGatewayObject


class GatewaysResource(Resource):
    """Each method waits for its answer."""

    def list(
        self,
        *,
        name: str | None = None,
        status: Literal["inactive", "active"] | None = None,
        sort: Literal["id", "-id", "name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"] | None = None,
        limit: int | None = None,
    ) -> Iterator[GatewayObject]:
        """The gateways that you may use, the oldest first."""
        return self._pages(ApiCall(
            method="GET",
            path="gateways",
            query={"name": name, "status": status, "sort": sort, "limit": limit},
        ))

    def create(self, **body: Unpack[NewGatewayObject]) -> GatewayObject:
        """Add a gateway; users use it when it is granted to them."""
        return self._send(ApiCall(method="POST", path="gateways", body={**body}))

    def get(self, gateway_id: int, /) -> GatewayObject:
        """One gateway that you may use."""
        return self._send(ApiCall(method="GET", path="gateways/{gateway_id}", ids={"gateway_id": gateway_id}))

    def change(self, gateway_id: int, /, *, tag: str | None = None, **body: Unpack[ChangedGatewayObject]) -> GatewayObject:
        """Change a gateway: a merge patch, which acts at once. A masked value of its parameters stays."""
        return self._send(ApiCall(
            method="PATCH",
            path="gateways/{gateway_id}",
            ids={"gateway_id": gateway_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, gateway_id: int, /, *, tag: str | None = None) -> None:
        """Remove a gateway that nothing uses, and that never carried a call."""
        return self._send(ApiCall(method="DELETE", path="gateways/{gateway_id}", ids={"gateway_id": gateway_id}, tag=tag))

    def health(self, gateway_id: int, /) -> GatewayHealthObject:
        """Whether a gateway serves, and how it fared of late."""
        return self._send(ApiCall(method="GET", path="gateways/{gateway_id}/health", ids={"gateway_id": gateway_id}))
