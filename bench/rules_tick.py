"""What the calling rules cost a tick of the scheduler with many campaigns that have somebody to call.

`python -m bench.rules_tick [--campaigns N] [--contacts N] [--ticks N]` prints, without rules and with the shipped ones, the
CPU time of a tick, a second after the one before it: while the hours of all contacts are open, and while none are, where
the first ticks set the contacts aside.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import structlog
from attrs import define
from twisted.internet import reactor, task

from bench.tick import nothing
from dialer.calls.fleet import Fleet
from dialer.calls.flow_settings import FlowSettings
from dialer.calls.lifecycle import Lifecycle
from dialer.campaigns.scheduler import Scheduler
from dialer.management import Management, campaigns, gateways, users
from dialer.management.contacts import import_contacts
from dialer.model import Account, Contact, VoipAppType
from dialer.rules.book import NO_RULES, RuleBook, shipped_rows
from dialer.store.database import Database
from dialer.store.flow import Store
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.fakes.switch import MemorySwitch

DAY = datetime(2026, 11, 23, 18, tzinfo=UTC)
"""13 o'clock in New York, 10 in Los Angeles, a Monday."""
NIGHT = datetime(2026, 11, 23, 10, tzinfo=UTC)
AREA_CODES = ("212", "213", "312", "303")
LIMIT = 1.5
"""Of the CPU of a tick without rules, while the hours are open."""


@define
class Moments:
    """A clock that is put forward."""

    at: datetime

    def now(self) -> datetime:
        """This moment."""
        return self.at


async def seed(database: Database, began: datetime, number: int, contacts: int, frequency: int = 60) -> None:
    """Started campaigns, each with contacts of its own."""
    management = Management(database, lambda: began)
    who = Account(id=await management.ask(users.create, {"username": "bench", "is_superuser": True}), username="bench")
    await management.ask(gateways.create, {"name": "bench", "protocol": "LOCAL"})
    await management.ask(gateways.create_application, {"name": "bench", "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"})
    for index in range(number):
        given = {"name": f"bench {index}", "gateway_id": 1, "voip_app_id": 1, "frequency": frequency}
        details = await management.ask(campaigns.create, who, given, granting=True)
        numbers = range(index * contacts, (index + 1) * contacts)
        rows = (Contact(number=f"1{AREA_CODES[each % len(AREA_CODES)]}{2_000_000 + each}") for each in numbers)
        await import_contacts(management, details.phonebooks[0].id, rows)


async def ticks_of(folder: Path, rules: RuleBook, began: datetime, options: argparse.Namespace) -> tuple[list[float], int]:
    """Seconds of CPU, of all threads, of each tick, and how many calls were begun."""
    url = sqlite_url(folder / "bench.db")
    upgrade(url)
    database = Database(url, reactor, dialling=True)
    await database.start()
    try:
        await seed(database, began, options.campaigns, options.contacts)
        moments, ids, times = Moments(began), count(), []
        store, switch = Store(database, reactor, node="bench", rules=rules), MemorySwitch(free=1_000_000)
        settings = FlowSettings(installation="bench", outbound="127.0.0.1:8084")
        fleet = Fleet.of_one(switch)
        lifecycle = Lifecycle(
            clock=reactor, now=moments.now, store=store, fleet=fleet, settings=settings, application=nothing, rules=rules
        )
        scheduler = Scheduler(
            clock=reactor, now=moments.now, store=store, fleet=fleet, lifecycle=lifecycle,
            new_id=lambda: f"call-{next(ids)}",
        )  # fmt: skip
        for _ in range(options.ticks):
            start = time.process_time()
            await scheduler.tick()
            times.append(time.process_time() - start)
            moments.at += timedelta(seconds=1)
            await task.deferLater(reactor, 0.01)
        return times, len(lifecycle.register)
    finally:
        await database.stop()


async def measure(options: argparse.Namespace) -> None:
    """Each case in a database of its own."""
    book = RuleBook(shipped_rows())
    cases = (("without rules", NO_RULES, DAY), ("all open", book, DAY), ("none open", book, NIGHT))
    middle: dict[str, float] = {}
    for name, rules, began in cases:
        with tempfile.TemporaryDirectory() as folder:
            times, calls = await ticks_of(Path(folder), rules, began, options)
        middle[name] = statistics.median(times)
        print(
            f"{name:14} a tick {middle[name] * 1e3:8.2f} ms; the first {times[0] * 1e3:8.2f} ms, "
            f"the longest {max(times) * 1e3:8.2f} ms; {calls} calls begun"
        )
    print(f"ratio, all open {middle['all open'] / middle['without rules']:.2f} (limit {LIMIT})")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.rules_tick", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=200, help="campaigns (default: %(default)s)")
    parser.add_argument("--contacts", type=int, default=100, help="contacts of each (default: %(default)s)")
    parser.add_argument("--ticks", type=int, default=30, help="ticks that are measured (default: %(default)s)")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    task.react(lambda _reactor: measure(options))


if __name__ == "__main__":
    sys.exit(main())
