"""Whatever the store does in the course of its work, on either kind of database, the audit finds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import pytest_twisted

from dialer.interfaces import NodeState
from dialer.model import AttemptState, EventKind, SubscriberStatus
from dialer.store.audit import audit
from dialer.store.database import Database, NodeIdentity
from dialer.store.nodes import Nodes
from dialer.store.times import to_column
from tests.grounds import new_database
from tests.unit.store.support import World, ended

NOW = datetime.now(UTC)
LATER = NOW + timedelta(seconds=20)


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
        await database.run(lambda connection: connection.execute("UPDATE subscriber SET ready_at = ?", (to_column(NOW),)))
        await Nodes(database, NOW).beat(NodeState(switches={"fs1:8021": ""}, ready=True, figures={}), NOW)
        yield here
    finally:
        await database.stop()


@pytest_twisted.ensureDeferred
async def test_a_campaign_on_its_way_breaks_no_invariant(url):
    async with world(url, contacts=4) as w:
        w.store.wanted = frozenset(EventKind)

        def clean() -> bool:
            found = audit(url, NOW)
            return (found.findings, found.notes) == ((), ())

        assert clean()
        reached, retried, requeued, open_one = await w.begin(await w.plans(4, now=LATER), now=NOW)
        assert clean()
        w.store.move(reached, AttemptState.ANSWERED, NOW)
        await w.store.finish(ended(reached, at=LATER))
        await w.store.finish(ended(retried, SubscriberStatus.START, ready_at=LATER, at=LATER))
        await w.store.finish(ended(requeued, SubscriberStatus.START, ready_at=LATER, counts=False, at=LATER))
        assert clean()
        again = await w.begin(await w.plans(4, now=LATER), now=LATER)
        assert [attempt.number_of_attempt for attempt in again] == [2, 1]
        assert clean()
        for attempt in again:
            await w.store.finish(ended(attempt, SubscriberStatus.FAIL, at=LATER))
        await w.seeds.set_status(1, open_one.plan.candidate.number, SubscriberStatus.ABORT)
        assert clean()
        await w.store.finish(ended(open_one, SubscriberStatus.START, ready_at=LATER, at=LATER))
        assert clean()
        [(status,)] = await w.database.run(
            lambda connection: connection.execute("SELECT status FROM subscriber WHERE id = 4").fetchall()
        )
        assert status == SubscriberStatus.ABORT


@pytest.mark.parametrize("status", [s for s in SubscriberStatus if s <= SubscriberStatus.COMPLETE])
@pytest_twisted.ensureDeferred
async def test_what_a_user_asks_for_breaks_no_invariant(url, status):
    async with world(url, contacts=1) as w:
        await w.seeds.set_status(1, "1000", status)
        assert audit(url, NOW).findings == ()
        await w.seeds.set_status(1, "1000", SubscriberStatus.START)
        assert audit(url, NOW).findings == ()
        assert len(await w.store.candidates(1, LATER, 10)) == 1
