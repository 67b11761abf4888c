"""The database thread: what it promises of transactions, groups, faults and its own end."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import asynccontextmanager, closing

import pytest
import pytest_twisted
from twisted.internet.defer import DeferredList, gatherResults

from dialer.errors import BadValue, StoreError
from dialer.management import do_not_call
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.user import ADMINISTRATOR
from dialer.store import database as module
from dialer.store import sqlite
from dialer.store.database import Database
from dialer.store.location import sqlite_url
from tests.grounds import new_database, on_sqlite, rows
from tests.seeding import Seeds
from tests.unit.store.support import NOW, numbers

pytestmark = pytest.mark.usefixtures("database_kind")


@pytest.fixture
def url(database_kind, tmp_path):
    return new_database(tmp_path)


@asynccontextmanager
async def started(url, *, dialling=False):
    from twisted.internet import reactor

    database = Database(url, reactor, dialling=dialling)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


def insert(number):
    return lambda connection: connection.execute(
        "INSERT INTO do_not_call (list_id, number, identity, created_at) VALUES (1, ?, ?, '2026-11-23 10:00:00.000000')",
        (number, number),
    )


@asynccontextmanager
async def waiting(database):
    """What is handed in inside waits together: the database thread is busy until the end."""
    entered, gate = threading.Event(), threading.Event()

    def hold(_):
        entered.set()
        assert gate.wait(10)

    held = database.run(hold)
    assert entered.wait(10)
    yield
    gate.set()
    await held


def stored(url):
    return [number for (number,) in rows(url, "SELECT number FROM do_not_call ORDER BY number")]


@pytest_twisted.ensureDeferred
async def test_a_result_comes_on_the_reactor_thread_when_others_can_see_what_was_written(url):
    async with started(url) as database:
        seen = []

        def look(_):
            seen.append((threading.current_thread(), stored(url)))

        await database.run(insert("1")).addCallback(look)
        assert seen == [(threading.main_thread(), ["1"])]


@pytest_twisted.ensureDeferred
async def test_functions_run_in_the_order_in_which_they_were_handed_in(url):
    async with started(url) as database:
        order = []
        jobs = [database.run(lambda _, n=n: order.append(n)) for n in range(50)]
        jobs.append(database.run_with_entities(lambda _: order.append("entities")))
        jobs.append(database.run(lambda _: order.append("last")))
        await gatherResults(jobs)
        assert order == [*range(50), "entities", "last"]


@pytest_twisted.ensureDeferred
async def test_functions_that_wait_together_are_committed_together(url):
    async with started(url) as database:
        async with waiting(database):
            writers = [database.run(insert(number)) for number in numbers(5)]
            before_the_commit = database.run(lambda _: stored(url))
        await gatherResults(writers)
        assert await before_the_commit == []
        assert stored(url) == numbers(5)


@pytest_twisted.ensureDeferred
async def test_what_may_wait_is_committed_with_the_urgent_function_that_ends_its_wait(url, monkeypatch):
    monkeypatch.setattr(module, "COMPANY", 60.0)
    async with started(url) as database:
        writer = database.run(insert("1"), may_wait=True)
        before_the_commit = database.run(lambda _: stored(url))
        await writer
        assert await before_the_commit == []
        assert stored(url) == ["1"]


@pytest_twisted.ensureDeferred
async def test_what_may_wait_is_committed_without_company_in_the_end(url):
    async with started(url) as database:
        await database.run(insert("1"), may_wait=True)
        assert stored(url) == ["1"]


@pytest_twisted.ensureDeferred
async def test_what_may_wait_is_committed_when_the_database_stops(url, monkeypatch):
    monkeypatch.setattr(module, "COMPANY", 60.0)
    async with started(url) as database:
        writer = database.run(insert("1"), may_wait=True)
    await writer
    assert stored(url) == ["1"]


@pytest_twisted.ensureDeferred
async def test_only_the_guilty_member_of_a_group_fails(url):
    async with started(url) as database:
        runs = []

        def fail(connection):
            insert("666")(connection)
            raise BadValue("number", "is unlucky")

        def count(connection):
            runs.append("good")
            insert("2")(connection)

        async with waiting(database):
            jobs = [database.run(insert("1")), database.run(count), database.run(fail), database.run(insert("3"))]
        results = await DeferredList(jobs, consumeErrors=True)
        assert [ok for ok, _ in results] == [True, True, False, True]
        assert results[2][1].check(BadValue)
        assert stored(url) == ["1", "2", "3"]
        assert runs == ["good", "good"]


@pytest_twisted.ensureDeferred
async def test_a_group_does_not_grow_without_bound(url, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_GROUP", 3)
    async with started(url) as database:
        async with waiting(database):
            jobs = [database.run(insert(number)) for number in numbers(4)]
            seen = database.run(lambda _: stored(url))
        await gatherResults(jobs)
        assert await seen == numbers(3)


@pytest_twisted.ensureDeferred
async def test_entities_see_what_raw_statements_wrote_just_before(url):
    async with started(url) as database:
        await database.run(insert("1"))
        reads = [database.run_with_entities(lambda e: e.DoNotCallEntry.get(number="1").reason)]
        change = database.run(lambda c: c.execute("UPDATE do_not_call SET reason = 'asked'").rowcount)
        reads.append(database.run_with_entities(lambda e: e.DoNotCallEntry.get(number="1").reason))
        assert await gatherResults([*reads, change]) == ["", "asked", 1]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_the_database_is_opened_with_the_settings_that_durability_needs(url):
    async with started(url) as database:

        def settings(connection):
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert await database.run(settings) == ["wal", 2, 1, 5000]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_every_file_of_the_database_is_readable_by_its_owner_only(url, tmp_path):
    async with started(url, dialling=True) as database:
        await database.run(insert("1"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes == dict.fromkeys(["dialer.db", "dialer.db-wal", "dialer.db-shm", "dialer.db.lock"], 0o600)


@pytest_twisted.ensureDeferred
async def test_stop_runs_what_was_handed_in_and_refuses_what_comes_later(url):
    async with started(url) as database:
        jobs = [database.run(insert(number)) for number in numbers(20)]
        stopping = database.stop()
        with pytest.raises(StoreError, match="is not open"):
            await database.run(insert("99"))
        await stopping
        await gatherResults(jobs)
        assert stored(url) == numbers(20)
        await database.stop()


@pytest_twisted.ensureDeferred
async def test_a_database_that_is_not_started_says_so(url):
    from twisted.internet import reactor

    database = Database(url, reactor)
    with pytest.raises(StoreError, match="is not open"):
        await database.run(insert("1"))
    await database.stop()


@pytest_twisted.ensureDeferred
async def test_a_stop_during_the_start_is_obeyed(url):
    from twisted.internet import reactor

    database = Database(url, reactor, dialling=True)
    opened = database.start()
    await gatherResults([database.stop(), opened])
    async with started(url, dialling=True):
        pass


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_second_dialling_process_is_refused_by_name(url, tmp_path):
    from twisted.internet import reactor

    async with started(url, dialling=True):
        second = Database(sqlite_url(tmp_path / "dialer.db"), reactor, dialling=True)
        with pytest.raises(
            StoreError, match=rf"another dialer \(process {os.getpid()}\) is dialling with .*dialer.db: stop it"
        ):
            await second.start()
        await second.stop()
    async with started(url, dialling=True):
        pass


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_the_same_file_by_another_path_is_refused_too(url, tmp_path):
    from twisted.internet import reactor

    async with started(url, dialling=True):
        (tmp_path / "link.db").symlink_to(tmp_path / "dialer.db")
        second = Database(sqlite_url(tmp_path / "link.db"), reactor, dialling=True)
        with pytest.raises(StoreError, match="another dialer"):
            await second.start()


@pytest_twisted.ensureDeferred
async def test_command_line_tools_open_the_database_while_it_dials(url):
    async with started(url, dialling=True), started(url) as tool:
        assert await Seeds(tool, NOW).forbid(*["1"]) == 1
        assert len(tool.installation_id) == 16


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_database_locked_by_another_program_fails_every_waiting_function_at_once(url, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    async with started(url) as database:
        with closing(sqlite3.connect(tmp_path / "dialer.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            results = await DeferredList([database.run(insert(number)) for number in numbers(4)], consumeErrors=True)
            for ok, failure in results:
                assert not ok
                assert failure.check(StoreError)
                assert "dialer.db is locked by another program" in failure.getErrorMessage()
            other.execute("ROLLBACK")
        await database.run(insert("1"))
        assert stored(url) == ["1"]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_full_disk_fails_clearly_and_leaves_nothing_half_written(url):
    async with started(url) as database:

        def fill(connection):
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")

        await database.run(insert("1"))
        await database.run(fill)
        with pytest.raises(StoreError, match=r"dialer\.db cannot grow: the disk is full"):
            await Seeds(database, NOW).forbid(*numbers(5000))
        assert stored(url) == ["1"]
        await database.run(lambda connection: connection.execute("PRAGMA max_page_count = 1000000"))
        assert await Seeds(database, NOW).forbid(*numbers(5000)) == 5000


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_commit_that_fails_fails_every_member_and_writes_nothing(url):
    async with started(url) as database:

        def break_the_commit(connection):
            connection.execute("PRAGMA defer_foreign_keys = ON")
            connection.execute("INSERT INTO campaign_phonebook VALUES (404, 404)")

        async with waiting(database):
            jobs = [database.run(insert("1")), database.run(break_the_commit)]
        results = await DeferredList(jobs, consumeErrors=True)
        assert [failure.check(StoreError) for _, failure in results] == [StoreError, StoreError]
        assert stored(url) == []
        await database.run(insert("2"))
        assert stored(url) == ["2"]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_damaged_file_is_named_with_what_to_do(url, tmp_path):
    from twisted.internet import reactor

    path = tmp_path / "dialer.db"
    path.write_bytes(b"this was a data base once" * 400)
    with pytest.raises(StoreError, match=r"dialer\.db is not a database, or is damaged; .*restore a backup"):
        await Database(url, reactor).start()


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_page_that_is_damaged_while_the_database_runs_is_reported_as_damage(url, tmp_path):
    path = tmp_path / "dialer.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO do_not_call (list_id, number, reason, created_at, identity) VALUES (1, ?, '', ?, ?)",
            [(n, "2026-11-23 10:00:00.000000", n) for n in numbers(999)],
        )
        connection.commit()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'do_not_call_listed'").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    async with started(url) as database:
        with pytest.raises(StoreError, match=r"dialer\.db is damaged; restore a backup"):
            await Seeds(database, NOW).ask(do_not_call.page, ADMINISTRATOR, EVERYBODYS)


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_missing_database_is_not_created_by_the_start(tmp_path):
    from twisted.internet import reactor

    with pytest.raises(
        StoreError, match=r"there is no database at .*dialer\.db: the path may be wrong .*`dialer init` makes a new one"
    ):
        await Database(sqlite_url(tmp_path / "dialer.db"), reactor, dialling=True).start()
    assert list(tmp_path.iterdir()) == []


@pytest_twisted.ensureDeferred
async def test_a_database_starts_once(url):
    async with started(url) as database:
        with pytest.raises(ValueError, match="starts once"):
            database.start()


@pytest_twisted.ensureDeferred
async def test_the_wait_of_each_function_and_each_commit_are_counted(url):
    async with started(url) as database:
        before = database.commits.count
        async with waiting(database):
            together = gatherResults([database.run(insert("1")), database.run(insert("2"))])
        await together
        assert database.waits.count == 3
        assert database.commits.count - before == 2
        with pytest.raises(ZeroDivisionError):
            await database.run(lambda _: 1 / 0)
        assert (database.waits.count, database.commits.count - before) == (4, 2)
