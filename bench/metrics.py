"""What a scrape of the metrics costs beside many campaigns.

`python -m bench.metrics [--campaigns N] [--scrapes N]` runs the dialer in this process on the simulator and asks for its
metrics again and again, nothing of it kept from the scrape before: without campaigns, then with N that are started and have
contacts that wait for their time. It prints how long a scrape takes, and by how much the reactor was late meanwhile.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import treq
from attrs import frozen
from twisted.internet import reactor, task

from bench.gauges import LagGauge, percentile
from bench.tick import copy_campaign, seed
from dialer.cli.run import API
from dialer.config import parse_config
from dialer.host import Host
from dialer.management.idleness import idleness
from dialer.monitoring.scrape import Scraper
from dialer.store.connection import Connection
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade

LIMIT = 0.02
"""Seconds."""

PAUSE = 0.05
"""Seconds between two scrapes."""


def copy_contacts(connection: Connection) -> None:
    """Twenty contacts for each campaign, due tomorrow."""
    connection.execute("UPDATE subscriber SET ready_at = '2100-01-01 00:00:00.000000'")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(subscriber)") if row[1] not in ("id", "campaign_id")]
    named = ", ".join(columns)
    connection.execute(
        f"INSERT INTO subscriber (campaign_id, {named}) SELECT c.id, {', '.join(f's.{name}' for name in columns)} "
        "FROM campaign c JOIN subscriber s ON s.campaign_id = 1 WHERE c.id > 1 AND s.id <= 20"
    )


@frozen(eq=False)
class Found:
    """Seconds of each scrape, the reactor's lags meanwhile, CPU seconds of the whole process, and the bytes of the last."""

    times: list[float]
    lags: list[float]
    cpu: float
    size: int


async def scrapes(host: Host, number: int) -> Found:
    """One after the other."""
    gauge = LagGauge(reactor)
    gauge.start()
    cpu = time.process_time()
    times, size = [], 0
    for _ in range(number):
        began = time.perf_counter()
        answer = await treq.get(f"http://{host.watched.address}/metrics")
        size = len(await answer.content())
        times.append(time.perf_counter() - began)
        await task.deferLater(reactor, PAUSE)
    gauge.stop()
    return Found(times, gauge.lags, time.process_time() - cpu, size)


async def quiet(seconds: float) -> Found:
    """As long a time without scrapes."""
    gauge = LagGauge(reactor)
    gauge.start()
    cpu = time.process_time()
    await task.deferLater(reactor, seconds)
    gauge.stop()
    return Found([], gauge.lags, time.process_time() - cpu, 0)


async def measure(folder: Path, campaigns: int, number: int) -> None:
    """Both, in one dialer."""
    upgrade(sqlite_url(folder / "bench.db"))
    listening = {"endpoint": "tcp:0:interface=127.0.0.1"}
    settings = {"database": {"url": "sqlite:///bench.db"}, "simulator": {}}
    host = Host(reactor, parse_config({**settings, **dict.fromkeys(("http", "outbound", "metrics"), listening)}), folder, API)
    await host.start()
    try:
        host.scraper = Scraper(reactor, host.scraper.figures, host.scraper.idleness, fresh=0.0, fresh_idleness=0.0)
        alone = await scrapes(host, number)
        await seed(host.service.database)
        await host.service.database.run(lambda connection: copy_campaign(connection, campaigns - 1))
        await host.service.database.run(copy_contacts)
        await task.deferLater(reactor, 1.0)
        beside = await scrapes(host, number)
        before = await quiet(sum(beside.times) + number * PAUSE)
        found = await idleness(host.management)
    finally:
        await host.stop()
    median = {each: statistics.median(each.times) * 1e3 for each in (alone, beside)}
    cpu = (beside.cpu - before.cpu) / number * 1e3
    print(f"a scrape without campaigns            {median[alone]:8.2f} ms")
    print(f"a scrape with {campaigns} started ones         {median[beside]:8.2f} ms (limit {LIMIT * 1e3:.0f} ms)")
    print(f"    95 of 100 within                  {percentile(beside.times, 0.95) * 1e3:8.2f} ms; {beside.size:,} bytes")
    print(f"    CPU of it, client and all threads {cpu:8.2f} ms")
    print(f"    campaigns in it                   {sum(found.idle.values())} idle, {found.calling} calling")
    for words, each in (("without scrapes", before), ("with them", beside)):
        late = percentile(each.lags, 0.99) * 1e3
        print(f"reactor lag {words:<26}{late:8.2f} ms (99 of 100), most {max(each.lags) * 1e3:.2f} ms")
    print(f"ratio                                 {median[beside] / median[alone]:8.2f}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.metrics", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=200, help="started campaigns (default: %(default)s)")
    parser.add_argument("--scrapes", type=int, default=100, help="scrapes that are measured (default: %(default)s)")
    options = parser.parse_args()
    task.react(lambda _reactor: _measured(options.campaigns, options.scrapes))


async def _measured(campaigns: int, number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await measure(Path(folder), campaigns, number)


if __name__ == "__main__":
    sys.exit(main())
