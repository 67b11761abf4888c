"""Telling others: events of this node are written; and read by those that look which kinds somebody asks for, that write
them to a file, and that send them."""

from __future__ import annotations

import random
from typing import Any

import structlog
from attrs import define, field
from twisted.python.failure import Failure

from dialer.gateways import Backoff
from dialer.hooks.addresses import AddressRules
from dialer.hooks.consumer import EventFeed
from dialer.hooks.http_client import WebhookClient
from dialer.hooks.interests import Interests
from dialer.hooks.json_lines import JsonLines
from dialer.hooks.shown import ShownEvents
from dialer.hooks.undelivered import Undelivered
from dialer.hooks.webhooks import Webhooks
from dialer.interfaces import Now
from dialer.model import EventKind, Gateway
from dialer.service_settings import ServiceSettings
from dialer.store.consumers import Consumers
from dialer.store.database import Database
from dialer.store.flow import Store
from dialer.store.webhooks import StoredWebhooks

log = structlog.get_logger()

OUTCOMES = "outcomes"
"""The reader of events that writes to a file."""
OUTCOME_KINDS = frozenset({EventKind.ATTEMPT_ENDED})


@define(eq=False)
class Telling:
    """The events of one dialer's own, and the readers of all. The store is told which kinds are asked for."""

    reactor: Any
    now: Now
    database: Database
    store: Store
    settings: ServiceSettings
    consumers: Consumers = field(init=False)
    interests: Interests = field(init=False)
    shown: ShownEvents | None = field(default=None, init=False)
    undelivered: Undelivered = field(init=False)
    outcomes: EventFeed | None = field(default=None, init=False)
    receivers: AddressRules = field(init=False)
    sender: WebhookClient = field(init=False)
    webhooks: Webhooks = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings, reactor, node = self.settings, self.reactor, self.settings.node.name
        self.consumers = Consumers(self.database, node)
        self.interests = Interests(reactor, self.now, self.consumers, self.store, settings.keep_events)
        if settings.page:
            self.shown = ShownEvents(reactor, self.now, self.consumers)
        self.undelivered = Undelivered(reactor, self.consumers)
        self.receivers = AddressRules(settings.webhooks.allow, settings.webhooks.http)
        self.sender = WebhookClient(reactor, self.receivers)
        self.webhooks = Webhooks(
            clock=reactor,
            now=self.now,
            store=StoredWebhooks(self.database, node),
            sender=self.sender,
            rng=random.Random(),
            keep=settings.keep_events,
            most=settings.webhooks.requests,
        )
        if settings.outcomes is not None:
            lines = JsonLines(settings.outcomes)
            self.outcomes = EventFeed(reactor, self.now, self.consumers, OUTCOMES, OUTCOME_KINDS, lines)

    async def load(self) -> None:
        """Learn which kinds are asked for, before anything happens that is to be told. Fails with `StoreError`."""
        if self.outcomes is not None:
            await self.consumers.enter(OUTCOMES, OUTCOME_KINDS, self.now())
        if self.shown is not None:
            await self.shown.ask()
        await self.interests.load()

    def start(self) -> None:
        """Begin to read."""
        if self.shown is not None:
            self.shown.start()
        self.interests.start()
        self.undelivered.start()
        self.webhooks.start()
        if self.outcomes is not None:
            self.outcomes.start()

    async def stop(self) -> None:
        """Read no more; what is under way comes to its end."""
        if self.shown is not None:
            await self.shown.stop()
        await self.interests.stop()
        await self.undelivered.stop()
        if self.outcomes is not None:
            await self.outcomes.stop()
        await self.webhooks.stop()

    async def close(self) -> None:
        """Close the connections to receivers."""
        await self.sender.close()

    def tell(self, kind: EventKind, **facts: str) -> None:
        """Write an event of this node, soon."""
        told = self.store.tell(kind, self.now(), {"node": self.settings.node.name, **facts})
        told.addErrback(_not_told, kind)

    def tell_of_gateway(self, gateway: Gateway, backoff: Backoff | None) -> None:
        """Write, soon, that a gateway is down for a while, or serves again."""
        told = self.store.tell_of_gateway(gateway, backoff, self.now())
        told.addErrback(_not_told, EventKind.GATEWAY_UP if backoff is None else EventKind.GATEWAY_DOWN)


def _not_told(failure: Failure, kind: EventKind) -> None:
    log.error("an event is not stored", kind=kind, reason=failure.getErrorMessage())
