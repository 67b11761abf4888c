"""The contracts of those that tell others what happens: readers of events, and webhooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from attrs import frozen
from twisted.internet.defer import Deferred

from dialer.model.event import EventKind, EventPlace, Told
from dialer.model.webhook import ServedWebhook, Settlement, WebhookDelivery


@frozen
class Interest:
    """The kinds of events that are written: those that a reader has `asked` for, in the transaction of their cause; and those
    that are `shown` to whoever looks, as far as they cost a call nothing."""

    asked: frozenset[EventKind] = frozenset()
    shown: frozenset[EventKind] = frozenset()


class ConsumerStore(Protocol):
    """The events, and how far each of their readers is. Fails with: `StoreError`."""

    def hold(self, name: str, now: datetime) -> Deferred[EventPlace | None]:
        """Serve that reader for the next seconds, again or anew, and its place; None while another node does."""
        ...

    def read(self, place: EventPlace, limit: int) -> Deferred[tuple[EventPlace, list[Told]]]:
        """The next events, in order, and the place behind them."""
        ...

    def advance(self, name: str, position: int) -> Deferred[bool]:
        """The reader is done with everything up to there. Fires with False, and nothing is changed, when another node serves
        it by now."""
        ...


EventReceiver = Callable[[Sequence[Told]], Awaitable[None]]
"""Takes events, in order; when it returns, all of them have arrived for good. Raises `HookFailed`: none may be counted on, and
all are handed over again, so that a receiver must tell repeated ones by their id."""


@frozen(kw_only=True)
class ReceiverAnswer:
    """The answer to a request: its HTTP status and the text of its Retry-After; or why there is none. `milliseconds` passed
    until then."""

    status: int | None = None
    retry_after: str = ""
    error: str = ""
    milliseconds: int = 0

    @property
    def is_success(self) -> bool:
        """Whether what was sent has arrived: 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


class WebhookSender(Protocol):
    """Posts to receivers."""

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Deferred[ReceiverAnswer]:
        """One request. Fires with the answer, within a bounded time; never fails."""
        ...


class WebhookStore(Protocol):
    """The webhooks that one node at a time serves. Fails with: `StoreError`."""

    def hold(self, now: datetime) -> Deferred[bool]:
        """Serve all of them for the next seconds, again or anew; False while another node does."""
        ...

    def served(self) -> Deferred[list[ServedWebhook]]:
        """The active ones, whose owners are active."""
        ...

    def due(self, webhook_id: int, limit: int) -> Deferred[list[WebhookDelivery]]:
        """The oldest deliveries that are due."""
        ...

    def events(self, ids: Sequence[int]) -> Deferred[list[Told]]:
        """These events, in order, as far as they are kept."""
        ...

    def read(self, place: EventPlace, limit: int) -> Deferred[tuple[EventPlace, list[Told]]]:
        """The next events, in order, and the place behind them."""
        ...

    def settle(self, settlement: Settlement, now: datetime) -> Deferred[list[WebhookDelivery] | None]:
        """Store what became of requests. Fires with those that are due and new, with their ids; None, with nothing changed,
        when the webhook is active no more or another node serves by now."""
        ...

    def prune(self, before: datetime, limit: int) -> Deferred[int]:
        """Remove up to `limit` deliveries of which nothing became since. Fires with how many went."""
        ...
