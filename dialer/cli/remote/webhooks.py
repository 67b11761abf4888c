"""Webhooks, by the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

import orjson

from dialer.cli.remote import values
from dialer.client import Client
from dialer.interfaces import ReceiverAnswer
from dialer.management import webhooks
from dialer.management.webhooks import Replayed, WithSecret
from dialer.model import Account, DeliveryStatus, Webhook, WebhookDelivery


def _webhook(given: Mapping[str, Any]) -> Webhook:
    return values.read(Webhook, given)


def _with_secret(given: Mapping[str, Any]) -> WithSecret:
    return WithSecret(webhook=_webhook(given), secret=given["secret"] or "")


def _add(client: Client, who: Account, given: Mapping[str, Any], receivers: object) -> WithSecret:
    body: Any = values.written(Webhook, given)
    return _with_secret(client.webhooks.create(**body))


def _change(client: Client, who: Account, key: int, given: Mapping[str, Any], receivers: object) -> None:
    body: Any = values.written(Webhook, given)
    client.webhooks.change(key, **body)


def _delivery(given: Mapping[str, Any]) -> WebhookDelivery:
    told = {"events": orjson.dumps(given["events"]).decode(), "attempts": " ".join(given["attempts"])}
    return values.read(WebhookDelivery, given, **told)


def _deliveries(
    client: Client, who: Account, key: int, before: int | None, limit: int, status: DeliveryStatus | None
) -> list[WebhookDelivery]:
    """The API knows no ids to begin behind: those before are passed over."""
    wanted: Any = None if status is None else status.value
    found = client.webhooks.deliveries(key, status=wanted, limit=values.PAGE if before else min(limit, values.PAGE))
    older = (each for each in found if before is None or each["id"] < before)
    return [_delivery(each) for each in islice(older, limit)]


def _replay_between(client: Client, who: Account, key: int, since: datetime, until: datetime) -> Replayed:
    found = client.webhooks.replay(key, since=values.rfc3339(since), until=values.rfc3339(until))
    return Replayed(events=found["events"], last=values.moment(found["last"]))


def _test(client: Client, who: Account, key: int) -> ReceiverAnswer:
    """An error of a receiver that has answered is made of its status."""
    found = client.webhooks.test(key)
    error = "" if found["http_status"] is not None else found["error"]
    return ReceiverAnswer(status=found["http_status"], error=error, milliseconds=found["milliseconds"])


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    webhooks.listed: lambda client, who: [_webhook(each) for each in client.webhooks.list()],
    webhooks.add: _add,
    webhooks.change: _change,
    webhooks.remove: lambda client, who, key: client.webhooks.delete(key),
    webhooks.rotate: lambda client, who, key: _with_secret(client.webhooks.rotate(key)),
    webhooks.enable: lambda client, who, key: _webhook(client.webhooks.enable(key)),
    webhooks.deliveries: _deliveries,
    webhooks.replay: lambda client, who, key, delivery: _delivery(client.webhooks.replay_delivery(key, delivery)),
    webhooks.replay_between: _replay_between,
    webhooks.test: _test,
}
