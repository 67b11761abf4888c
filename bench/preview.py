"""The preview of a campaign: how long it takes, and what it does to those who want the reactor or the database meanwhile.

`python -m bench.preview [CONTACTS] [--frequency N]` prints, for an hour and for a day ahead with the shipped calling rules,
the time of a preview; how late the reactor was, and how long a transaction of the flow took, before it and meanwhile.
"""

from __future__ import annotations

import argparse
import logging
import resource
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from twisted.internet import reactor, task

from bench.gauges import LagGauge, percentile
from dialer.management import Management, previews
from dialer.model.preview import ProspectGroup
from dialer.model.user import ADMINISTRATOR
from dialer.rules.book import RuleBook, shipped_rows
from dialer.store.database import Database
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.seeding import SEED

NOW: Final = datetime(2026, 11, 23, 18, tzinfo=UTC)
"""13 o'clock in New York, 8 in Honolulu, a Monday."""
AREA_CODES: Final = "212213312303305415617702808907850206"
LIMIT: Final = 10.0
"""Seconds, of a million."""
PROBE_EVERY: Final = 0.02
QUIET: Final = 3.0
"""Seconds that are measured without a preview."""

_CONTACTS: Final = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at,
    updated_at, identity) SELECT i, 1, :number, '', '', '', '', '{}', :now, :now, :number FROM n;
"""


def fill(path: Path, contacts: int, frequency: int) -> None:
    """One started campaign with contacts all over the United States, one in a thousand on the do-not-call list."""
    upgrade(sqlite_url(path))
    number = f"'1' || substr('{AREA_CODES}', 1 + 3 * (i % {len(AREA_CODES) // 3}), 3) || (2000000 + i)"
    now = f"'{NOW - timedelta(hours=1):%Y-%m-%d %H:%M:%S}.000000'"
    statement = _CONTACTS.replace(":count", str(contacts)).replace(":number", number).replace(":now", now)
    with sqlite3.connect(path) as connection:
        connection.executescript(f"{SEED}DELETE FROM attempt; DELETE FROM subscriber; DELETE FROM contact;{statement}")
        connection.execute(
            "INSERT INTO subscriber (id, campaign_id, contact_id, number, status, ready_at, count_attempt, free_retries, "
            f"identity) SELECT id, 1, id, number, 1, {now}, id % 10 = 0, 0, identity FROM contact"
        )
        connection.execute(
            f"INSERT INTO do_not_call (list_id, number, identity, reason, created_at) SELECT 1, number, identity, '', {now} "
            "FROM contact WHERE id % 1000 = 0"
        )
        dates = (NOW - timedelta(days=1), NOW + timedelta(days=30))
        shown = [f"{at:%Y-%m-%d %H:%M:%S}.000000" for at in dates]
        connection.execute("UPDATE campaign SET frequency = ?, starting_at = ?, expires_at = ?", (frequency, *shown))
    connection.close()


class Probe:
    """Asks for a transaction every few milliseconds, as the flow does, and notes how long each takes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.waits: list[float] = []
        self._loop = task.LoopingCall(self._ask)

    def start(self) -> None:
        """Begin anew."""
        self.waits = []
        self._loop.start(PROBE_EVERY)

    def stop(self) -> None:
        """Ask no more."""
        self._loop.stop()

    def _ask(self) -> Any:
        began = time.perf_counter()
        done = self.database.run(lambda connection: connection.execute("UPDATE gateway SET updated_at = updated_at"))
        return done.addCallback(lambda _: self.waits.append(time.perf_counter() - began))


def told(name: str, gauge: LagGauge, probe: Probe) -> str:
    """The middle, the 99th of a hundred, and the longest, in milliseconds."""
    return "; ".join(
        f"{what} {percentile(some, 0.5) * 1e3:.1f} / {percentile(some, 0.99) * 1e3:.1f} / {max(some, default=0) * 1e3:.1f} ms"
        for what, some in ((f"{name}: reactor late by", gauge.lags), ("a transaction", probe.waits))
    )


async def measure(options: argparse.Namespace, path: Path) -> None:
    """Both horizons."""
    database = Database(sqlite_url(path), reactor, dialling=True)
    await database.start()
    gauge, probe = LagGauge(reactor), Probe(database)
    management = Management(database, lambda: NOW, None, reactor, rules=RuleBook(shipped_rows()))
    try:
        for name, horizon in (("quiet", None), ("an hour", timedelta(hours=1)), ("a day", timedelta(days=1))):
            gauge.start()
            probe.start()
            began, cpu = time.perf_counter(), time.process_time()
            if horizon is None:
                await task.deferLater(reactor, QUIET)
                found = None
            else:
                found = await previews.preview(management, ADMINISTRATOR, 1, horizon)
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
            gauge.stop()
            probe.stop()
            if found is not None:
                groups = ", ".join(f"{found.in_group(group)} {group}" for group in ProspectGroup)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(f"{name}: {seconds:.1f} s, {cpu:.1f} s of CPU, {peak:.0f} MB at most: {groups}")
            print(told(name, gauge, probe), flush=True)
            await task.deferLater(reactor, 0.1)
    finally:
        await database.stop()
    print(f"limit: {LIMIT:.0f} s for a million contacts")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.preview", description=__doc__)
    parser.add_argument("contacts", type=int, nargs="?", default=1_000_000, help="contacts (default: %(default)s)")
    parser.add_argument("--frequency", type=int, default=600, help="calls per minute (default: %(default)s)")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        path = Path(folder) / "dialer.db"
        fill(path, options.contacts, options.frequency)
        task.react(lambda _reactor: measure(options, path))


if __name__ == "__main__":
    sys.exit(main())
