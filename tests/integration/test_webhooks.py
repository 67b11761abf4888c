"""Webhooks on both databases, with receivers that fail in all the ways there are: every event arrives, at least once, in the
order of its attempt."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet.defer import Deferred

from dialer.hooks import line
from dialer.hooks.addresses import AddressRules
from dialer.hooks.http_client import WebhookClient
from dialer.hooks.webhooks import Webhooks
from dialer.management import Management, webhooks
from dialer.model import Account, DeliveryStatus, EventKind, WebhookStatus
from dialer.store import events
from dialer.store.events import About
from dialer.store.webhooks import Webhooks as StoredWebhooks
from dialer.wall_clock import utc_now
from tests import receiver as answers
from tests.receiver import Receiver, in_order
from tests.unit.store.support import World, world

pytestmark = pytest.mark.usefixtures("database_kind")

ANN = Account(id=1, username="ann")
PATIENCE = 60.0
"""Seconds."""
SOON = timedelta(seconds=0.1)


def sleep(seconds: float) -> Deferred[None]:
    from twisted.internet import reactor

    done: Deferred[None] = Deferred()
    reactor.callLater(seconds, done.callback, None)
    return done


async def until(condition: Callable[[], Any]) -> None:
    last = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < last, "it does not happen"
        await sleep(0.02)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other closely."""
    monkeypatch.setattr(line, "pause_after", lambda tries, _: SOON if tries < 10 else None)
    monkeypatch.setattr(line, "FIRST_PROBE", SOON)
    monkeypatch.setattr(line, "LONGEST_PROBE", SOON)


@define(eq=False)
class Scene:
    """A database, the service on it, and one receiver. `ahead` is added to the time of day."""

    w: World
    receiver: Receiver
    timeout: float = 1.0
    ahead: timedelta = timedelta()
    client: WebhookClient = field(init=False)
    service: Webhooks = field(init=False)
    management: Management = field(init=False)

    def __attrs_post_init__(self) -> None:
        from twisted.internet import reactor

        rules = AddressRules((ip_network("127.0.0.0/8"),))
        self.management = Management(self.w.database, utc_now, receivers=rules)
        self.client = WebhookClient(reactor, rules, timeout=self.timeout)
        self.service = self.new_service()

    def new_service(self, node: str = "here") -> Webhooks:
        from twisted.internet import reactor

        return Webhooks(
            clock=reactor,
            now=self.now,
            store=StoredWebhooks(self.w.database, node),
            sender=self.client,
            rng=random.Random(1),
            installation=lambda: self.w.database.installation_id,
            keep=timedelta(days=7),
            most=256,
        )

    def now(self) -> datetime:
        return utc_now() + self.ahead

    async def add(self, **given: Any) -> int:
        made = await webhooks.add(self.management, ANN, {"url": self.receiver.url, "kinds": "*", **given})
        if not self.receiver.secret:
            self.receiver.secret = made.secret
        return made.webhook.id

    async def happen(self, attempts: int, each: int = 3, first: int = 0, user_id: int = 1) -> None:
        """Events of attempts, those of one attempt with those of others between them."""
        kinds = (EventKind.ATTEMPT_STARTED, EventKind.ATTEMPT_RINGING, EventKind.ATTEMPT_ENDED)

        def add(connection: Any) -> None:
            for place in range(each):
                for number in range(first, first + attempts):
                    about = About(user_id=user_id, campaign_id=1, call_uuid=f"call-{number}")
                    events.add(connection, kinds[place % 3], utc_now(), about, {"place": place})

        await self.w.database.run(add)

    def rows(self, statement: str, *values: object) -> list[Any]:
        return self.w.sql(statement, *values)

    async def arrived(self, count: int) -> None:
        """That many different events."""
        await until(lambda: len(set(self.receiver.ids)) >= count)
        assert len(set(self.receiver.ids)) == count
        assert in_order(self.receiver.arrived)
        assert not self.receiver.problems


@asynccontextmanager
async def scene(folder: Path, *, timeout: float = 1.0, answer: Any = None) -> AsyncIterator[Scene]:
    receiver = Receiver().start()
    if answer is not None:
        receiver.answer = answer
    async with world(folder) as w:
        here = Scene(w, receiver, timeout)
        try:
            yield here
        finally:
            await here.service.stop()
            await here.client.close()
            await receiver.stop()


@pytest_twisted.ensureDeferred
async def test_events_arrive_signed_and_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.add()
        s.service.start()
        await s.happen(5)
        await s.arrived(15)
        assert len(s.receiver.requests) == 15
        request = s.receiver.requests[0]
        document = request.document
        assert request.headers["webhook-id"] == document["id"]
        assert document == {
            "id": document["id"],
            "type": "attempt.started",
            "version": 1,
            "timestamp": document["timestamp"],
            "sequence": 1,
            "campaign_id": 1,
            "contact_id": None,
            "attempt_id": "call-0",
            "reference": "",
            "data": {"place": 0},
        }
        await until(lambda: s.rows("SELECT count(*) FROM webhook_delivery WHERE status = 'delivered'") == [15])
        assert s.rows("SELECT position FROM webhook") == s.rows("SELECT max(id) FROM event")


@pytest_twisted.ensureDeferred
async def test_batches_hold_several_events_in_order(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.add(batch_size=10)
        await s.happen(20)
        s.service.start()
        await s.arrived(60)
        assert len(s.receiver.requests) < 30
        assert all(request.document["type"] == "batch" for request in s.receiver.requests)


def mixed(receiver: Receiver, request: Any) -> Any:
    """Each event meets another calamity at its first try, and arrives at the second one, mostly without being told so."""
    calamities = [
        answers.status("500 No"),
        answers.status("302 Found", "Location: http://127.0.0.1:1/"),
        answers.reset,
        answers.garbage,
        answers.stalled,
        answers.endless_headers,
        answers.status("404 No"),
        answers.status("100 Continue"),
    ]
    kinds = [answers.good, answers.endless, answers.lies_about_length, answers.cuts_the_body, answers.bomb]
    number = int(request.events[0]["id"].rpartition("_")[2])
    if receiver.tries[request.headers["webhook-id"]] == 1 and number % 3 == 0:
        return calamities[number // 3 % len(calamities)]
    return kinds[number % len(kinds)]


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest_twisted.ensureDeferred
async def test_whatever_a_receiver_does_every_event_arrives_in_order(tmp_path: Path, batch_size: int) -> None:
    async with scene(tmp_path, timeout=0.5, answer=mixed) as s:
        await s.add(batch_size=batch_size)
        await s.happen(10)
        s.service.start()
        await s.arrived(30)
        assert s.receiver.requests[0].path == "/hook?key=1"
        assert s.receiver.poured < 8_000_000
        assert s.rows("SELECT count(*) FROM webhook_delivery WHERE status = 'dead'") == [0]
