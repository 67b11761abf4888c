"""Leases count by the clock of the database: a node whose own clock is wrong takes no work from others, and loses none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from unittest import mock

import pytest
import pytest_twisted

from dialer.files.contacts import RowFile
from dialer.files.seen import Seen
from dialer.management import Management, import_jobs
from dialer.management.import_errors import RefusedRows
from dialer.management.imports import Chunk
from dialer.model import EventKind
from dialer.store import consumers
from dialer.store import import_jobs as import_sql
from dialer.store.consumers import Consumers
from dialer.wall_clock import utc_now
from tests.grounds import on_postgresql
from tests.seeding import account
from tests.unit.store.support import World, world

pytestmark = on_postgresql

IMPORT = (
    "INSERT INTO import_job (user_id, phonebook_id, name, format, encoding, encoding_found, mapping, region, header, dry_run, "
    "state, problem, size, size_read, row_count, taken, already_there, duplicates, refused, reasons, file, node, holder, "
    "errors_size, created_at, doubles, changed, errors_left_out, sample, added_by) VALUES (1, 1, 'a.csv', 'csv', '', '', "
    "'{}', '', 1, 0, 'queued', '', 9, 0, 0, 0, 0, 0, 0, '{}', 'a', 'astray', '', 0, clock_timestamp() AT TIME ZONE 'UTC', "
    "'keep', 0, 0, '[]', '')"
)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
KINDS = frozenset({EventKind.SWITCH_UP})
wrong = pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])


def left(w: World, table: str) -> timedelta:
    """How long the lease lasts, by the clock of the database."""
    (seconds,) = w.sql(
        f"SELECT CAST(date_part('epoch', held_until - (clock_timestamp() AT TIME ZONE 'UTC')) AS float) FROM {table}"
    )
    return timedelta(seconds=seconds)


def pass_by(w: World, table: str, lease: timedelta) -> None:
    """So much time goes by for the lease."""
    w.sql(f"UPDATE {table} SET held_until = held_until - interval '{lease.total_seconds()} seconds'")


@wrong
@pytest_twisted.ensureDeferred
async def test_a_reader_of_events_is_held_by_one_node_whatever_its_clock_says(tmp_path, database_kind, off):
    async with world(tmp_path, contacts=0) as w:
        astray, right = Consumers(w.database, "astray"), Consumers(w.database, "right")
        await right.enter("tail", KINDS, utc_now())
        assert await astray.hold("tail", utc_now() + off) is not None
        assert consumers.LEASE - SECOND < left(w, "event_consumer") <= consumers.LEASE
        assert await right.hold("tail", utc_now()) is None
        pass_by(w, "event_consumer", consumers.LEASE + SECOND)
        assert await right.hold("tail", utc_now()) is not None
        assert await astray.hold("tail", utc_now() + off) is None
        pass_by(w, "event_consumer", consumers.LEASE + SECOND)
        assert await astray.hold("tail", utc_now() + off) is not None


@wrong
@pytest_twisted.ensureDeferred
async def test_who_asks_for_events_for_a_while_is_heard_for_so_long(tmp_path, database_kind, off):
    async with world(tmp_path, contacts=0) as w:
        readers = Consumers(w.database, "astray")
        await readers.enter("tail", KINDS, utc_now() + off, timedelta(seconds=30))
        assert (await readers.wanted(utc_now())).asked == KINDS
        assert (await readers.wanted(utc_now() - off)).asked == KINDS
        w.sql("UPDATE event_consumer SET expires_at = expires_at - interval '31 seconds'")
        assert (await readers.wanted(utc_now() + off)).asked == frozenset()


@wrong
@pytest_twisted.ensureDeferred
async def test_an_import_is_held_by_one_node_whatever_its_clock_says(tmp_path, database_kind, off):
    async with world(tmp_path, contacts=0) as w:
        astray, right = (Management(w.database, now) for now in (by(off), utc_now))
        w.sql(IMPORT)
        assert await astray.ask(import_jobs.hold, 1, "astray") is not None
        assert import_sql.LEASE - SECOND < left(w, "import_job") <= import_sql.LEASE
        assert await right.ask(import_jobs.hold, 1, "right") is None
        pass_by(w, "import_job", import_sql.LEASE + SECOND)
        assert await right.ask(import_jobs.hold, 1, "right") is not None
        assert await astray.ask(import_jobs.hold, 1, "astray") is None


def by(off: timedelta) -> Callable[[], datetime]:
    return lambda: utc_now() + off


@wrong
@pytest_twisted.ensureDeferred
async def test_a_chunk_of_an_import_prolongs_its_lease_by_the_same_clock(tmp_path, database_kind, off):
    async with world(tmp_path, contacts=0) as w:
        management = Management(w.database, by(off))
        w.sql(IMPORT)
        held = await management.ask(import_jobs.hold, 1, "astray")
        pass_by(w, "import_job", import_sql.LEASE / 2)
        chunk = Chunk([], Seen())
        refused = RefusedRows(file=mock.create_autospec(RowFile), size=0)
        step = import_jobs.ImportStep(held, chunk, None, import_jobs.tally_of(held), refused, "utf-8", 0)
        await management.ask(import_jobs.take, account(), step)
        assert import_sql.LEASE - SECOND < left(w, "import_job") <= import_sql.LEASE
