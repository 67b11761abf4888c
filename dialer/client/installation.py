"""The resources of the API v2 that are about who uses the dialer, who is told, and what it runs on."""

from __future__ import annotations

from typing import Any

from dialer.client.calls import ApiCall
from dialer.client.resources import A, ChangeableResource, F, L, NounResource, RemovableResource, Resource


class TokenResource(RemovableResource[A, L, F]):
    """Tokens."""

    path, key = "tokens", "token_id"


class UserResource(ChangeableResource[A, L, F]):
    """Users, for superusers."""

    path, key = "users", "user_id"

    def grant(self, key: int, **body: Any) -> A:
        """Let one use `gateway_ids` and `voip_app_ids`."""
        return self._post(f"{self._one}/grant", body, user_id=key)

    def revoke(self, key: int, **body: Any) -> A:
        """The opposite."""
        return self._post(f"{self._one}/revoke", body, user_id=key)


class DoNotCallResource(RemovableResource[A, L, F]):
    """Numbers that no campaign calls, for superusers."""

    path, key = "do-not-call", "number"


class RuleResource(Resource[A, L, F]):
    """The calling rules in force."""

    def list(self, **query: object) -> L:
        """All of them, as far as the filters leave them."""
        return self._list("rules", query)

    def whereabouts(self, number: str, **query: object) -> A:
        """Where a number may be, and whether the rules allow a call."""
        return self._send(ApiCall(method="GET", path="rules/whereabouts", query={"number": number, **query}))


class WebhookResource(ChangeableResource[A, L, F]):
    """Webhooks and their deliveries."""

    path, key = "webhooks", "webhook_id"

    def enable(self, key: int) -> A:
        """Tell a disabled one again."""
        return self._post(f"{self._one}/enable", webhook_id=key)

    def rotate(self, key: int) -> A:
        """Another secret."""
        return self._post(f"{self._one}/rotate", webhook_id=key)

    def test(self, key: int) -> A:
        """Send it a trial."""
        return self._post(f"{self._one}/test", webhook_id=key)

    def replay(self, key: int, **body: Any) -> A:
        """Send the events of a time again."""
        return self._post(f"{self._one}/replay", body, webhook_id=key)

    def deliveries(self, key: int, **query: object) -> L:
        """The requests to it."""
        return self._list(f"{self._one}/deliveries", query, webhook_id=key)

    def delivery(self, key: int, delivery_id: int) -> A:
        """One of these."""
        return self._get(f"{self._one}/deliveries/{{delivery_id}}", webhook_id=key, delivery_id=delivery_id)

    def replay_delivery(self, key: int, delivery_id: int) -> A:
        """Send its events again."""
        path = f"{self._one}/deliveries/{{delivery_id}}/replay"
        return self._post(path, webhook_id=key, delivery_id=delivery_id)


class NodeResource(NounResource[A, L, F]):
    """Dialling processes, for superusers."""

    path, key = "nodes", "node"

    def delete(self, name: str, *, tag: str | None = None) -> A:
        """Forget one that will not come back."""
        return self._delete(self._one, tag, node=name)


class SwitchResource(NounResource[A, L, F]):
    """What these are connected to."""

    path, key = "switches", "switch"
