"""A server that breaks connections, deadlocks, restarts, crashes and falls silent: nothing is lost, nothing is done twice."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.task import deferLater

from dialer.errors import BadValue, StoreError
from dialer.store import claim
from dialer.store import database as module
from dialer.store import server as engine
from dialer.store.database import Database, NodeIdentity
from dialer.store.flow import Store
from dialer.store.location import opened
from dialer.store.schema import upgrade
from tests.database_proxy import DatabaseProxy, Mischief
from tests.grounds import new_database, standing_on
from tests.unit.store.support import NOW, World, ended, numbers

T = "2026-11-23 10:00:00.000000"


@pytest.fixture
def url(postgres_server, tmp_path):
    with standing_on(postgres_server):
        yield new_database(tmp_path)


@asynccontextmanager
async def started(url, name="one", *, dialling=True, lease=10.0):
    from twisted.internet import reactor

    database = Database(url, reactor, dialling=dialling, node=NodeIdentity(name=name, lease=lease))
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


def stored(url):
    with opened(url) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM do_not_call ORDER BY number").fetchall()]


def insert(number, runs=None):
    def run(connection):
        if runs is not None:
            runs.append(number)
        return connection.execute(
            "INSERT INTO do_not_call (list_id, number, reason, created_at, identity) VALUES (1, ?, '', ?, ?)",
            (number, T, number),
        ).rowcount

    return run


def sleep(seconds):
    from twisted.internet import reactor

    return deferLater(reactor, seconds)


@pytest_twisted.ensureDeferred
async def test_a_connection_that_breaks_between_two_transactions_goes_unnoticed(url):
    with DatabaseProxy.before(url) as (proxy, behind):
        async with started(behind) as database:
            assert await database.run(insert("1")) == 1
            proxy.cut()
            assert await database.run(insert("2")) == 1
    assert stored(url) == ["1", "2"]


@pytest_twisted.ensureDeferred
async def test_a_transaction_that_loses_its_connection_in_the_middle_is_run_again_whole(url):
    with DatabaseProxy.before(url) as (proxy, behind):
        async with started(behind) as database:
            runs = []

            def in_two_parts(connection):
                insert("1")(connection)
                runs.append(1)
                if len(runs) == 1:
                    proxy.cut()
                return insert("2")(connection)

            assert await database.run(in_two_parts) == 1
    assert (stored(url), len(runs)) == (["1", "2"], 2)


@pytest_twisted.ensureDeferred
async def test_an_entity_is_written_whole_or_not_at_all_when_the_connection_breaks(url):
    with DatabaseProxy.before(url) as (proxy, behind):
        async with started(behind) as database:
            runs = []

            def two_rows(e):
                from pony import orm

                e.DoNotCallEntry(list=1, number="1", identity="1", created_at=NOW.replace(tzinfo=None))
                orm.flush()
                runs.append(1)
                if len(runs) == 1:
                    proxy.cut()
                e.DoNotCallEntry(list=1, number="2", identity="2", created_at=NOW.replace(tzinfo=None))

            await database.run_with_entities(two_rows)
    assert (stored(url), len(runs)) == (["1", "2"], 2)


@pytest.mark.parametrize("what", [Mischief.LOSE_IT, Mischief.LOSE_THE_ANSWER])
@pytest_twisted.ensureDeferred
async def test_a_commit_without_an_answer_is_done_exactly_once(url, what):
    with DatabaseProxy.before(url) as (proxy, behind):
        async with started(behind) as database:
            runs = []
            await database.run(insert("0"))
            proxy.mischief = [what]
            jobs = [database.run(insert(number, runs)) for number in numbers(5)]
            assert await gatherResults(jobs) == [1] * 5
            assert proxy.met == 1
            await database.run(insert("9"))
    assert stored(url) == ["0", *numbers(5), "9"]
    assert len(runs) <= 10


@pytest_twisted.ensureDeferred
async def test_what_was_committed_is_not_run_again_because_its_answer_was_lost(url):
    with DatabaseProxy.before(url) as (proxy, behind):
        async with started(behind) as database:
            runs = []
            proxy.mischief = [Mischief.LOSE_THE_ANSWER]
            await database.run(insert("1", runs))
            assert (runs, proxy.met) == (["1"], 1)


@pytest.mark.parametrize("what", [Mischief.LOSE_IT, Mischief.LOSE_THE_ANSWER])
@pytest_twisted.ensureDeferred
async def test_a_begin_whose_commit_was_not_answered_gives_the_attempts_that_are_there(url, what):
    with DatabaseProxy.before(url) as (proxy, behind):
        async with started(behind) as database:
            world = World(database)
            await world.seed(10)
            plans = await world.plans(4)
            proxy.mischief = [what]
            begun = await world.begin(plans)
            assert proxy.met == 1
            found = await Store(database, world.clock, node="one").open_attempts()
            await world.store.flush()
    assert [attempt.call_uuid for attempt in begun] == [plan.call_uuid for plan in plans]
    assert [(one.id, one.call_uuid) for one in begun] == [(one.id, one.call_uuid) for one in found] or found == []


@pytest_twisted.ensureDeferred
async def test_who_does_not_dial_is_told_that_a_commit_is_in_doubt(url):
    with DatabaseProxy.before(url) as (proxy, behind):
        async with started(behind, dialling=False) as tool:
            proxy.mischief = [Mischief.LOSE_THE_ANSWER]
            with pytest.raises(StoreError, match="was lost at the last moment: look whether it was done"):
                await tool.run(insert("1"))
            assert await tool.run(insert("2")) == 1
    assert stored(url) == ["1", "2"]


@pytest_twisted.ensureDeferred
async def test_a_server_that_falls_silent_is_given_up_when_that_is_asked_for(url):
    with DatabaseProxy.before(url) as (proxy, behind):
        async with started(behind) as database:
            proxy.mischief = [Mischief.SILENCE]
            waiting = database.run(insert("1"))
            await sleep(0.3)
            assert not waiting.called
            database.interrupt()
            assert await waiting == 1
    assert stored(url) == ["1"]


@pytest_twisted.ensureDeferred
async def test_a_deadlock_is_survived_by_both(url):
    async with started(url, "one") as one, started(url, "two") as two:
        await one.run(insert("1"))
        await one.run(insert("2"))
        meeting = threading.Barrier(2)

        def lock(first, second):
            tries = []

            def run(connection):
                connection.execute("UPDATE do_not_call SET reason = reason || 'x' WHERE number = ?", (first,))
                tries.append(1)
                if len(tries) == 1:
                    meeting.wait(10)
                connection.execute("UPDATE do_not_call SET reason = reason || 'x' WHERE number = ?", (second,))

            return run

        await gatherResults([one.run(lock("1", "2")), two.run(lock("2", "1"))])
        with opened(url) as connection:
            assert connection.execute("SELECT reason FROM do_not_call ORDER BY number").fetchall() == [("xx",), ("xx",)]


@pytest.mark.parametrize("how", ["restart", "crash"])
@pytest_twisted.ensureDeferred
async def test_a_server_that_restarts_under_load_loses_nothing_and_does_nothing_twice(postgres_server, url, how):
    async with started(url) as database:
        jobs = []

        async def load():
            for number in numbers(1500):
                jobs.append(database.run(insert(number)))
                if len(jobs) % 20 == 0:
                    await sleep(0.005)

        loading = Deferred.fromCoroutine(load())
        await sleep(0.1)
        if how == "crash":
            postgres_server.kill()
            postgres_server.start()
        else:
            postgres_server.restart()
        await loading
        results = await DeferredList(jobs, consumeErrors=True)
    assert [ok for ok, _ in results] == [True] * 1500
    assert stored(url) == numbers(1500)


@pytest_twisted.ensureDeferred
async def test_a_server_that_stays_away_fails_what_waits_and_is_found_again_by_itself(postgres_server, url, monkeypatch):
    monkeypatch.setattr(engine, "PATIENCE", 0.3)
    monkeypatch.setattr(module, "REVIVAL", 0.1)
    async with started(url) as database:
        postgres_server.stop()
        try:
            with pytest.raises(StoreError, match="does not answer; the dialer goes on trying"):
                await database.run(insert("1"))
            with pytest.raises(StoreError, match="does not answer"):
                await database.run(insert("2"))
            assert database.backlog == 0
        finally:
            postgres_server.start()
        for _ in range(100):
            try:
                await database.run(insert("3"))
                break
            except StoreError:
                await sleep(0.05)
    assert stored(url) == ["3"]


@pytest_twisted.ensureDeferred
async def test_a_queue_that_grows_too_long_is_not_added_to(url, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_QUEUE", 3)
    gate = threading.Event()
    async with started(url) as database:
        held = database.run(lambda _: gate.wait(10))
        jobs = [database.run(insert(number)) for number in numbers(2)]
        with pytest.raises(StoreError, match="is too slow: 3 changes wait for it"):
            await database.run(insert("9"))
        assert database.backlog == 3
        gate.set()
        await gatherResults([held, *jobs])
        assert database.backlog == 0


@pytest_twisted.ensureDeferred
async def test_only_the_guilty_member_of_a_group_fails_on_a_server_too(url):
    async with started(url) as database:
        gate = threading.Event()
        held = database.run(lambda _: gate.wait(10))

        def fail(connection):
            insert("666")(connection)
            raise BadValue("number", "is unlucky")

        jobs = [database.run(insert("1")), database.run(fail), database.run(insert("1")), database.run(insert("3"))]
        gate.set()
        await held
        results = await DeferredList(jobs, consumeErrors=True)
    assert [ok for ok, _ in results] == [True, False, False, True]
    assert results[2][1].check(StoreError)
    assert stored(url) == ["1", "3"]


@pytest_twisted.ensureDeferred
async def test_an_end_survives_a_server_that_is_away_when_it_comes(postgres_server, url):
    async with started(url) as database:
        world = World(database)
        await world.seed(3)
        (attempt,) = await world.begun()
        postgres_server.stop("immediate")
        waiting = world.store.finish(ended(attempt))
        await sleep(0.2)
        postgres_server.start()
        assert await waiting
        assert not await world.store.finish(ended(attempt))


# --- the right to dial ------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_second_dialer_of_the_same_name_is_refused_by_name(url, monkeypatch):
    monkeypatch.setattr(claim, "PATIENCE", "300ms")
    async with started(url, "one"):
        with pytest.raises(StoreError, match=r"another dialer \(process \d+ on .*\) is node 'one' of this database: stop it"):
            async with started(url, "one"):
                pass
        async with started(url, "two"), started(url, "three", dialling=False):
            pass
    async with started(url, "one"):
        pass


@pytest_twisted.ensureDeferred
async def test_a_name_is_free_as_soon_as_the_connection_of_its_bearer_is_gone(url, monkeypatch):
    monkeypatch.setattr(claim, "PATIENCE", "2s")  # for the server to see that the connection is gone
    with DatabaseProxy.before(url) as (_, behind):
        async with started(behind, "one") as first:
            await first.run(insert("1"))
            first._engine._connection.close()
            async with started(url, "one") as second:
                await second.run(insert("2"))
                with pytest.raises(StoreError, match="another dialer bears the name"):
                    await first.run(insert("3"))
    assert stored(url) == ["1", "2"]


@pytest_twisted.ensureDeferred
async def test_nothing_is_written_once_the_lease_has_run_out(url):
    async with started(url, "one", lease=1.5) as database:
        await database.run(insert("1"))
        await sleep(1.6)
        with pytest.raises(StoreError, match="the lease of node 'one' has run out"):
            await database.run(insert("2"))
        assert await database.run(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)
    assert stored(url) == ["1"]


@pytest_twisted.ensureDeferred
async def test_an_upgrade_is_refused_while_a_dialer_is_at_work_unless_there_is_nothing_to_do(url):
    async with started(url, "one"):
        assert upgrade(url) == []
        with opened(url) as connection:
            connection.execute(
                "UPDATE schema_version SET version = 99 WHERE version = (SELECT max(version) FROM schema_version)"
            )
            connection.execute("DELETE FROM schema_version WHERE version = 99")
            connection.commit()
        with pytest.raises(StoreError, match="a dialer is at work with this database"):
            upgrade(url)


@pytest_twisted.ensureDeferred
async def test_a_frozen_transaction_is_ended_by_the_server_after_the_lease(url):
    async with started(url, "one", lease=1.0) as frozen, started(url, "two") as other:
        await other.run(insert("1"))
        entered, gate = threading.Event(), threading.Event()

        def freeze(connection):
            connection.execute("UPDATE do_not_call SET reason = 'frozen'")
            entered.set()
            gate.wait(20)
            return insert("2")(connection)

        freezing = frozen.run(freeze)
        entered.wait(10)
        assert await other.run(lambda c: c.execute("UPDATE do_not_call SET reason = 'other'").rowcount) == 1
        assert stored(url) == ["1"]
        gate.set()
        assert await freezing == 1
    assert stored(url) == ["1", "2"]
