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
from standardwebhooks import Webhook as Signed
from twisted.internet.defer import Deferred

from dialer.errors import BadValue, LimitExceeded, NotFound
from dialer.hooks import line, receiver_health
from dialer.hooks.addresses import AddressRules
from dialer.hooks.http_client import WebhookClient
from dialer.hooks.webhooks import Webhooks
from dialer.management import Management, webhooks
from dialer.model import Account, EventKind, WebhookStatus
from dialer.store import events
from dialer.store.consumers import Consumers
from dialer.store.events import About
from dialer.store.webhooks import StoredWebhooks
from dialer.wall_clock import utc_now
from tests import receiver as answers
from tests.receiver import Receiver, in_order
from tests.unit.store.support import World, world

pytestmark = pytest.mark.usefixtures("database_kind")

ANN = Account(id=1, username="ann")
PATIENCE = 30.0
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
    monkeypatch.setattr(receiver_health, "FIRST_PROBE", SOON)
    monkeypatch.setattr(receiver_health, "LONGEST_PROBE", SOON)


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
        self.client = self.management.sender = WebhookClient(reactor, rules, timeout=self.timeout)
        self.service = self.new_service()

    def new_service(self, node: str = "here") -> Webhooks:
        from twisted.internet import reactor

        return Webhooks(
            clock=reactor,
            now=self.now,
            store=StoredWebhooks(self.w.database, node),
            sender=self.client,
            rng=random.Random(1),
            keep=timedelta(days=7),
            most=256,
        )

    def now(self) -> datetime:
        return utc_now() + self.ahead

    async def add(self, **given: Any) -> int:
        made = await self.management.ask(
            webhooks.add, ANN, {"url": self.receiver.url, "kinds": "*", **given}, self.management.receivers
        )
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
            "reference": None,
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
        await until(lambda: s.rows("SELECT count(*) FROM webhook_delivery WHERE status <> 'delivered'") == [0])


@pytest_twisted.ensureDeferred
async def test_what_waits_for_a_retry_holds_up_its_own_attempt_only(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(line, "pause_after", lambda *_: timedelta(hours=1))

    def one_fails(receiver: Receiver, request: Any) -> Any:
        return answers.status("500 No") if request.document["attempt_id"] == "call-1" else answers.good

    async with scene(tmp_path, answer=one_fails) as s:
        await s.add()
        await s.happen(4)
        s.service.start()
        await s.arrived(9)
        await until(lambda: s.rows("SELECT count(*) FROM webhook_delivery WHERE status = 'due'") == [3])
        assert len(s.receiver.requests) == 10
        await until(lambda: s.rows("SELECT position FROM webhook") == s.rows("SELECT max(id) FROM event"))
        s.receiver.answer = lambda *_: answers.good
        s.ahead = timedelta(hours=1)
        s.receiver.secret = ""
        await until(lambda: len(set(s.receiver.ids)) == 12)
        assert in_order(s.receiver.arrived)


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_is_away_costs_nothing_but_probes_and_gets_everything_when_it_is_back(tmp_path: Path) -> None:
    async with scene(tmp_path, answer=lambda *_: answers.reset) as s:
        await s.add()
        await s.happen(200)
        s.service.start()
        await until(lambda: len(s.receiver.requests) >= 12)
        (line_,) = s.service.lines.values()
        assert line_.is_broken
        assert line_.in_flight <= 1
        assert s.rows("SELECT count(*) FROM webhook_delivery")[0] < 30
        s.receiver.answer = lambda *_: answers.good
        await s.arrived(600)


@pytest_twisted.ensureDeferred
async def test_410_disables_at_once_and_its_owner_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path, answer=lambda *_: answers.status("410 Gone")) as s:
        other = Receiver().start()
        try:
            await s.add(kinds="attempt.*")
            made = await s.management.ask(
                webhooks.add, ANN, {"url": other.url, "kinds": "webhook.disabled"}, s.management.receivers
            )
            other.secret = made.secret
            await s.happen(1)
            s.service.start()
            await until(lambda: other.arrived)
            assert other.arrived[0]["type"] == "webhook.disabled"
            assert other.arrived[0]["data"]["webhook_id"] == 1
            assert len(s.receiver.requests) == 1
            [found, _] = await s.management.ask(webhooks.listed, ANN)
            assert found.status is WebhookStatus.DISABLED
            assert "410" in found.reason
            s.receiver.answer = lambda *_: answers.good
            await s.management.ask(webhooks.enable, ANN, 1)
            await s.arrived(3)
        finally:
            await other.stop()


