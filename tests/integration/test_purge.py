"""Records that are old are removed: nothing that is counted changes by it, and nothing else goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_twisted
from attrs import evolve

from dialer.management import calls, removals
from dialer.model import Attempt, Contact, EventKind, SubscriberStatus
from dialer.model.single_call import SingleCall
from dialer.store.audit import audit, repair
from dialer.store.connection import Dialect
from dialer.store.database import Database, NodeIdentity
from dialer.store.location import opened
from dialer.store.maintenance import LOCKS
from dialer.store.purge import PURGE, StoredRecords
from dialer.store.schema import upgrade
from dialer.store.single_calls import StoredSingleCalls
from dialer.store.times import to_column
from tests.grounds import all_gone, new_database, rows
from tests.seeding import account
from tests.unit.store.support import World, ended

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=1900)
BEFORE = NOW - timedelta(days=1826)


@pytest.fixture
def url(database_kind, tmp_path):
    return new_database(tmp_path)


@asynccontextmanager
async def world(url: str, contacts: int) -> AsyncIterator[World]:
    from twisted.internet import reactor

    database = Database(url, reactor, dialling=True, node=NodeIdentity(name="here"))
    await database.start()
    try:
        here = World(database)
        await here.seed(contacts)
        await database.run(lambda connection: connection.execute("UPDATE subscriber SET ready_at = ?", (to_column(OLD),)))
        here.store.wanted = frozenset(EventKind)
        yield here
    finally:
        await database.stop()


async def begin_all(w: World, at: datetime) -> list[Attempt]:
    await w.database.run(lambda connection: connection.execute("UPDATE campaign SET next_call_at = NULL, frequency = 6000"))
    return await w.begin([evolve(plan, due_at=at) for plan in await w.plans(10, now=at)], now=at)


async def try_all(w: World, at: datetime, *, counts: bool = True) -> None:
    """Everybody who is ready is called, not reached, and is ready again."""
    for attempt in await begin_all(w, at):
        await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=at, at=at, counts=counts))


def purge(w: World, after: int = 0, limit: int = 100, before: datetime = BEFORE):
    return StoredRecords(w.database).purge(before, after, limit)


def counts(url: str) -> list[tuple[object, ...]]:
    return rows(url, "SELECT id, count_attempt, last_attempt_at, status FROM subscriber ORDER BY id")


@pytest_twisted.ensureDeferred
async def test_old_records_go_and_nothing_that_is_counted_changes(url):
    async with world(url, contacts=3) as w:
        await try_all(w, OLD)
        await try_all(w, OLD + timedelta(hours=1), counts=False)
        await try_all(w, OLD + timedelta(hours=2))
        await try_all(w, NOW)
        before = counts(url)
        assert await purge(w) == (9, 9)
        assert counts(url) == before
        assert rows(url, "SELECT number_of_attempt FROM attempt") == [(3,)] * 3
        assert audit(url, NOW).findings == ()
        await try_all(w, NOW + timedelta(minutes=1))
        assert rows(url, "SELECT DISTINCT number_of_attempt FROM attempt ORDER BY 1") == [(3,), (4,)]
        assert audit(url, NOW).findings == ()


@pytest_twisted.ensureDeferred
async def test_records_go_in_steps_the_oldest_first(url):
    async with world(url, contacts=5) as w:
        await try_all(w, OLD)
        await try_all(w, NOW)
        assert [await purge(w, 0, 2), await purge(w, 2, 2), await purge(w, 4, 2), await purge(w, 5, 2)] == [
            (2, 2), (2, 4), (1, 5), (0, 5)
        ]  # fmt: skip
        assert rows(url, "SELECT count(*), min(id) FROM attempt") == [(5, 6)]
        assert audit(url, NOW).findings == ()


@pytest_twisted.ensureDeferred
async def test_what_is_open_stays_and_so_does_what_came_after_it(url):
    async with world(url, contacts=3) as w:
        first, second, third = await begin_all(w, OLD)
        await w.store.finish(ended(first, at=OLD))
        await w.store.finish(ended(third, at=OLD))
        assert await purge(w) == (1, first.id)
        assert rows(url, "SELECT id FROM attempt ORDER BY id") == [(second.id,), (third.id,)]


@pytest_twisted.ensureDeferred
async def test_the_newest_attempt_stays_so_that_no_id_is_given_twice(url):
    async with world(url, contacts=2) as w:
        await try_all(w, OLD)
        assert await purge(w) == (1, 1)
        await try_all(w, NOW)
        assert rows(url, "SELECT id FROM attempt ORDER BY id") == [(2,), (3,), (4,)]
        assert audit(url, NOW).findings == ()


@pytest_twisted.ensureDeferred
async def test_a_recount_knows_of_what_was_purged(url):
    async with world(url, contacts=2) as w:
        await try_all(w, OLD)
        await try_all(w, NOW)
        await purge(w)
        before = counts(url)
    rows(url, "UPDATE subscriber SET count_attempt = 7")
    rows(url, "UPDATE attempt SET number_of_attempt = 7")
    assert {done.name for done in repair(url, NOW)} == {"wrong-count-of-attempts", "wrong-number-of-attempt"}
    assert counts(url) == before
    assert rows(url, "SELECT number_of_attempt FROM attempt") == [(2,)] * 2


@pytest_twisted.ensureDeferred
async def test_a_missing_attempt_that_was_not_purged_is_still_found(url):
    async with world(url, contacts=3) as w:
        await try_all(w, OLD)
        await try_all(w, NOW)
        await purge(w)
        assert audit(url, NOW).findings == ()
        rows(url, "DELETE FROM attempt WHERE id = 5")
        assert "early-event" in {finding.name for finding in audit(url, NOW).findings}


@pytest_twisted.ensureDeferred
async def test_a_contact_that_was_tried_long_ago_is_not_called_anew_when_its_phonebook_comes_again(url):
    async with world(url, contacts=2) as w:
        await try_all(w, OLD)
        await try_all(w, NOW)
        await purge(w, before=NOW + timedelta(days=1))
        assert rows(url, "SELECT id FROM attempt") == [(4,)]
        rows(url, "DELETE FROM attempt")
        await removals.detach(w.seeds.management, account(), 1, 1)
        assert [row[:2] for row in counts(url)] == [(1, 2), (2, 2)]


@pytest_twisted.ensureDeferred
async def test_numbers_that_turn_out_to_be_one_have_the_purged_attempts_of_both(url):
    async with world(url, contacts=0) as w:
        await w.seeds.add(1, [Contact(number="+12125550101"), Contact(number="2125550101")])
        await w.database.run(lambda connection: connection.execute("UPDATE subscriber SET ready_at = ?", (to_column(OLD),)))
        await try_all(w, OLD)
        await try_all(w, NOW)
        await purge(w)
    await all_gone(url)
    upgrade(url, region="US")
    [(subscriber, count, _, _)] = counts(url)
    assert count == 4
    assert rows(url, "SELECT counted FROM purged_attempts") == [(2,)]
    assert rows(url, f"SELECT number_of_attempt FROM attempt WHERE subscriber_id = {subscriber} ORDER BY id") == [(3,), (4,)]
    assert audit(url, NOW).findings == ()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("database_kind", [Dialect.POSTGRESQL], indirect=True)
async def test_one_node_of_a_server_purges_at_a_time(url):
    async with world(url, contacts=2) as w:
        await try_all(w, OLD)
        await try_all(w, NOW)
        with opened(url) as other:
            other.execute("SELECT pg_advisory_xact_lock(?, ?)", (LOCKS, PURGE))
            assert await purge(w) == (0, 0)
            other.rollback()
        assert await purge(w) == (2, 2)


# --- calls without a campaign -----------------------------------------------------------------------------------------------


async def call(w: World, at: datetime, number: str = "+15551230001", **more: Any) -> SingleCall:
    """Asked for at a moment."""
    w.seeds.now = at
    given = {"number": number, "gateway_id": 1, "voip_app_id": 1, **more}
    made: SingleCall = await w.seeds.ask(calls.create, account(), given, granting=True)
    return made


async def finished(w: World, single: SingleCall, at: datetime) -> None:
    """Called, and over at that moment."""
    snapshot = await w.store.snapshot(at)
    found = await w.store.candidates(single.id, at, 1)
    (attempt,) = await w.begin([w.plan(snapshot, each, at) for each in found], at)
    await w.store.finish(ended(attempt, SubscriberStatus.FAIL, at=at))
    await over(w, at)


async def over(w: World, at: datetime) -> None:
    await StoredSingleCalls(w.database).keep_going(at)


async def purge_all(w: World, before: datetime = BEFORE) -> None:
    await purge(w, before=before)
    await StoredRecords(w.database).purge_calls(before, 100)


def singles(url: str) -> list[int]:
    return [key for (key,) in rows(url, "SELECT id FROM campaign WHERE single = 1 ORDER BY id")]


LEFT = {"phonebook": 2, "contact": 1, "subscriber": 1, "campaign_phonebook": 2, "purged_attempts": 0, "attempt": 1}
"""Rows that there are of one call, and of a campaign without contacts."""


@pytest_twisted.ensureDeferred
async def test_an_old_call_without_a_campaign_goes_with_all_that_there_is_of_it_once_its_record_is_gone(url):
    async with world(url, contacts=0) as w:
        gone = await call(w, OLD)
        await finished(w, gone, OLD)
        newest = await call(w, NOW, "+15551230002")
        await finished(w, newest, NOW)
        await StoredRecords(w.database).purge_calls(BEFORE, 100)
        assert singles(url) == [gone.id, newest.id], "it has a record"
        await purge_all(w)
        assert singles(url) == [newest.id]
        assert {table: rows(url, f"SELECT count(*) FROM {table}")[0][0] for table in LEFT} == LEFT
        for table in ("subscriber_count", "attempt_count"):
            assert rows(url, f"SELECT count(*) FROM {table} WHERE campaign_id = ?", gone.id) == [(0,)]
        assert audit(url, NOW).findings == ()
        await purge_all(w, NOW + timedelta(days=1))
        assert singles(url) == [newest.id], "its ids are the newest"


@pytest_twisted.ensureDeferred
async def test_an_old_call_that_may_still_be_made_or_is_live_or_ended_of_late_stays(url):
    async with world(url, contacts=0) as w:
        far = await call(w, OLD, starting_at=NOW + timedelta(days=9), expires_at=NOW + timedelta(days=10))
        late = await call(w, OLD, "+15551230002", expires_at=NOW + timedelta(days=1))
        live = await call(w, OLD, "+15551230003", expires_at=NOW + timedelta(days=1))
        snapshot = await w.store.snapshot(OLD)
        found = await w.store.candidates(live.id, OLD, 1)
        assert await w.begin([w.plan(snapshot, each, OLD) for each in found], OLD)
        w.seeds.now = NOW
        await w.seeds.ask(calls.cancel, account(), live.id)
        w.seeds.now = NOW - timedelta(days=1)
        cancelled = await call(w, OLD, "+15551230004", expires_at=NOW + timedelta(days=1))
        w.seeds.now = NOW - timedelta(days=1)
        await w.seeds.ask(calls.cancel, account(), cancelled.id)
        expired = await call(w, OLD, "+15551230005")
        await over(w, OLD + timedelta(days=2))
        newest = await call(w, NOW, "+15551230006")
        await purge_all(w)
        assert singles(url) == [far.id, late.id, live.id, cancelled.id, newest.id], f"{expired.id} alone goes"
        await purge_all(w, NOW)
        assert singles(url) == [far.id, late.id, live.id, newest.id]
        assert audit(url, NOW).findings == ()


@pytest_twisted.ensureDeferred
async def test_calls_go_in_steps_the_oldest_first(url):
    async with world(url, contacts=0) as w:
        for key in range(5):
            await call(w, OLD, f"+1555123000{key}")
        await over(w, OLD + timedelta(days=2))
        newest = await call(w, NOW, "+15551230009")
        records = StoredRecords(w.database)
        first = min(singles(url))
        assert await records.purge_calls(BEFORE, 3) == 3
        assert singles(url) == [first + 3, first + 4, newest.id]
        assert [await records.purge_calls(BEFORE, 3), await records.purge_calls(BEFORE, 3)] == [2, 0]
        assert singles(url) == [newest.id]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("database_kind", [Dialect.POSTGRESQL], indirect=True)
async def test_one_node_of_a_server_purges_calls_at_a_time(url):
    async with world(url, contacts=0) as w:
        await call(w, OLD)
        await over(w, OLD + timedelta(days=2))
        await call(w, NOW, "+15551230009")
        with opened(url) as other:
            other.execute("SELECT pg_advisory_xact_lock(?, ?)", (LOCKS, PURGE))
            assert await StoredRecords(w.database).purge_calls(BEFORE, 9) == 0
            other.rollback()
        assert await StoredRecords(w.database).purge_calls(BEFORE, 9) == 1
