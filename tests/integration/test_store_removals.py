"""What is removed is gone from every list and never called; its attempts stay, and its name is free again."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.errors import AlreadyExists, BadValue, InUse, LimitExceeded, NotFound
from dialer.management import campaigns, contacts, phonebooks, removals, users
from dialer.model import CampaignStatus, Contact, SubscriberStatus
from dialer.model.user import ADMINISTRATOR, Account
from dialer.store.audit import audit
from dialer.store.identities import DoubleContacts
from dialer.store.schema import upgrade
from tests.grounds import all_gone, rows
from tests.unit.store.support import World, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

ANN = Account(id=1, username="ann")


async def called(w: World, count: int = 1, status: SubscriberStatus = SubscriberStatus.COMPLETE) -> None:
    """The first contacts were called."""
    for attempt in await w.begun(count):
        await w.store.finish(ended(attempt, status))


def statuses(w: World, campaign_id: int = 1) -> list[tuple[str, int]]:
    return w.sql("SELECT number, status FROM subscriber WHERE campaign_id = ? ORDER BY number", campaign_id)


async def is_sound(w: World) -> None:
    assert not w.sql(
        "SELECT k.status FROM subscriber_count k WHERE k.subscribers <> (SELECT count(*) FROM subscriber s "
        "WHERE s.campaign_id = k.campaign_id AND s.status = k.status)"
    )
    found = audit(w.database.url, w.seeds.now)
    assert [finding.name for finding in found.findings] == []


@pytest_twisted.ensureDeferred
async def test_a_contact_with_attempts_is_archived_and_one_without_is_gone(tmp_path):
    async with world(tmp_path) as w:
        await called(w)
        for key in (1, 2):
            await w.seeds.ask(removals.contact, ANN, key)
        assert w.sql("SELECT id FROM contact ORDER BY id") == [1, 3]
        assert statuses(w) == [("1000", SubscriberStatus.COMPLETE), ("1002", SubscriberStatus.START)]
        assert len(await w.seeds.attempts()) == 1
        with pytest.raises(NotFound):
            await w.seeds.ask(removals.contact, ANN, 1)
        with pytest.raises(NotFound):
            await w.seeds.set_status(1, "1000", SubscriberStatus.START)
        await is_sound(w)


@pytest_twisted.ensureDeferred
async def test_the_number_of_a_removed_contact_is_free_in_its_phonebook_and_not_called_again_by_the_campaign(tmp_path):
    async with world(tmp_path) as w:
        await called(w)
        await w.seeds.ask(removals.contact, ANN, 1)
        details = await w.seeds.ask(contacts.create, ANN, 1, Contact(number="1000"))
        assert details.contact.number == "1000"
        assert statuses(w)[0] == ("1000", SubscriberStatus.COMPLETE)
        await w.seeds.ask(removals.contact, ANN, details.contact.id)
        assert (await w.seeds.add(1, [Contact(number="1000")])).created == 1
        await is_sound(w)


@pytest_twisted.ensureDeferred
async def test_a_contact_in_a_live_call_is_not_called_after_it(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.seeds.ask(removals.contact, ANN, 1)
        await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=w.seeds.now))
        assert statuses(w)[0] == ("1000", SubscriberStatus.ABORT)
        await is_sound(w)


@pytest_twisted.ensureDeferred
async def test_a_removed_phonebook_is_in_no_list_and_its_name_is_free(tmp_path):
    async with world(tmp_path) as w:
        await called(w, status=SubscriberStatus.FAIL)
        await removals.phonebook(w.seeds.management, ANN, 1)
        assert await w.seeds.ask(phonebooks.listed, ANN) == []
        assert statuses(w) == [("1000", SubscriberStatus.FAIL)]
        assert w.sql("SELECT name FROM phonebook") == ["spring (removed 1)"]
        assert await w.seeds.phonebook(name="spring") == 2
        for use_case in (phonebooks.read, contacts.create):
            more = (Contact(number="1"),) if use_case is contacts.create else ()
            with pytest.raises(NotFound):
                await w.seeds.ask(use_case, ANN, 1, *more)
        with pytest.raises(NotFound):
            await w.seeds.add(1, [Contact(number="77")])
        await removals.phonebook(w.seeds.management, ANN, 2)
        assert w.sql("SELECT id FROM phonebook") == [1]
        await is_sound(w)


@pytest_twisted.ensureDeferred
async def test_a_removed_campaign_is_aborted_and_its_name_is_free(tmp_path):
    async with world(tmp_path) as w:
        await called(w)
        await removals.campaign(w.seeds.management, ANN, 1)
        assert await w.seeds.ask(campaigns.listed, ANN, frozenset(CampaignStatus)) == []
        assert (await w.store.snapshot()).campaigns == ()
        assert statuses(w) == [("1000", SubscriberStatus.COMPLETE)]
        assert len(await w.seeds.attempts()) == 1
        with pytest.raises(NotFound):
            await w.seeds.set_campaign_status(1, CampaignStatus.START)
        details = await w.seeds.campaign(name="spring")
        assert details.campaign.id == 2
        await removals.campaign(w.seeds.management, ANN, 2)
        assert w.sql("SELECT id FROM campaign") == [1]
        await is_sound(w)


@pytest_twisted.ensureDeferred
async def test_a_removed_campaign_does_not_count_against_the_limit_of_its_user(tmp_path):
    async with world(tmp_path) as w:
        await called(w)
        await w.seeds.ask(users.change, 1, {"max_number_campaign": 1})
        with pytest.raises(LimitExceeded):
            await w.seeds.campaign(name="autumn")
        await removals.campaign(w.seeds.management, ANN, 1)
        assert (await w.seeds.campaign(name="autumn")).campaign.id == 2


@pytest_twisted.ensureDeferred
async def test_a_user_goes_with_all_it_has_when_that_is_asked_for(tmp_path):
    async with world(tmp_path) as w:
        await called(w)
        with pytest.raises(InUse):
            await w.seeds.ask(removals.user_without_anything, 1)
        await removals.user(w.seeds.management, 1)
        assert await w.seeds.ask(users.listed) == []
        assert len(await w.seeds.attempts()) == 1
        assert await w.seeds.user(username="ann") == 2
        await removals.user(w.seeds.management, 2)
        assert w.sql("SELECT username, is_active FROM user_account") == [("ann (removed 1)", 0)]
        with pytest.raises(NotFound):
            await removals.user(w.seeds.management, 1)
        await is_sound(w)


@pytest_twisted.ensureDeferred
async def test_a_phonebook_serves_further_campaigns(tmp_path):
    async with world(tmp_path) as w:
        await w.add_campaign("autumn", 1)
        assert await phonebooks.attach(w.seeds.management, ANN, 2, 1) == 2
        assert [number for number, _ in statuses(w, 2)] == ["1000", "1001", "1002"]
        await w.seeds.add(1, [Contact(number="2000")])
        assert len(statuses(w, 2)) == 4
        other = await w.seeds.user(username="ben")
        strange = await w.seeds.phonebook(other, name="his")
        with pytest.raises(NotFound):
            await phonebooks.attach(w.seeds.management, ANN, 1, strange)
        with pytest.raises(BadValue, match="another user's"):
            await phonebooks.attach(w.seeds.management, ADMINISTRATOR, 1, strange)


@pytest_twisted.ensureDeferred
async def test_a_detached_phonebook_is_called_no_more_but_for_those_of_another_one(tmp_path):
    async with world(tmp_path) as w:
        second = await w.seeds.phonebook(name="second")
        await w.seeds.add(second, [Contact(number="1001")])
        await phonebooks.attach(w.seeds.management, ANN, 1, second)
        [attempt] = await w.begun()
        await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=w.seeds.now))
        await removals.detach(w.seeds.management, ANN, 1, 1)
        assert statuses(w) == [("1000", SubscriberStatus.ABORT), ("1001", SubscriberStatus.START)]
        await w.seeds.add(1, [Contact(number="3000")])
        assert len(statuses(w)) == 2
        await is_sound(w)


@pytest_twisted.ensureDeferred
async def test_a_phonebook_is_changed_and_its_region_only_while_it_is_empty(tmp_path):
    async with world(tmp_path) as w:
        changed = await w.seeds.ask(phonebooks.change, ANN, 1, {"name": "summer", "description": "hot"})
        assert (changed.name, changed.description) == ("summer", "hot")
        with pytest.raises(BadValue, match="region: cannot be changed any more"):
            await w.seeds.ask(phonebooks.change, ANN, 1, {"region": "DE"})
        empty = await w.seeds.phonebook(name="empty")
        assert (await w.seeds.ask(phonebooks.change, ANN, empty, {"region": "DE"})).region == "DE"
        with pytest.raises(AlreadyExists):
            await w.seeds.ask(phonebooks.change, ANN, empty, {"name": "summer"})


@pytest_twisted.ensureDeferred
async def test_a_removed_contact_is_nobodys_double_when_the_region_changes(tmp_path):
    async with world(tmp_path, 0) as w:
        await w.seeds.add(1, [Contact(number="030123456")])
        await called(w)
        await w.seeds.ask(removals.contact, ANN, 1)
        await w.seeds.add(1, [Contact(number="030123456")])
        url = w.database.url
    told: list[DoubleContacts] = []
    await all_gone(url)
    upgrade(url, region="DE", tell=told.append)
    assert told == [DoubleContacts()]
    assert rows(url, "SELECT identity, double_of FROM contact ORDER BY id") == [("4930123456", None)] * 2
    assert rows(url, "SELECT identity FROM attempt") == [("4930123456",)]
    assert [finding.name for finding in audit(url, w.seeds.now).findings] == []