@pytest_twisted.ensureDeferred
async def test_a_day_of_failures_disables_and_a_success_between_them_does_not(tmp_path: Path) -> None:
    async with scene(tmp_path, answer=lambda *_: answers.status("500 No")) as s:
        await s.add()
        await s.happen(1)
        s.service.start()
        await until(lambda: s.rows("SELECT count(*) FROM webhook WHERE failing_since IS NOT NULL") == [1])
        s.receiver.answer = lambda *_: answers.good
        await s.arrived(3)
        s.receiver.answer = lambda *_: answers.status("500 No")
        await s.happen(1, first=1)
        s.ahead = timedelta(hours=23)
        await until(lambda: len(s.receiver.requests) > 8)
        assert s.rows("SELECT status FROM webhook") == ["active"]
        s.ahead = timedelta(hours=49)
        await until(lambda: s.rows("SELECT status FROM webhook") == ["disabled"])
        assert "a day" in s.rows("SELECT reason FROM webhook")[0]


@pytest.mark.parametrize("text", ["3600", "date"])
@pytest_twisted.ensureDeferred
async def test_retry_after_is_obeyed(tmp_path: Path, text: str) -> None:
    when = text if text != "date" else f"{utc_now() + timedelta(hours=1):%a, %d %b %Y %H:%M:%S GMT}"
    async with scene(tmp_path, answer=lambda *_: answers.status("429 Slow", f"Retry-After: {when}")) as s:
        await s.add()
        await s.happen(1)
        s.service.start()
        await until(lambda: s.rows("SELECT count(*) FROM webhook_delivery WHERE next_try_at IS NOT NULL") == [1])
        s.receiver.answer = lambda *_: answers.good
        await s.happen(1, first=1)
        await sleep(0.5)
        assert len(s.receiver.requests) == 1
        s.ahead = timedelta(hours=1, seconds=5)
        await until(lambda: len(set(s.receiver.ids)) == 6)


@pytest_twisted.ensureDeferred
async def test_after_the_last_try_an_event_is_dead_visible_and_can_be_replayed(tmp_path: Path) -> None:
    def first_attempt_fails(receiver: Receiver, request: Any) -> Any:
        return answers.status("500 No") if request.document["sequence"] == 1 else answers.good

    async with scene(tmp_path, answer=first_attempt_fails) as s:
        await s.add()
        await s.happen(1)
        s.service.start()
        await until(lambda: s.rows("SELECT count(*) FROM webhook_delivery WHERE status = 'dead'") == [1])
        found = await s.management.ask(webhooks.deliveries, ANN, 1)
        (dead,) = (each for each in found if each.status == "dead")
        assert (dead.tries, dead.http_status, dead.error) == (10, 500, "the answer was 500")
        await s.arrived(2)
        s.receiver.answer = lambda *_: answers.good
        await s.management.ask(webhooks.replay, ANN, 1, dead.id)
        await until(lambda: len(set(s.receiver.ids)) == 3)


