"""Previews of what is in a database of either kind, beside those who write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from dialer.errors import BadValue, StoreError
from dialer.management import Management, preview_scans, previews
from dialer.management.contacts import import_contacts
from dialer.model import Contact, SubscriberStatus
from dialer.model.preview import Prospect
from dialer.model.user import ADMINISTRATOR
from dialer.rules.book import NO_RULES, RuleBook
from dialer.store.reading import ReadingThread
from tests.unit.rules.cases import SHIPPED
from tests.unit.store.support import NOW, World, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

HORIZON = timedelta(minutes=2, seconds=0.4)


async def previewed(w: World, rules: RuleBook = NO_RULES) -> Any:
    management = Management(w.database, lambda: NOW, None, reactor, rules=rules)
    w.sql("UPDATE installation SET rule_book = ?", rules.fingerprint)
    return await previews.preview(management, ADMINISTRATOR, 1, HORIZON)


def set_ready(w: World) -> None:
    """An hour ago: all of them."""
    w.sql("UPDATE subscriber SET ready_at = '2026-11-23 09:00:00.000000' WHERE status = 1")


@pytest_twisted.ensureDeferred
async def test_contacts_of_all_kinds_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(preview_scans, "AT_ONCE", 3)
    monkeypatch.setattr(previews, "AT_ONCE", 3)
    async with world(tmp_path, contacts=8) as w:
        set_ready(w)
        first, second, third, fourth, fifth = w.sql("SELECT number FROM subscriber ORDER BY id LIMIT 5")
        await w.seeds.forbid(first)
        w.sql("UPDATE subscriber SET status = 7, ready_at = NULL WHERE number = ?", second)
        w.sql("UPDATE subscriber SET ready_at = '2026-11-23 12:00:00.000000' WHERE number = ?", third)
        w.sql("UPDATE subscriber SET count_attempt = 2, ready_at = '2026-11-23 10:01:30.000000' WHERE number = ?", fourth)
        w.sql("UPDATE subscriber SET blocked_by = 'blacklist', status = 7, ready_at = NULL WHERE number = ?", fifth)
        found = await previewed(w)
        assert {prospect: count for prospect, count in found.counts.items() if count} == {
            Prospect.CALLED: 4,
            Prospect.DO_NOT_CALL: 1,
            Prospect.NOT_AUTHORISED: 1,
            Prospect.DUE_LATER: 1,
            Prospect.BLACKLIST: 1,
        }
        assert found.retries[Prospect.CALLED] == 1


@pytest_twisted.ensureDeferred
async def test_earlier_calls_and_hours_are_looked_up(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        some = [Contact(number=number) for number in ("+13055550100", "+13055550101", "+442079460958", "+13035550100")]
        await import_contacts(w.seeds.management, 1, some)
        set_ready(w)
        w.sql("UPDATE subscriber SET ready_at = '2026-11-23 08:00:00.000000' WHERE number = '+13055550100'")
        for _ in range(3):  # as often as Florida lets one be called in a day
            [attempt] = await w.begun(1)
            assert await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=NOW - timedelta(hours=2)))
        found = await previewed(w, SHIPPED)
        assert {prospect: count for prospect, count in found.counts.items() if count} == {
            Prospect.CALLED: 1,
            Prospect.CALLING_RULES: 3,
        }
        texts = [each.text for each in found.examples[Prospect.CALLING_RULES]]
        assert sum("3 attempts in 24 h reached" in text for text in texts) == 1


@pytest_twisted.ensureDeferred
async def test_a_reading_writes_nothing_and_tells_its_errors(tmp_path):
    async with world(tmp_path) as w:
        reading = w.database.reading()
        try:
            with pytest.raises(StoreError):
                await reading.run(lambda connection: connection.execute("UPDATE subscriber SET status = 5"))
            with pytest.raises(BadValue, match="of mine"):
                await reading.run(_refuse)
            assert await reading.run(lambda connection: connection.execute("SELECT count(*) FROM subscriber").fetchone()) == (
                3,
            )
            w.sql("UPDATE subscriber SET status = 5")
            counted = await reading.run(lambda connection: connection.execute("SELECT min(status) FROM subscriber").fetchone())
            assert counted == (5,)
        finally:
            reading.close()


def _least_status(connection: Any) -> int:
    return int(connection.execute("SELECT min(status) FROM subscriber").fetchone()[0])


def _refuse(_: Any) -> None:
    raise BadValue("field", "of mine")


@pytest_twisted.ensureDeferred
async def test_a_reading_of_a_database_that_is_not_there_says_so(tmp_path):
    reading = ReadingThread(f"sqlite:///{tmp_path}/none.db", reactor)
    with pytest.raises(StoreError, match=r"there is no database at .*none\.db"):
        await reading.run(lambda _: None)
    reading.close()
