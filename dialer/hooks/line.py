"""The way to one receiver: which events are on it, what is sent next, and what waits.

Events are read ahead into `pending`, at most `WINDOW` of them. A request that fails becomes a row that is due later, and so do
the later events of its attempts; the others go on. So the place in the event table moves on, and what is behind it has either
arrived or is a row. When nothing arrives any more (`dialer.hooks.receiver_health`), no more events are read: they stay in the
event table, and the oldest row is tried again from time to time until one arrives.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
import structlog
from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from dialer.envelope import envelope
from dialer.errors import StoreError
from dialer.hooks.receiver_health import ReceiverHealth, after, problem
from dialer.hooks.request import body_of, request_id
from dialer.hooks.schedule import asked_pause, pause_after
from dialer.hooks.share import Share
from dialer.hooks.signing import signed_headers
from dialer.interfaces import Now, ReceiverAnswer, WebhookSender, WebhookStore
from dialer.model.event import EventKind, EventPlace, Told, kinds_of
from dialer.model.webhook import DeliveryStatus, ServedWebhook, Settlement, WebhookDelivery

log = structlog.get_logger()

WINDOW: Final = 1000
"""Events in memory."""
MOST_BYTES: Final = 4_000_000
"""Of their facts."""
MOST_WAITING: Final = 2000
"""Rows that are due; with more, no events are read."""
MOST_RESULTS: Final = 1000
"""Requests whose ends are not stored yet; with more, none is begun."""

GONE: Final = 410
THROTTLING: Final = frozenset({429, 503})
"""With these, `Retry-After` holds for everything that is sent."""

AGAIN: Final = timedelta(seconds=1)
"""Until a database that does not serve is asked again."""

STORE_EVERY: Final = 1.0
"""Seconds between two notes of a place that moved past what nobody wants."""


@frozen(kw_only=True)
class Means:
    """What all ways share."""

    clock: IReactorTime
    now: Now
    store: WebhookStore
    sender: WebhookSender
    rng: random.Random
    share: Share


@define(eq=False)
class Line:
    """The way to one webhook, from its place on. Reactor thread only; to be thrown away when another node serves."""

    means: Means
    served: ServedWebhook
    place: EventPlace = field(init=False)
    pending: deque[Told] = field(factory=deque, init=False)
    due: dict[int, WebhookDelivery] = field(factory=dict, init=False)
    loaded: bool = field(default=False, init=False)
    """Whether everything that is due is in `due`."""
    closed: bool = field(default=False, init=False)
    _kinds: frozenset[EventKind] = field(init=False)
    _unsettled: dict[int, int] = field(factory=dict, init=False)
    """The events that neither arrived nor are rows, in order, each with its size."""
    _bytes: int = field(default=0, init=False)
    _flying: Counter[str] = field(factory=Counter, init=False)
    _blocked: Counter[str] = field(factory=Counter, init=False)
    _retried: set[int] = field(factory=set, init=False)
    _requests: set[Deferred[None]] = field(factory=set, init=False)
    _results: list[WebhookDelivery] = field(factory=list, init=False)
    _health: ReceiverHealth = field(init=False)
    _disabled: str = field(default="", init=False)
    _stored: tuple[int, datetime | None] = field(init=False)
    _store_at: float = field(default=0.0, init=False)
    _pump_comes: bool = field(default=False, init=False)
    _halted: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        webhook = self.served.webhook
        self.place = EventPlace(webhook.position)
        self._kinds = kinds_of(webhook.kinds)
        self._health = ReceiverHealth(webhook.failing_since)
        self._stored = (webhook.position, webhook.failing_since)

    # --- what the owner of the lines tells --------------------------------------------------------------------------------

    def update(self, served: ServedWebhook) -> None:
        """The webhook as it is stored now."""
        if served.webhook.url != self.served.webhook.url:
            self._health.moved()
        self.served = served
        self._kinds = kinds_of(served.webhook.kinds)
        if served.due > len(self.due):
            self.loaded = False

    async def load(self) -> None:
        """Read what is due, as far as it is not known. Fails with `StoreError`."""
        if self.loaded:
            return
        found = await self.means.store.due(self.served.webhook.id, MOST_WAITING)
        ended = {each.id for each in self._results}
        for each in found:
            if each.id not in self.due and each.id not in ended:
                self._wait(each)
        self.due = dict(sorted(self.due.items()))
        self.loaded = len(found) < MOST_WAITING

    @property
    def wants_events(self) -> bool:
        """Whether there is room for more."""
        if not self.loaded or self.closed or self._halted or self._disabled:
            return False
        if self.is_broken:
            return not (self.due or self._unsettled or self._results)  # nothing else could be tried
        return len(self._unsettled) < WINDOW and self._bytes < MOST_BYTES and len(self.due) < MOST_WAITING

    @property
    def is_broken(self) -> bool:
        """Whether nothing arrives any more."""
        return self._health.is_broken

    @property
    def in_flight(self) -> int:
        """Requests that were made and have no answer yet."""
        return len(self._requests)

    def take(self, ahead: EventPlace, events: Iterable[Told]) -> None:
        """The events after `place` up to `ahead`."""
        for told in events:
            if self.served.wants(told, self._kinds):
                self.pending.append(told)
                self._unsettled[told.event.id] = len(told.event.data)
                self._bytes += len(told.event.data)
        self.place = ahead

    # --- sending ----------------------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Make the requests that may be made now."""
        self._pump_comes = False
        now = self.means.now()
        if self.closed or self._halted or self._disabled or self._health.is_quiet(now):
            return
        if self.is_broken:
            self._probe(now)
            return
        if self.due:
            self._send_due(now)
        if self.pending:
            self._send_pending(now)

    def _may_send(self) -> bool:
        """Whether one more request may be made, which then counts in the share of all; the first one needs none."""
        if len(self._requests) >= self._health.at_once or len(self._results) >= MOST_RESULTS:
            return False
        return not self._requests or self.means.share.take()

    def _send_due(self, now: datetime) -> None:
        """Those whose time has come, and that wait for no earlier one of their attempts."""
        seen: set[str] = set()
        for number, row in list(self.due.items()):
            keys = row.keys
            is_first = not keys & seen
            seen |= keys
            if not is_first or number in self._retried or any(self._flying[key] for key in keys):
                continue
            if row.next_try_at is None or row.next_try_at <= now:
                if not self._may_send():
                    return
                self._retry(row)

    def _probe(self, now: datetime) -> None:
        """Try the oldest that waits, as soon as what failed is stored."""
        if self._requests or self._results or not self._health.may_probe(now):
            return
        if self.due:
            self._retry(next(iter(self.due.values())))
        elif self.pending:
            self._send([self.pending.popleft()], None)

    def _send_pending(self, now: datetime) -> None:
        size = self.served.webhook.batch_size
        rest: deque[Told] = deque()
        batch: list[Told] = []
        full = False
        while self.pending and not full:
            told = self.pending.popleft()
            key = told.event.call_uuid
            if key and self._blocked[key]:
                self._park(told, now)
            elif key and self._flying[key]:
                rest.append(told)
            elif not batch and not self._may_send():
                rest.append(told)
                full = True
            else:
                batch.append(told)
                if len(batch) == size:
                    self._send(batch, None)
                    batch = []
        if batch:
            self._send(batch, None)
        self.pending.extendleft(reversed(rest))

    def _park(self, told: Told, now: datetime) -> None:
        """It waits behind an earlier event of its attempt, as a row."""
        self._note(self._new([told], now))

    def _new(self, events: Sequence[Told], now: datetime) -> WebhookDelivery:
        return WebhookDelivery(
            webhook_id=self.served.webhook.id,
            events=orjson.dumps([told.event.id for told in events]).decode(),
            attempts=" ".join(dict.fromkeys(told.event.call_uuid for told in events if told.event.call_uuid)),
            status=DeliveryStatus.DUE,
            created_at=now,
            updated_at=now,
        )

    def _retry(self, row: WebhookDelivery) -> None:
        self._retried.add(row.id)
        self._send(None, row)

    def _send(self, events: list[Told] | None, row: WebhookDelivery | None) -> None:
        """Make a request of new events, or of a row."""
        delivery = row if row is not None else self._new(events or [], self.means.now())
        self._flying.update(delivery.keys)
        shared = bool(self._requests)
        request = Deferred.fromCoroutine(self._perform(delivery, events))
        self._requests.add(request)
        request.addBoth(self._over, request, delivery, shared)

    def _over(self, result: object, request: Deferred[None], delivery: WebhookDelivery, shared: bool) -> None:
        if isinstance(result, Failure) and not self.closed:
            log.error("a webhook could not be told", webhook=delivery.webhook_id, failure=result.getErrorMessage())
            self._answered(delivery, ReceiverAnswer(error="the dialer could not make the request"))
        self._requests.discard(request)
        if shared:
            self.means.share.give_back()
        self._retried.discard(delivery.id)
        _take_away(self._flying, delivery.keys)
        if not self.closed and not self._pump_comes:
            self._pump_comes = True
            self.means.clock.callLater(0, self.pump)

    async def _perform(self, delivery: WebhookDelivery, events: list[Told] | None) -> None:
        ids = orjson.loads(delivery.events)
        if events is None:
            try:
                events = [told for told in await self.means.store.events(ids) if self.served.may_see(told)]
            except StoreError:
                self._health.quiet_until = self.means.now() + AGAIN  # it stays due
                return
            if len(events) < len(ids):
                self._end(delivery, DeliveryStatus.DEAD, ReceiverAnswer(error="its events are not kept any more"))
                return
        webhook, now = self.served.webhook, self.means.now()
        batched = webhook.batch_size > 1 or len(ids) > 1
        envelopes = [envelope(told) for told in events]
        content, id_ = body_of(envelopes, batched=batched), request_id(envelopes, batched=batched)
        answer = await self.means.sender.send(webhook.url, signed_headers(webhook.secrets(now), id_, now, content), content)
        if not self.closed:
            self._answered(delivery, answer)

    # --- what became of it ------------------------------------------------------------------------------------------------

    def _answered(self, delivery: WebhookDelivery, answer: ReceiverAnswer) -> None:
        if answer.is_success:
            self._health.worked(answer.milliseconds)
            self._end(delivery, DeliveryStatus.DELIVERED, answer)
            return
        now = self.means.now()
        self._health.failed(now)
        if answer.status == GONE:
            self._disabled = "the receiver answered 410: it is gone"
        elif self._health.has_given_up(now):
            self._disabled = f"nothing has arrived for a day; the last: {problem(answer)}"
        self._failed(delivery, answer, now)

    def _failed(self, delivery: WebhookDelivery, answer: ReceiverAnswer, now: datetime) -> None:
        asked = asked_pause(answer.retry_after, now) if answer.retry_after else None
        if asked is not None and answer.status in THROTTLING:
            self._health.quiet_until = now + asked
        if delivery.id and delivery.next_try_at is not None and delivery.next_try_at > now:
            return  # a probe
        pause = pause_after(delivery.tries + 1, self.means.rng)
        if pause is None:
            self._end(delivery, DeliveryStatus.DEAD, answer)
            return
        self._note(after(evolve(delivery, next_try_at=now + max(pause, asked or pause)), answer, now))

    def _end(self, delivery: WebhookDelivery, status: DeliveryStatus, answer: ReceiverAnswer) -> None:
        """It is tried no more."""
        now = self.means.now()
        if self.due.pop(delivery.id, None) is not None:
            self._unblock(delivery)
        self._note(after(evolve(delivery, status=status, next_try_at=None), answer, now))

    def _note(self, delivery: WebhookDelivery) -> None:
        """To be stored soon."""
        self._results.append(delivery)
        if delivery.id:
            if delivery.id in self.due:
                self.due[delivery.id] = delivery
            return
        if delivery.status is DeliveryStatus.DUE:
            self._blocked.update(delivery.keys)
        for number in orjson.loads(delivery.events):
            self._bytes -= self._unsettled.pop(number, 0)

    def _wait(self, delivery: WebhookDelivery) -> None:
        self.due[delivery.id] = delivery
        self._blocked.update(delivery.keys)

    def _unblock(self, delivery: WebhookDelivery) -> None:
        _take_away(self._blocked, delivery.keys)

    # --- storing ----------------------------------------------------------------------------------------------------------

    async def store(self) -> bool:
        """Store what became of requests, and the place. Returns False when this node has nothing to say any more. Fails with
        `StoreError`: the same is stored the next time."""
        state = (self._position, self._health.failing_since)
        now = self.means.clock.seconds()
        if not self._results and not self._disabled and (state == self._stored or now < self._store_at):
            return True
        results, self._results = self._results, []
        settlement = Settlement(
            webhook_id=self.served.webhook.id,
            position=state[0],
            deliveries=tuple(results),
            failing_since=state[1],
            disabled=self._disabled,
        )
        try:
            added = await self.means.store.settle(settlement, self.means.now())
        except StoreError:
            self._results = results + self._results
            raise
        if added is None or settlement.disabled:
            return False
        self._stored, self._store_at = state, now + STORE_EVERY
        for each in added:
            self.due[each.id] = each
        return True

    @property
    def _position(self) -> int:
        return next(iter(self._unsettled)) - 1 if self._unsettled else self.place.position

    def halt(self) -> None:
        """Begin no more requests."""
        self._halted = True

    def close(self) -> None:
        """Begin no more requests, and give those up that have no answer."""
        self.closed = True
        for request in list(self._requests):
            request.cancel()


def _take_away(counts: Counter[str], keys: Iterable[str]) -> None:
    """One of each; none is left behind with 0."""
    for key in keys:
        counts[key] -= 1
        if not counts[key]:
            del counts[key]