@pytest_twisted.ensureDeferred
async def test_a_time_is_replayed_with_the_same_ids(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.add(kinds="attempt.ended")
        begin = utc_now()
        await s.happen(40)
        end = utc_now()
        await s.happen(1, first=99)
        s.service.start()
        await s.arrived(41)
        found = await webhooks.replay_between(s.management, ANN, 1, begin, end)
        assert found == webhooks.Replayed(events=40)
        await until(lambda: len(s.receiver.ids) == 81)
        assert len(set(s.receiver.ids)) == 41
        with pytest.raises(BadValue, match="later"):
            await webhooks.replay_between(s.management, ANN, 1, end, begin)


@pytest_twisted.ensureDeferred
async def test_events_of_others_of_other_campaigns_and_of_other_kinds_are_not_told(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.w.seeds.user(username="eve")
        await s.add(kinds="attempt.ended", campaign_id=1)
        await s.happen(1)
        await s.happen(1, first=10, user_id=2)
        await s.w.database.run(
            lambda connection: events.add(connection, EventKind.ATTEMPT_ENDED, utc_now(), About(user_id=1, campaign_id=2), {})
        )
        s.service.start()
        await s.arrived(1)
        await until(lambda: s.rows("SELECT position FROM webhook") == s.rows("SELECT max(id) FROM event"))
        assert [event["type"] for event in s.receiver.arrived] == ["attempt.ended"]


@pytest_twisted.ensureDeferred
async def test_both_secrets_sign_while_one_is_rotated(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.add()
        old = s.receiver.secret
        made = await s.management.ask(webhooks.rotate, ANN, 1)
        assert made.secret != old
        await s.happen(1)
        s.service.start()
        await s.arrived(3)
        for request in s.receiver.requests:
            assert len(request.headers["webhook-signature"].split(" ")) == 2
            for secret in (old, made.secret):
                Signed(secret).verify(request.body, request.headers)


@pytest_twisted.ensureDeferred
async def test_one_node_serves_and_another_takes_over_where_it_was(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.add()
        there = s.new_service("there")
        s.service.start()
        await until(lambda: s.service.lines)
        there.start()
        await s.happen(5)
        await s.arrived(15)
        assert len(s.receiver.requests) == 15
        assert not there.lines
        await s.service.stop()
        s.rows("UPDATE event_consumer SET held_until = NULL")
        await s.happen(5, first=5)
        await s.arrived(30)
        assert len(s.receiver.requests) == 30
        await there.stop()


@pytest_twisted.ensureDeferred
async def test_a_stalled_receiver_does_not_hold_up_another_one(tmp_path: Path) -> None:
    async with scene(tmp_path, timeout=30.0, answer=lambda *_: answers.stalled) as s:
        await s.add()
        other = Receiver().start()
        made = await s.management.ask(webhooks.add, ANN, {"url": other.url, "kinds": "*"}, s.management.receivers)
        other.secret = made.secret
        await s.happen(300)
        s.service.start()
        await until(lambda: len(set(other.ids)) == 900)
        assert len(s.receiver.requests) <= 4
        (stalled, _) = s.service.lines.values()
        assert len(stalled.pending) <= line.WINDOW
        await other.stop()


@pytest_twisted.ensureDeferred
async def test_a_test_is_sent_at_once_and_tells_what_came_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.add()
        answer = await webhooks.test(s.management, ANN, 1)
        assert (answer.status, answer.is_success) == (200, True)
        assert s.receiver.arrived[0]["type"] == "webhook.test"
        assert not s.receiver.problems
        s.receiver.answer = lambda *_: answers.status("301 Moved", f"Location: {s.receiver.url}")
        answer = await webhooks.test(s.management, ANN, 1)
        assert (answer.status, answer.is_success) == (301, False)
        assert len(s.receiver.requests) == 2


@pytest_twisted.ensureDeferred
async def test_what_is_not_yours_does_not_exist(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.w.seeds.user(username="eve")
        eve = Account(id=2, username="eve")
        await s.add()
        assert await s.management.ask(webhooks.listed, eve) == []
        asked = [
            s.management.ask(webhooks.read, eve, 1),
            s.management.ask(webhooks.remove, eve, 1),
            s.management.ask(webhooks.enable, eve, 1),
            s.management.ask(webhooks.deliveries, eve, 1),
            s.management.ask(webhooks.replay, eve, 1, 1),
            s.management.ask(webhooks.change, eve, 1, {"kinds": "*"}, s.management.receivers),
            s.management.ask(webhooks.rotate, eve, 1),
            webhooks.test(s.management, eve, 1),
            webhooks.replay_between(s.management, eve, 1, utc_now(), utc_now() + timedelta(seconds=1)),
            s.management.ask(
                webhooks.add, eve, {"url": s.receiver.url, "kinds": "*", "campaign_id": 1}, s.management.receivers
            ),
        ]
        for each in asked:
            with pytest.raises(NotFound):
                await each
        await s.management.ask(webhooks.remove, ANN, 1)
        with pytest.raises(NotFound):
            await s.management.ask(webhooks.read, ANN, 1)


@pytest_twisted.ensureDeferred
async def test_a_user_has_so_many_webhooks_and_no_more(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        for _ in range(20):
            await s.add()
        with pytest.raises(LimitExceeded):
            await s.add()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"kinds": "nothing.*"}, "kinds"),
        ({"kinds": ""}, "kinds"),
        ({"batch_size": 101}, "batch_size"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"position": 0}, "position"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_a_webhook_is_refused_by_name(tmp_path: Path, given: dict[str, Any], field: str) -> None:
    async with scene(tmp_path) as s:
        with pytest.raises(BadValue) as caught:
            await s.add(**given)
        assert caught.value.field == field
        assert await s.management.ask(webhooks.listed, ANN) == []


@pytest_twisted.ensureDeferred
async def test_a_webhook_asks_for_its_kinds_and_holds_its_events_while_it_is_active(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        readers = Consumers(s.w.database, "here")
        assert (await readers.wanted(utc_now())).asked == frozenset()
        await s.add(kinds="attempt.ended contact.*")
        assert EventKind.CONTACT_FAILED in (await readers.wanted(utc_now())).asked
        s.rows("UPDATE user_account SET is_active = 0")
        assert (await readers.wanted(utc_now())).asked == frozenset()
        s.rows("UPDATE user_account SET is_active = 1")
        await s.happen(1)
        assert await readers.prune(utc_now() + timedelta(days=30), 10) == 0
        await s.management.ask(webhooks.remove, ANN, 1)
        assert (await readers.wanted(utc_now())).asked == frozenset()
        assert await readers.prune(utc_now() + timedelta(days=30), 10) == 3
        assert await s.service.store.prune(utc_now(), 10) == 0
