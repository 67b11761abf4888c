"""What a tick of the scheduler costs with many campaigns that call, beside few and beside millions of finished contacts.

`python -m bench.running [--campaigns N] [--frequency N] [--ticks N] [--finished N [N ...]]` prints, for each number of
finished contacts (with an ended attempt each, in the campaigns that call), the mean time of a tick, a tenth of a second after
the one before it, its CPU, and the ratio of the last to the first. The campaigns have their calls at different moments.
"""

from __future__ import annotations

import argparse
import logging
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import structlog
from twisted.internet import reactor, task

from bench.finished import add_finished
from bench.rules_tick import Moments, seed
from bench.tick import nothing
from dialer.calls.fleet import Fleet
from dialer.calls.flow_settings import FlowSettings
from dialer.calls.lifecycle import Lifecycle
from dialer.campaigns.scheduler import TICK, Scheduler
from dialer.rules.book import RuleBook, shipped_rows
from dialer.store.database import Database
from dialer.store.flow import Store
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from dialer.store.times import to_column
from tests.fakes.switch import MemorySwitch

DAY: Final = datetime(2026, 11, 23, 18, tzinfo=UTC)
CONTACTS: Final = 100
"""Of each campaign that are not finished: more than it calls meanwhile."""
WARM_UP: Final = 10
"""Ticks before those that are measured."""
LIMIT: Final = 0.020
"""Seconds of a tick, in the mean."""
RATIO: Final = 1.5


async def filled(path: Path, options: argparse.Namespace, finished: int) -> None:
    """The campaigns, each with some contacts that are ready, beside so many that are finished."""
    upgrade(sqlite_url(path))
    database = Database(sqlite_url(path), reactor, dialling=True)
    await database.start()
    try:
        await seed(database, DAY, options.campaigns, CONTACTS, options.frequency)
    finally:
        await database.stop()
    with closing(sqlite3.connect(path)) as connection, connection:
        for key in range(1, options.campaigns + 1):
            at = to_column(DAY + timedelta(minutes=key / options.campaigns / options.frequency))
            connection.execute("UPDATE campaign SET next_call_at = ? WHERE id = ?", (at, key))
    add_finished(path, finished, DAY, options.campaigns)


async def ticks_of(path: Path, options: argparse.Namespace) -> tuple[list[float], list[float], int]:
    """Seconds of each tick, its seconds of CPU, and how many calls were begun."""
    rules = RuleBook(shipped_rows())
    database = Database(sqlite_url(path), reactor, dialling=True)
    await database.start()
    try:
        moments, ids = Moments(DAY), count()
        store = Store(database, reactor, node="bench", rules=rules)
        await store.use_rules(rules)
        fleet = Fleet.of_one(MemorySwitch(free=1_000_000))
        settings = FlowSettings(installation="bench", outbound="127.0.0.1:8084")
        lifecycle = Lifecycle(
            clock=reactor, now=moments.now, store=store, fleet=fleet, settings=settings, application=nothing, rules=rules
        )
        scheduler = Scheduler(
            clock=reactor, now=moments.now, store=store, fleet=fleet, lifecycle=lifecycle,
            new_id=lambda: f"call-{next(ids)}",
        )  # fmt: skip
        times, used = [], []
        for tick in range(options.ticks + WARM_UP):
            began, cpu = time.perf_counter(), time.process_time()
            await scheduler.tick()
            if tick >= WARM_UP:
                times.append(time.perf_counter() - began)
                used.append(time.process_time() - cpu)
            moments.at += timedelta(seconds=TICK)
            await task.deferLater(reactor, 0.005)
        return times, used, len(lifecycle.register)
    finally:
        await database.stop()


async def measure(options: argparse.Namespace) -> None:
    """Each in a database of its own."""
    means = []
    for finished in options.finished:
        with tempfile.TemporaryDirectory(prefix="dialer-bench-", dir=options.directory) as folder:
            path = Path(folder) / "bench.db"
            began = time.perf_counter()
            await filled(path, options, finished)
            made, size = time.perf_counter() - began, path.stat().st_size / 1e9
            times, used, calls = await ticks_of(path, options)
        means.append(statistics.fmean(times))
        print(
            f"{options.campaigns} campaigns beside {finished:,} finished contacts: a tick {means[-1] * 1e3:.1f} ms in the "
            f"mean (limit {LIMIT * 1e3:.0f} ms), {statistics.fmean(used) * 1e3:.1f} ms of CPU, "
            f"{statistics.median(times) * 1e3:.1f} ms the median, {max(times) * 1e3:.1f} ms the longest; {calls} calls begun "
            f"in {len(times)} ticks (the file: {size:.1f} GB, made in {made:.0f} s)",
            flush=True,
        )
    print(f"ratio {means[-1] / means[0]:.2f} (limit {RATIO})")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.running", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=200, help="campaigns (default: %(default)s)")
    parser.add_argument("--frequency", type=int, default=20, help="calls per minute of each (default: %(default)s)")
    parser.add_argument("--ticks", type=int, default=300, help="ticks that are measured (default: %(default)s)")
    parser.add_argument(
        "--finished", type=int, nargs="+", default=[1000, 5_000_000], help="finished contacts (default: 1000 5000000)"
    )
    parser.add_argument("--directory", type=Path, default=None, help="where the files are made; default: a temporary one")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    task.react(lambda _reactor: measure(options))


if __name__ == "__main__":
    sys.exit(main())
