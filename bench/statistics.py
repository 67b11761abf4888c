"""The cost of statistics: read beside a thousand and beside a million finished attempts, made by an upgrade, kept with ends.

`python -m bench.statistics [ATTEMPTS] [--rounds N] [--ends N]` on SQLite. Both campaigns have the same hours and kinds of
ends, so the reading of one is compared with that of the other; an end is written with and without the triggers, in turn.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.store import end
from dialer.cli.blocking import with_database
from dialer.management import Management
from dialer.management.statistics import of_campaign
from dialer.model import Attempt, Candidate, Gateway, Plan
from dialer.model.user import ADMINISTRATOR
from dialer.store.begin import Beginning, begin
from dialer.store.database import Database
from dialer.store.finish import finish
from dialer.store.location import opened, sqlite_url
from dialer.store.schema import upgrade, upgrades
from tests.unit.builders import campaign

FEW = 1000
BATCH = 15
READINGS = 20
BEFORE = 13
"""The last step without statistics."""
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
T = "2026-11-23 10:00:00.000000"

SEED = f"""
INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at)
    VALUES (1, 'ann', '', 0, 1, '{T}');
INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status,
    created_at, updated_at) VALUES (1, 'g', '', 'SIP', 'h', '', '', '', '', 1, '{T}', '{T}');
INSERT INTO voip_app (id, name, description, type, data, created_at, updated_at) VALUES (1, 'v', '', 1, '', '{T}', '{T}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) VALUES (1, 1, 'c', '', 1, '{T}', '2036-12-23 10:00:00.000000', 60, 3, 1, 1, '{T}',
    '{T}');
INSERT INTO phonebook (id, user_id, name, description, created_at) VALUES (1, 1, 'p', '', '{T}');
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at,
    updated_at, identity) SELECT i, 1, CAST(i AS TEXT), '', '', '', '', '{{}}', '{T}', '{T}', CAST(i AS TEXT) FROM n;
INSERT INTO subscriber (id, campaign_id, contact_id, number, status, ready_at, count_attempt, free_retries, identity)
    SELECT id, 1, id, number, 1, '{T}', 0, 0, identity FROM contact;
"""

CALLED = f"""
INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state, owner,
    epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, counts_as_attempt, duration_ms, talk_ms,
    identity) SELECT 'call-' || id, 1, id, 1, number, 'x', 1 + id / 144 % 3, 'ended', 'here', 1, '',
    '2026-11-22 ' || substr('0' || (id % 24), -2) || ':30:00.000000', '{T}', '{T}', '{T}', 'CAUSE_' || (id / 24 % 6), 'BUSY',
    1, 9, 5, number FROM subscriber;
"""
"""An attempt of each contact: 432 kinds of them, by hour, cause and number."""


def furnished(path: Path, count: int, *, called: bool) -> str:
    """A database of the schema before, with so many contacts; its URL."""
    url = sqlite_url(path)
    upgrade(url, upgrades()[:BEFORE])
    with opened(url) as connection:
        connection.executescript(f"BEGIN; {SEED.replace(':count', str(count))} {CALLED if called else ''} COMMIT;")
    return url


def upgraded(url: str) -> tuple[float, float]:
    """Seconds of an upgrade in a process of its own, and its megabytes at most."""
    began = time.perf_counter()
    code = (
        "import resource, sys; from dialer.store.schema import upgrade; upgrade(sys.argv[1]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    return time.perf_counter() - began, int(done.stdout) / 1024


def read(url: str, told: int) -> float:
    """Milliseconds of the quickest of some readings. Raises `RuntimeError` when one tells another number of attempts."""

    async def measure(database: Database) -> float:
        management, took = Management(database, lambda: NOW), []
        for _ in range(READINGS):
            began = time.perf_counter()
            found = await of_campaign(management, ADMINISTRATOR, 1)
            took.append(time.perf_counter() - began)
            if found.totals.attempts != told:
                raise RuntimeError(f"{found.totals.attempts} attempts were told instead of {told}")
        return 1000 * min(took)

    result: float = with_database(url, measure)
    return result


def begun(connection: Any, count: int) -> list[Attempt]:
    """Open attempts of the first contacts."""
    plans = [
        Plan(
            call_uuid=f"call-{key}",
            candidate=Candidate(subscriber_id=key, contact_id=key, campaign_id=1, number=str(key), identity=str(key)),
            campaign=campaign(),
            gateway=Gateway(id=1, name="g"),
            dial_string="loopback/1",
            due_at=NOW,
        )
        for key in range(1, count + 1)
    ]
    until = NOW + timedelta(minutes=1)
    connection.execute("BEGIN")
    found = begin(connection, Beginning(plans=plans, owner="here", now=NOW, until=until, deadline=until))
    connection.execute("COMMIT")
    return found


def written(connection: Any, attempts: list[Attempt]) -> float:
    """Microseconds of CPU of an end."""
    began = time.process_time()
    for start in range(0, len(attempts), BATCH):
        connection.execute("BEGIN IMMEDIATE")
        for attempt in attempts[start : start + BATCH]:
            if not finish(connection, end(attempt), "here", frozenset()):
                raise RuntimeError("an attempt was not ended")
        connection.execute("COMMIT")
    return (time.process_time() - began) / len(attempts) * 1e6


def compare_ends(folder: Path, ends: int, rounds: int) -> None:
    """Ends with and without triggers, in turn."""
    with_triggers: list[float] = []
    without: list[float] = []
    for number in range(rounds):
        for took, kept in ((with_triggers, True), (without, False)):
            url = furnished(folder / f"{number}-{kept}.db", ends, called=False)
            upgrade(url)
            with opened(url) as connection:
                if not kept:
                    for name in ("attempt_added", "attempt_over", "attempt_corrected", "attempt_purged"):
                        connection.execute(f"DROP TRIGGER {name}")
                took.append(written(connection, begun(connection, ends)))
    more = statistics.median(one - other for one, other in zip(with_triggers, without, strict=True))
    print(
        f"an end: {statistics.median(with_triggers):.0f} us of CPU, without statistics {statistics.median(without):.0f} us; "
        f"median of the differences {more:.0f} us (a call takes the dialer about 1,200 us: {more / 12:.1f} %)"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attempts", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--ends", type=int, default=3000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as name:
        folder = Path(name)
        urls: dict[int, str] = {}
        for count in (FEW, options.attempts):
            urls[count] = furnished(folder / f"{count}.db", count, called=True)
            seconds, megabytes = upgraded(urls[count])
            print(f"{count:,} attempts: counted by an upgrade in {seconds:.1f} s, {megabytes:.0f} MB at most")
        readings = [(read(urls[FEW], FEW), read(urls[options.attempts], options.attempts)) for _ in range(options.rounds)]
        few, many = (statistics.median(each) for each in zip(*readings, strict=True))
        ratio = statistics.median(two / one for one, two in readings)
        print(
            f"a reading beside {FEW:,} attempts {few:.1f} ms, beside {options.attempts:,} {many:.1f} ms; median of the ratios "
            f"{ratio:.2f}"
        )
        compare_ends(folder, options.ends, options.rounds)


if __name__ == "__main__":
    main()
