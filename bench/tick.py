"""What a tick of the scheduler costs beside campaigns that have nobody to call.

`python -m bench.tick [--campaigns N] [--ticks N]` prints the time of a tick with one campaign that has somebody to call,
that of one beside N more, started and empty, and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from twisted.internet import reactor, task

from dialer.calls.fleet import Fleet
from dialer.calls.flow_settings import FlowSettings
from dialer.calls.lifecycle import Lifecycle
from dialer.campaigns.scheduler import Scheduler
from dialer.interfaces import AnsweredCall
from dialer.management import Management, campaigns, gateways, users
from dialer.management.contacts import import_contacts
from dialer.model import Account, Attempt, Contact, VoipAppType
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.flow import Store
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.fakes.switch import MemorySwitch

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LIMIT = 0.005
"""Seconds."""


async def seed(database: Database) -> None:
    """A campaign with contacts."""
    management = Management(database, lambda: NOW)
    who = Account(id=await management.ask(users.create, {"username": "bench", "is_superuser": True}), username="bench")
    await management.ask(gateways.create, {"name": "bench", "protocol": "LOCAL"})
    await management.ask(gateways.create_application, {"name": "bench", "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"})
    await management.ask(campaigns.create, who, {"name": "bench", "gateway_id": 1, "voip_app_id": 1}, granting=True)
    await import_contacts(management, 1, (Contact(number=str(100_000_000 + n)) for n in range(1000)))


def copy_campaign(connection: Connection, copies: int) -> None:
    """Started campaigns as the first one, without contacts."""
    columns = [row[1] for row in connection.execute("PRAGMA table_info(campaign)") if row[1] not in ("id", "name")]
    named = ", ".join(columns)
    connection.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) "
        f"INSERT INTO campaign (name, {named}) SELECT 'empty ' || n, {named} FROM campaign, numbers WHERE id = 1",
        (copies,),
    )


async def nothing(call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
    """A voice application."""
    return {}


async def tick_time(scheduler: Scheduler, ticks: int) -> float:
    """Seconds of a tick, the median."""
    times = []
    for _ in range(ticks):
        began = time.perf_counter()
        await scheduler.tick()
        times.append(time.perf_counter() - began)
        await task.deferLater(reactor, 0.01)
    return statistics.median(times)


async def measure(directory: Path, number: int, ticks: int) -> None:
    """Both, in one database."""
    url = sqlite_url(directory / "bench.db")
    upgrade(url)
    database = Database(url, reactor, dialling=True)
    await database.start()
    try:
        await seed(database)
        store, ids = Store(database, reactor, node="bench"), count()
        settings = FlowSettings(installation="bench", outbound="127.0.0.1:8084")
        fleet = Fleet.of_one(MemorySwitch(free=0))
        lifecycle = Lifecycle(clock=reactor, now=lambda: NOW, store=store, fleet=fleet, settings=settings, application=nothing)
        scheduler = Scheduler(
            clock=reactor,
            now=lambda: NOW,
            store=store,
            fleet=fleet,
            lifecycle=lifecycle,
            new_id=lambda: f"call-{next(ids)}",
        )
        alone = await tick_time(scheduler, ticks)
        await database.run(lambda connection: copy_campaign(connection, number))
        beside = await tick_time(scheduler, ticks)
    finally:
        await database.stop()
    print(f"a tick with one campaign         {alone * 1e3:8.2f} ms")
    print(f"beside {number} empty ones          {beside * 1e3:8.2f} ms (limit {LIMIT * 1e3:.0f} ms)")
    print(f"ratio                            {beside / alone:8.2f}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.tick", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=3000, help="empty campaigns (default: %(default)s)")
    parser.add_argument("--ticks", type=int, default=100, help="ticks that are measured (default: %(default)s)")
    options = parser.parse_args()

    task.react(lambda _reactor: _measured(options.campaigns, options.ticks))


async def _measured(number: int, ticks: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await measure(Path(folder), number, ticks)


if __name__ == "__main__":
    sys.exit(main())
