"""`dialer run` is killed while it tells a webhook what happens: no event is lost, and those of each attempt stay in order."""

from __future__ import annotations

import os
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from dialer.hooks.addresses import AddressRules
from dialer.management import Management, users, webhooks
from dialer.model import Contact
from dialer.store.database import Database
from dialer.wall_clock import utc_now
from tests import receiver as answers
from tests.grounds import new_database, rows
from tests.harness.campaign import CampaignRules, seed
from tests.harness.node import Node
from tests.integration.test_webhooks import sleep
from tests.receiver import Receiver, in_order
from tests.seeding import Seeds

KILLS = int(os.environ.get("DIALER_TEST_KILLS", "3"))
"""By hand, more: the campaign grows with them."""
CONTACTS = 40
"""For each life."""
RULES = CampaignRules(frequency=1200, max_retry=0, interval=1, call_timeout=20, max_duration=60)
PATIENCE = 60.0
"""Seconds."""

pytestmark = [pytest.mark.usefixtures("database_kind"), pytest.mark.timeout(120 + 30 * KILLS)]


async def until(condition: Any, node: Node) -> None:
    last = time.monotonic() + PATIENCE
    while not condition():
        assert not node.died_by_itself(), node.last_words()
        assert time.monotonic() < last, node.last_words()
        await sleep(0.05)


async def furnish(url: str, receiver: Receiver) -> None:
    from twisted.internet import reactor

    database = Database(url, reactor)
    await database.start()
    seeded = await seed(database, RULES, utc_now())
    contacts = [Contact(number=str(5_550_000 + number)) for number in range(CONTACTS * (KILLS + 1))]
    await Seeds(database, utc_now()).add(seeded.phonebook_id, contacts)
    management = Management(database, utc_now, receivers=AddressRules((ip_network("127.0.0.0/8"),)))
    admin = await management.ask(users.account, "admin")
    made = await management.ask(
        webhooks.add, admin, {"url": receiver.url, "kinds": "attempt.* contact.*"}, management.receivers
    )
    receiver.secret = made.secret
    await database.stop()


def sometimes_bad(receiver: Receiver, request: Any) -> Any:
    """Some requests fail at first, and some are never answered, so that there always are some under way."""
    number = int(request.events[0]["id"].rpartition("_")[2])
    if receiver.tries[request.headers["webhook-id"]] == 1:
        if number % 29 == 0:
            return answers.status("503 Later")
        if number % 31 == 0:
            return answers.reset
    return answers.good


@pytest_twisted.ensureDeferred
async def test_no_event_is_lost_when_the_dialer_is_killed(tmp_path: Path) -> None:
    url = new_database(tmp_path)
    receiver = Receiver().start()
    receiver.answer = sometimes_bad
    await furnish(url, receiver)
    node = Node.create(
        "one",
        tmp_path,
        {
            "database": {"url": url},
            "http": {"endpoint": "tcp:0:interface=127.0.0.1"},
            "simulator": {"callees": ["*=answers:ring=0.2,talk=0.3"], "calls_per_second": 100.0},
            "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"},
            "webhooks": {"allow": ["127.0.0.0/8"]},
            "recovery": {"grace": 2.0, "originate_window": 2.0},
        },
    )
    try:
        for _ in range(KILLS):
            node.start()
            before = len(receiver.requests)
            await until(lambda start=before: len(receiver.requests) > start + CONTACTS * 2, node)
            node.kill()
        node.start()
        before = len(receiver.requests)
        await until(lambda: len(receiver.requests) > before + CONTACTS, node)
        rows(url, "UPDATE campaign SET status = 2")
        await until(lambda: rows(url, "SELECT count(*) FROM attempt WHERE ended_at IS NULL") == [(0,)], node)
        await until(lambda: rows(url, "SELECT position FROM webhook") == rows(url, "SELECT max(id) FROM event"), node)
        await until(lambda: rows(url, "SELECT count(*) FROM webhook_delivery WHERE status = 'due'") == [(0,)], node)
        happened = {number for (number,) in rows(url, "SELECT id FROM event")}
        told = {int(id_.rpartition("_")[2]) for id_ in receiver.ids}
        assert happened - told == set()
        assert told - happened == set()
        assert in_order(receiver.arrived)
        assert not receiver.problems
        assert len(happened) > CONTACTS * KILLS
    finally:
        if node.died_by_itself():
            node.buried()
        elif node.alive:
            node.kill()
        await receiver.stop()
