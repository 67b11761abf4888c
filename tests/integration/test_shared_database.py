"""A server's database into which others write at the same moment: nobody is overlooked, and nothing is said to be stored that
is not."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import deferLater

from dialer.errors import AlreadyExists, InUse, NotFound, StoreError
from dialer.management import Management, Transaction, campaigns, contacts, grants, phonebooks
from dialer.model import Contact
from dialer.store.database import Database
from tests.grounds import on_postgresql, rows
from tests.seeding import account
from tests.unit.store.support import NOW, world

pytestmark = on_postgresql


@asynccontextmanager
async def another(url):
    from twisted.internet import reactor

    database = Database(url, reactor)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


@asynccontextmanager
async def under_way(database, work):
    """`work` has been done in a transaction that commits at the end of the block."""
    done, gate = threading.Event(), threading.Event()

    def first(entities):
        work(Transaction(entities.db.get_connection(), entities, NOW))
        entities.db.flush()
        done.set()
        assert gate.wait(30)

    written = database.run_with_entities(first)
    try:
        assert done.wait(30)
        yield
    finally:
        gate.set()
        await written


async def until_somebody_waits(url):
    """A session of the database waits for another one's lock."""
    from twisted.internet import reactor

    end = reactor.seconds() + 20
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while rows(url, waiting) == [(0,)]:
        assert reactor.seconds() < end, "nobody waits"
        await deferLater(reactor, 0.005)


CAMPAIGN = {"name": "autumn", "gateway_id": 1, "voip_app_id": 1}
TAKEN = {
    "campaign": (campaigns.create, CAMPAIGN),
    "phonebook": (phonebooks.create, {"name": "autumn"}),
    "contacts": (contacts.create_several, 1, [("77", "77"), ("78", "78")]),
}


@pytest.mark.parametrize("what", TAKEN)
@pytest_twisted.ensureDeferred
async def test_what_another_process_takes_at_the_same_moment_is_refused_as_if_it_had_been_taken_before(
    tmp_path, database_kind, what
):
    from twisted.internet import reactor

    async with world(tmp_path) as w, another(w.database.url) as other:
        use_case, *arguments = TAKEN[what]
        async with under_way(other, lambda t: use_case(t, account(), *arguments)):
            answer = Management(w.database, lambda: NOW, reactor=reactor).ask(use_case, account(), *arguments)
            await until_somebody_waits(w.database.url)
        with pytest.raises(AlreadyExists):
            await answer


@pytest_twisted.ensureDeferred
async def test_a_grant_is_not_revoked_while_a_campaign_that_uses_it_is_being_made(tmp_path, database_kind):
    from twisted.internet import reactor

    async with world(tmp_path) as w, another(w.database.url) as other:
        await w.seeds.gateway(name="dear", hostname="dear")
        await w.seeds.grant(1, gateways=[2])
        given = {**CAMPAIGN, "gateway_id": 2}
        async with under_way(other, lambda t: campaigns.create(t, account(), given)):
            answer = Management(w.database, lambda: NOW, reactor=reactor).ask(grants.revoke, 1, {"gateway": [2]})
            await until_somebody_waits(w.database.url)
        with pytest.raises(InUse, match="is used by 1 campaign"):
            await answer
        assert w.sql("SELECT gateway_id FROM gateway_user WHERE gateway_id = 2") == [2]


@pytest_twisted.ensureDeferred
async def test_no_campaign_uses_what_is_being_revoked(tmp_path, database_kind):
    from twisted.internet import reactor

    async with world(tmp_path) as w, another(w.database.url) as other:
        await w.seeds.gateway(name="dear", hostname="dear")
        await w.seeds.grant(1, gateways=[2])
        given = {**CAMPAIGN, "gateway_id": 2}
        async with under_way(other, lambda t: grants.revoke(t, 1, {"gateway": [2]})):
            answer = Management(w.database, lambda: NOW, reactor=reactor).ask(campaigns.create, account(), given)
            await until_somebody_waits(w.database.url)
        with pytest.raises(NotFound, match="there is no gateway 2"):
            await answer


@pytest_twisted.ensureDeferred
async def test_contacts_that_are_added_while_their_phonebook_is_linked_become_subscribers(tmp_path, database_kind):
    async with world(tmp_path, contacts=0) as w, another(w.database.url) as other:
        phonebook = await w.seeds.phonebook(name="more")
        some = [Contact(number="77"), Contact(number="78")]
        async with under_way(other, lambda t: contacts.add_chunk(t, phonebook, some)):
            added = Deferred.fromCoroutine(w.seeds.subscribe(1, phonebook))
            await until_somebody_waits(w.database.url)
        assert await added == 2
        assert w.sql("SELECT number FROM subscriber ORDER BY number") == ["77", "78"]


@pytest_twisted.ensureDeferred
async def test_a_function_that_goes_on_after_a_refused_statement_fails_alone(tmp_path, database_kind):
    def swallow(connection):
        connection.execute(
            "INSERT INTO do_not_call (list_id, number, reason, created_at, identity) VALUES (1, '1', '', ?, '1')", (NOW,)
        )
        try:
            connection.execute(
                "INSERT INTO do_not_call (list_id, number, reason, created_at, identity) VALUES (1, 'no number', '', ?, 'x')",
                (NOW,),
            )
        except Exception:
            return "stored"

    async with world(tmp_path) as w, another(w.database.url) as other:
        for database in (w.database, other):
            async with under_way(database, lambda _: None):
                good = database.run(lambda c: c.execute("UPDATE campaign SET name = name").rowcount)
                jobs = [good, database.run(swallow), database.run(lambda c: c.execute("SELECT 1").fetchone())]
            results = await DeferredList(jobs, consumeErrors=True)
            assert [ok for ok, _ in results] == [True, False, True]
            assert results[1][1].check(StoreError)
        assert w.sql("SELECT number FROM do_not_call") == []
