"""What an attempt costs in the store: begin, two moves and finish, durable on disk (`synchronous=FULL`), with group commit.

`python -m bench.store [--directory DIR] [--attempts N]` prints the highest rate, the CPU time of an attempt at a steady 300 a
second, and the same work as bare sqlite3 calls in the same run, one transaction for each batch and step.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred, gatherResults

from dialer.management import Management, campaigns, gateways, users
from dialer.management.contacts import import_contacts
from dialer.model import (
    Account,
    Attempt,
    AttemptResult,
    AttemptState,
    Candidate,
    Contact,
    Decision,
    Disposition,
    Outcome,
    Plan,
    Snapshot,
    SubscriberStatus,
    VoipAppType,
)
from dialer.store import statements
from dialer.store.database import Database
from dialer.store.flow import Store
from dialer.store.location import sqlite_url
from dialer.store.may_call import moments
from dialer.store.schema import upgrade
from dialer.store.times import to_column

BATCH = 15
RATE = 300
IN_FLIGHT = 8
STEADY_SECONDS = 10
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


async def seed(database: Database, count: int) -> None:
    """A campaign with `count` subscribers, all ready."""
    management = Management(database, lambda: NOW)
    who = Account(id=await management.ask(users.create, {"username": "bench", "is_superuser": True}), username="bench")
    await management.ask(gateways.create, {"name": "bench", "protocol": "LOCAL"})
    await management.ask(gateways.create_application, {"name": "bench", "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"})
    await management.ask(campaigns.create, who, {"name": "bench", "gateway_id": 1, "voip_app_id": 1})
    began = time.perf_counter()
    await import_contacts(management, 1, (Contact(number=str(100_000_000 + n)) for n in range(count)))
    print(f"import, with subscription    {count / (time.perf_counter() - began):10,.0f} contacts/s")


def plan(snapshot: Snapshot, ready: Candidate) -> Plan:
    """A call to make."""
    return Plan(
        call_uuid=str(uuid4()),
        candidate=ready,
        campaign=snapshot.campaigns[0],
        gateway=snapshot.gateways[1],
        dial_string=f"loopback/{ready.number}",
        due_at=NOW,
    )


def end(attempt: Attempt) -> AttemptResult:
    """Busy, to be tried again in an hour."""
    return AttemptResult(
        attempt=attempt,
        outcome=Outcome(cause="USER_BUSY", ended_at=NOW, q850=17, sip_status=486, rang_at=NOW, ring_ms=900, duration_ms=1000),
        disposition=Disposition.BUSY,
        decision=Decision(
            status=SubscriberStatus.START, ready_at=NOW + timedelta(hours=1), counts_as_attempt=True, reason="busy"
        ),
    )


async def one_batch(store: Store, plans: Sequence[Plan]) -> None:
    """The life of a batch of attempts, without the calls between."""
    attempts = await store.begin(plans, NOW, NOW, NOW + timedelta(seconds=15))
    for attempt in attempts:
        store.move(attempt, AttemptState.SUBMITTED, NOW, "core")
    await store.flush()
    for attempt in attempts:
        store.move(attempt, AttemptState.RINGING, NOW)
    await store.flush()
    results = await gatherResults([store.finish(end(attempt)) for attempt in attempts])
    if results != [True] * len(plans):
        raise RuntimeError("an attempt was not stored")


async def as_fast_as_possible(store: Store, plans: list[Plan]) -> float:
    """Attempts a second with IN_FLIGHT batches under way."""
    batches = iter([plans[start : start + BATCH] for start in range(0, len(plans), BATCH)])

    async def worker() -> None:
        for batch in batches:
            await one_batch(store, batch)

    began = time.perf_counter()
    await gatherResults([Deferred.fromCoroutine(worker()) for _ in range(IN_FLIGHT)])
    return len(plans) / (time.perf_counter() - began)


async def steadily(store: Store, plans: list[Plan]) -> tuple[float, float]:
    """CPU seconds an attempt at RATE, and the rate that was held."""
    under_way = []
    began, cpu = time.perf_counter(), time.process_time()
    for number, start in enumerate(range(0, len(plans), BATCH)):
        wait = began + number * BATCH / RATE - time.perf_counter()
        if wait > 0:
            await task.deferLater(reactor, wait)
        under_way.append(Deferred.fromCoroutine(one_batch(store, plans[start : start + BATCH])))
    await gatherResults(under_way)
    return (time.process_time() - cpu) / len(plans), len(plans) / (time.perf_counter() - began)


def bare(path: Path, plans: Sequence[Plan]) -> tuple[float, float]:
    """The same statements without the store: attempts a second, CPU seconds an attempt."""
    text, later = to_column(NOW), to_column(NOW + timedelta(hours=1))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        began, cpu = time.perf_counter(), time.process_time()
        for start in range(0, len(plans), BATCH):
            some = plans[start : start + BATCH]
            who = [each.candidate.subscriber_id for each in some]
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(statements.claimable(len(some)).sqlite, (*moments(text), text, *who)).fetchall()
            connection.execute(statements.claim(len(some)), who)
            row = [(e.call_uuid, 1, e.candidate.subscriber_id, 1, e.candidate.number, e.dial_string, 1) for e in some]
            values = [value for each in row for value in (*each, "bench", text, text, text)]
            ids = [found[1] for found in connection.execute(statements.insert_attempts(len(some)), values)]
            connection.execute("COMMIT")
            for state in ("submitted", "ringing"):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statements.MOVE, [(state, text, "core", None, None, key, "bench") for key in ids])
                connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
            account = (text, "USER_BUSY", "BUSY", 1, "busy", 17, 486, "", text, None, 900, 0, 1000, 0, "{}")
            connection.executemany(statements.END_ATTEMPT, [(*account, key, "bench") for key in ids])
            connection.executemany(statements.SETTLE_SUBSCRIBER, [(1, 1, later, 1, 1, text, None, key) for key in who])
            connection.execute("COMMIT")
        return len(plans) / (time.perf_counter() - began), (time.process_time() - cpu) / len(plans)


async def measure(directory: Path, count: int) -> None:
    """Everything, in one database."""
    path = directory / "bench.db"
    upgrade(sqlite_url(path))
    steady = RATE * STEADY_SECONDS
    database = Database(sqlite_url(path), reactor, dialling=True)
    await database.start()
    try:
        await seed(database, steady + 2 * count)
        store = Store(database, reactor, node="bench")
        snapshot = await store.snapshot()
        plans = [plan(snapshot, ready) for ready in await store.candidates(1, NOW, steady + 2 * count)]
        cpu, held = await steadily(store, plans[:steady])
        rate = await as_fast_as_possible(store, plans[steady : steady + count])
    finally:
        await database.stop()
    bare_rate, bare_cpu = bare(path, plans[steady + count :])
    print(f"at a steady {RATE}/s, held       {held:10,.0f} attempts/s")
    print(f"CPU there                    {cpu * 1e6:10,.0f} us an attempt")
    print(f"as fast as possible          {rate:10,.0f} attempts/s ({IN_FLIGHT} batches of {BATCH} under way)")
    print(f"bare sqlite3                 {bare_rate:10,.0f} attempts/s (one batch after the other)")
    print(f"CPU there                    {bare_cpu * 1e6:10,.0f} us an attempt")
    print(f"store against bare sqlite3: rate {rate / bare_rate:.2f}, CPU {cpu / bare_cpu:.2f}")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, default=None, help="where the database is made; default: a temporary one")
    parser.add_argument("--attempts", type=int, default=6000, help="attempts in each of the two races")
    options = parser.parse_args()

    async def run(_: object) -> None:
        with tempfile.TemporaryDirectory(dir=options.directory) as directory:
            await measure(Path(directory), options.attempts // BATCH * BATCH)

    task.react(lambda here: Deferred.fromCoroutine(run(here)))


if __name__ == "__main__":
    sys.exit(main())
