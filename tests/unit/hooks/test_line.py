"""The way to a receiver, against a stepped clock and a receiver that chance decides: every event arrives, in the order of its
attempt, whenever the process dies."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.errors import StoreError
from dialer.hooks.line import WINDOW, Line, Means
from dialer.hooks.receiver_health import FIRST_AT_ONCE, MOST_AT_ONCE
from dialer.hooks.share import Share
from dialer.interfaces import ReceiverAnswer
from dialer.model import DeliveryStatus, Event, EventKind, Webhook, WebhookDelivery
from dialer.model.event import EventPlace, Told
from dialer.model.webhook import ServedWebhook, Settlement

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
BATCH = 50


def event(number: int, attempts: int) -> Told:
    return Told(
        Event(
            id=number, kind=str(EventKind.ATTEMPT_ENDED), at=NOON, user_id=1, call_uuid=f"call-{number % attempts}", data="{}"
        )
    )


@define(eq=False)
class Memory:
    """`dialer.interfaces.WebhookStore` for one webhook."""

    webhook: Webhook
    events_there: list[Told]
    rows: dict[int, WebhookDelivery] = field(factory=dict)
    broken: bool = False

    def read(self, place: EventPlace, limit: int) -> Deferred[tuple[EventPlace, list[Told]]]:
        found = self.events_there[place.position : place.position + limit]
        return succeed((EventPlace(found[-1].event.id) if found else place, found))

    def due(self, webhook_id: int, limit: int) -> Deferred[list[WebhookDelivery]]:
        return succeed([row for row in self.rows.values() if row.status is DeliveryStatus.DUE][:limit])

    def events(self, ids: Sequence[int]) -> Deferred[list[Told]]:
        return succeed([self.events_there[number - 1] for number in ids])

    def settle(self, settlement: Settlement, now: datetime) -> Deferred[list[WebhookDelivery] | None]:
        if self.broken:
            return fail(StoreError("locked"))
        added = []
        for row in settlement.deliveries:
            stored = row if row.id else evolve(row, id=len(self.rows) + 1)
            self.rows[stored.id] = stored
            if not row.id and row.status is DeliveryStatus.DUE:
                added.append(stored)
        self.webhook = evolve(
            self.webhook,
            position=max(self.webhook.position, settlement.position),
            failing_since=settlement.failing_since,
            reason=settlement.disabled,
        )
        return succeed(added)


@define(eq=False)
class Chance:
    """`dialer.interfaces.WebhookSender` whose answers come late; a share of them is bad."""

    clock: Clock
    rng: random.Random
    bad: float = 0.3
    slow: float = 2.0
    arrived: list[int] = field(factory=list)
    under_way: int = 0
    most: int = 0

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Deferred[ReceiverAnswer]:
        document = json.loads(body)
        ids = [int(one["id"].rpartition("_")[2]) for one in document.get("events", [document])]
        good = self.rng.random() >= self.bad
        if good:
            self.arrived += ids
        done: Deferred[ReceiverAnswer] = Deferred()
        self.under_way += 1
        self.most = max(self.most, self.under_way)

        def answer() -> None:
            self.under_way -= 1
            if not done.called:
                done.callback(ReceiverAnswer(status=200 if good else 500, milliseconds=10))

        self.clock.callLater(self.rng.random() * self.slow, answer)
        return done


@define(eq=False)
class Scene:
    events: int
    attempts: int
    batch_size: int = 1
    seed: int = 1
    clock: Clock = field(factory=Clock)
    store: Memory = field(init=False)
    sender: Chance = field(init=False)
    line: Line = field(init=False)

    def __attrs_post_init__(self) -> None:
        webhook = Webhook(
            id=1,
            user_id=1,
            url="https://a.example/",
            kinds="attempt.*",
            secret="whsec_" + "A" * 32,
            batch_size=self.batch_size,
        )
        self.store = Memory(webhook, [event(number, self.attempts) for number in range(1, self.events + 1)])
        self.sender = Chance(self.clock, random.Random(self.seed))
        self.begin()

    def begin(self) -> None:
        """A process begins, with what is stored."""
        means: Any = Means(
            clock=self.clock,
            now=lambda: NOON + timedelta(seconds=self.clock.seconds()),
            store=self.store,  # type: ignore[arg-type]
            sender=self.sender,
            rng=random.Random(self.seed),
            share=Share(1000),
        )
        self.line = Line(means, ServedWebhook(webhook=self.store.webhook, superuser=False))

    def step(self, seconds: float = 0.5) -> None:
        """A look, and some time."""
        failures: list[Any] = []

        async def look() -> None:
            await self.line.load()
            while self.line.wants_events:
                ahead, found = await self.store.read(self.line.place, BATCH)
                self.line.take(ahead, found)
                self.line.pump()
                if not found:
                    break
            self.line.pump()
            await self.line.store()

        Deferred.fromCoroutine(look()).addErrback(lambda failure: failures.append(failure.trap(StoreError)))
        self.clock.advance(seconds)

    def check(self) -> None:
        seen: dict[int, list[int]] = defaultdict(list)
        for number in dict.fromkeys(self.sender.arrived):
            seen[number % self.attempts].append(number)
        assert all(numbers == sorted(numbers) for numbers in seen.values())

    def finish(self) -> None:
        for _ in range(20_000):
            if len(set(self.sender.arrived)) == self.events and self.store.webhook.position == self.events:
                break
            self.step(60.0 if self.line.due else 0.5)
        assert set(self.sender.arrived) == set(range(1, self.events + 1))


@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("seed", range(8))
def test_every_event_arrives_in_order_whatever_chance_does(seed: int, batch_size: int) -> None:
    scene = Scene(events=200, attempts=40, batch_size=batch_size, seed=seed)
    scene.finish()
    scene.check()


@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("seed", range(8))
def test_a_process_that_dies_loses_nothing(seed: int, batch_size: int) -> None:
    scene = Scene(events=200, attempts=40, batch_size=batch_size, seed=seed)
    for _ in range(30):
        scene.step()
        if scene.sender.rng.random() < 0.3:
            scene.line.close()
            scene.begin()
    scene.finish()
    scene.check()


def test_a_database_that_does_not_serve_loses_nothing_and_stops_the_sending() -> None:
    scene = Scene(events=5000, attempts=5000)
    scene.sender.bad = 0.0
    scene.store.broken = True
    for _ in range(400):
        scene.step()
    assert scene.store.webhook.position == 0
    assert len(scene.sender.arrived) <= 2 * WINDOW + MOST_AT_ONCE
    scene.store.broken = False
    scene.finish()


def test_memory_holds_a_window_of_events_however_many_wait() -> None:
    scene = Scene(events=20_000, attempts=5)
    scene.sender.slow = 1000.0
    for _ in range(20):
        scene.step()
    assert WINDOW <= len(scene.line.pending) + scene.line.in_flight <= WINDOW + BATCH


def test_quick_answers_let_more_requests_be_made_at_once_and_bad_ones_fewer() -> None:
    scene = Scene(events=5000, attempts=5000)
    scene.sender.bad = 0.0
    scene.step()
    assert scene.sender.most == FIRST_AT_ONCE
    scene.finish()
    assert scene.sender.most == MOST_AT_ONCE
    scene = Scene(events=5000, attempts=5000)
    scene.sender.bad = 1.0
    for _ in range(200):
        scene.step()
    assert scene.sender.under_way <= 1
    assert scene.store.webhook.failing_since is not None
    assert len(scene.store.rows) < 20
