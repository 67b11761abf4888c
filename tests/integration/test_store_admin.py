"""Creating, importing, reporting: each function, and what the database refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_twisted
from attrs import evolve

from dialer.errors import BadValue, Duplicate, NotFound
from dialer.model import CampaignStatus, Contact, Disposition, SubscriberStatus, VoipAppType
from dialer.store import contacts as contacts_module
from dialer.store.do_not_call import DoNotCall
from dialer.store.drafts import NewCampaign, NewGateway, NewPhonebook, NewUser, NewVoipApp
from dialer.store.flow import Store
from dialer.store.lookup import CampaignEntry, Lookup
from dialer.store.outbox import Outbox
from dialer.store.reports import DispositionCount, Reports
from tests.grounds import on_postgresql
from tests.unit.store.support import LATER, NOW, ended, numbers, world

pytestmark = pytest.mark.usefixtures("database_kind")

CAMPAIGN = NewCampaign(user_id=1, name="new", gateway_id=1, voip_app_id=1, starting_at=NOW, expires_at=LATER)


@pytest_twisted.ensureDeferred
async def test_names_are_unique_where_they_must_be(tmp_path):
    async with world(tmp_path) as w:
        for create, field in (
            (lambda: w.admin.create_user(NewUser(username="ann"), NOW), "username"),
            (lambda: w.admin.create_gateway(NewGateway(name="carrier", hostname="h"), NOW), "name"),
            (lambda: w.admin.create_voip_app(NewVoipApp(name="hello", type=VoipAppType.DIAL), NOW), "name"),
            (lambda: w.admin.create_phonebook(NewPhonebook(user_id=1, name="spring"), NOW), "name"),
            (lambda: w.admin.create_campaign(evolve(CAMPAIGN, name="spring"), NOW), "name"),
        ):
            with pytest.raises(Duplicate) as refused:
                await create()
            assert refused.value.field == field


@pytest_twisted.ensureDeferred
async def test_another_user_may_use_the_same_names(tmp_path):
    async with world(tmp_path) as w:
        other = await w.admin.create_user(NewUser(username="ben"), NOW)
        assert await w.admin.create_campaign(evolve(CAMPAIGN, name="spring", user_id=other), NOW) == 2
        assert await w.admin.create_phonebook(NewPhonebook(user_id=other, name="spring"), NOW) == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"frequency": 0}, "frequency"),
        ({"frequency": 2**70}, "frequency"),
        ({"call_timeout": 0}, "call_timeout"),
        ({"call_max_duration": -1}, "call_max_duration"),
        ({"max_retry": -1}, "max_retry"),
        ({"interval_retry": -1}, "interval_retry"),
        ({"max_concurrent": 0}, "max_concurrent"),
        ({"status": 5}, "status"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"unknown_policy": "perhaps"}, "unknown_policy"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_campaign_with_an_impossible_value_is_refused_by_the_name_of_the_field(tmp_path, changes, field):
    async with world(tmp_path) as w:
        with pytest.raises(BadValue) as refused:
            await w.admin.create_campaign(evolve(CAMPAIGN, **changes), NOW)
        assert refused.value.field == field
        assert not isinstance(refused.value, Duplicate)
        assert w.sql("SELECT count(*) FROM campaign") == [1]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (NewGateway(name="g", dial_string="sofia/gateway/x/"), "dial_string"),
        (NewGateway(name="g", protocol="H323", hostname="h"), "protocol"),
        (NewGateway(name="g"), "reachable"),
        (NewGateway(name="g", hostname="h", addparameter="novalue"), "addparameter"),
        (NewGateway(name="g", hostname="h", maximum_call=-1), "maximum_call"),
        (NewGateway(name="g", hostname="h", calls_per_second=0), "calls_per_second"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_gateway_with_an_impossible_value_is_refused_by_the_name_of_the_field(tmp_path, draft, field):
    async with world(tmp_path) as w:
        with pytest.raises(BadValue) as refused:
            await w.admin.create_gateway(draft, NOW)
        assert refused.value.field == field


@pytest_twisted.ensureDeferred
async def test_a_password_is_stored_only_as_its_argon2_hash(tmp_path):
    async with world(tmp_path) as w:
        with pytest.raises(BadValue, match="password_hash"):
            await w.admin.create_user(NewUser(username="cat", password_hash="secret"), NOW)
        assert await w.admin.create_user(
            NewUser(username="cat", password_hash="$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA"), NOW
        )


@pytest_twisted.ensureDeferred
async def test_what_a_draft_refers_to_must_exist(tmp_path):
    async with world(tmp_path) as w:
        for create, kind in (
            (lambda: w.admin.create_campaign(evolve(CAMPAIGN, user_id=9), NOW), "user"),
            (lambda: w.admin.create_campaign(evolve(CAMPAIGN, gateway_id=9), NOW), "gateway"),
            (lambda: w.admin.create_campaign(evolve(CAMPAIGN, voip_app_id=9), NOW), "voip app"),
            (lambda: w.admin.create_gateway(NewGateway(name="g", hostname="h", failover_id=9), NOW), "gateway"),
            (lambda: w.admin.create_voip_app(NewVoipApp(name="v", type=VoipAppType.DIAL, gateway_id=9), NOW), "gateway"),
            (lambda: w.admin.create_phonebook(NewPhonebook(user_id=9, name="p"), NOW), "user"),
            (lambda: w.admin.set_campaign_status(9, CampaignStatus.PAUSE, NOW), "campaign"),
            (lambda: w.contacts.subscribe(9, 1, NOW), "campaign"),
            (lambda: w.contacts.subscribe(1, 9, NOW), "phonebook"),
            (lambda: w.contacts.add_contacts(9, [Contact(number="1")], NOW), "phonebook"),
            (lambda: w.contacts.set_status(1, "nobody", SubscriberStatus.PAUSE, NOW), "subscriber"),
        ):
            with pytest.raises(NotFound) as refused:
                await create()
            assert refused.value.kind == kind


@pytest_twisted.ensureDeferred
async def test_a_gateway_without_dial_string_is_reached_by_its_fields_of_2011(tmp_path):
    async with world(tmp_path) as w:
        sip = await w.admin.create_gateway(
            NewGateway(name="sip", hostname="proxy.example", failover_id=1, maximum_call=3), NOW
        )
        local = await w.admin.create_gateway(NewGateway(name="local", protocol="LOCAL"), NOW)
        gateways = (await w.store.snapshot()).gateways
        assert gateways[sip].dial_string == "sofia/external/{number}@proxy.example"
        assert (gateways[sip].failover_id, gateways[sip].maximum_call) == (1, 3)
        assert gateways[local].dial_string == "loopback/{number}"


@pytest_twisted.ensureDeferred
async def test_an_import_reports_the_numbers_that_the_phonebook_has_already(tmp_path, monkeypatch):
    monkeypatch.setattr(contacts_module, "CHUNK", 4)
    async with world(tmp_path, contacts=3) as w:
        wanted = [Contact(number=number) for number in [*numbers(10), "1009", "1000"]]
        imported = await w.contacts.import_contacts(1, wanted, NOW)
        assert imported.created == 7
        assert imported.duplicates == ("1000", "1001", "1002", "1009", "1000")
        assert w.sql("SELECT number FROM contact ORDER BY id") == numbers(10)
        assert w.sql("SELECT number FROM subscriber ORDER BY id") == numbers(10)


@pytest_twisted.ensureDeferred
async def test_contacts_keep_what_was_told_about_them(tmp_path):
    async with world(tmp_path) as w:
        told = Contact(
            number="+34600",
            first_name="Zoë",
            last_name="O'Hara",
            email="z@example.org",
            description="a; b",
            additional_vars={"amount": "1"},
        )
        await w.contacts.add_contacts(1, [told], NOW)
        [row] = w.sql("SELECT first_name, last_name, email, description, additional_vars FROM contact WHERE number = '+34600'")
        assert row == ("Zoë", "O'Hara", "z@example.org", "a; b", '{"amount":"1"}')


@pytest_twisted.ensureDeferred
async def test_contacts_are_added_all_or_none(tmp_path):
    async with world(tmp_path) as w:
        with pytest.raises(Duplicate, match="1001 exists already"):
            await w.contacts.add_contacts(1, [Contact(number="9"), Contact(number="1001")], NOW)
        with pytest.raises(BadValue, match="number"):
            await w.contacts.add_contacts(1, [Contact(number="9"), Contact(number="9 or so")], NOW)
        assert w.sql("SELECT count(*) FROM contact") == [3]
        assert await w.contacts.add_contacts(1, [Contact(number="9"), Contact(number="+8")], NOW) == 2
        assert w.sql("SELECT count(*) FROM subscriber") == [5]


@pytest_twisted.ensureDeferred
async def test_new_contacts_join_the_campaigns_that_have_not_ended(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        for status in (CampaignStatus.PAUSE, CampaignStatus.ABORT, CampaignStatus.END):
            other = await w.add_campaign(status.name, status=status)
            await w.contacts.subscribe(other, 1, NOW)
        await w.contacts.add_contacts(1, [Contact(number="9")], NOW)
        assert w.sql("SELECT campaign_id FROM subscriber ORDER BY 1") == [1, 2]


@pytest_twisted.ensureDeferred
async def test_a_linked_phonebook_brings_its_contacts_once_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(contacts_module, "CHUNK", 2)
    async with world(tmp_path, contacts=5) as w:
        other = await w.add_campaign("autumn", 1)
        assert await w.contacts.subscribe(other, 1, LATER) == 4
        assert await w.contacts.subscribe(other, 1, LATER) == 0
        assert w.sql("SELECT number FROM subscriber WHERE campaign_id = ? ORDER BY id", other) == numbers(5)
        assert [ready.number for ready in await w.store.candidates(other, LATER, 9)] == numbers(5)


@pytest_twisted.ensureDeferred
async def test_a_subscribers_status_is_set_at_once_when_no_call_is_live(tmp_path):
    async with world(tmp_path) as w:
        await w.contacts.set_status(1, "1000", SubscriberStatus.PAUSE, NOW)
        assert [ready.number for ready in await w.store.candidates(1, NOW, 9)] == ["1001", "1002"]
        await w.contacts.set_status(1, "1000", SubscriberStatus.START, LATER)
        assert [ready.number for ready in await w.store.candidates(1, LATER, 9)] == ["1001", "1002", "1000"]
        with pytest.raises(ValueError, match="not for users"):
            w.contacts.set_status(1, "1000", SubscriberStatus.IN_PROCESS, NOW)


@pytest_twisted.ensureDeferred
async def test_start_does_not_hasten_a_subscriber_that_waits_for_its_retry(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=LATER))
        await w.contacts.set_status(1, "1000", SubscriberStatus.START, NOW)
        assert "1000" not in [ready.number for ready in await w.store.candidates(1, NOW, 9)]


@pytest_twisted.ensureDeferred
async def test_the_do_not_call_list_is_kept(tmp_path):
    async with world(tmp_path) as w:
        listed = DoNotCall(w.database)
        assert await listed.add(["3", "1", "2", "1"], NOW, "asked") == 3
        assert await listed.add(["1"], NOW) == 0
        assert await listed.page(limit=2) == ["1", "2"]
        assert await listed.page(after="2") == ["3"]
        assert await listed.remove(["1", "9"]) == 1
        assert await listed.page() == ["2", "3"]
        with pytest.raises(BadValue, match="number"):
            await listed.add(["4", "nobody"], NOW)
        assert await listed.page() == ["2", "3"]


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_a_list_with_a_character_that_a_server_does_not_take_is_refused(tmp_path):
    async with world(tmp_path) as w:
        with pytest.raises(BadValue, match="NUL"):
            await DoNotCall(w.database).add(["4", "5\0"], NOW)


@pytest_twisted.ensureDeferred
async def test_reports_tell_what_became_of_the_attempts(tmp_path):
    async with world(tmp_path, contacts=4) as w:
        first, second, third, _ = await w.begun(4)
        await w.store.finish(ended(first, talk_ms=1000, duration_ms=1500, session={"digits": "1"}))
        await w.store.finish(ended(second, talk_ms=500))
        busy = ended(third, SubscriberStatus.START, ready_at=LATER, counts=False, cause="USER_BUSY", q850=17)
        await w.store.finish(evolve(busy, disposition=Disposition.BUSY))
        reports = Reports(w.database)
        assert await reports.dispositions(1) == [
            DispositionCount(disposition=Disposition.ANSWERED, cause="NORMAL_CLEARING", attempts=2, counted=2, talk_ms=1500),
            DispositionCount(disposition=Disposition.BUSY, cause="USER_BUSY", attempts=1, counted=0, talk_ms=0),
        ]
        totals = await reports.totals(1)
        assert (totals.attempts, totals.ended, totals.counted, totals.talk_ms) == (4, 3, 2, 1500)
        assert (totals.first_planned_at, totals.last_ended_at) == (NOW, LATER)
        records = await reports.attempts(1)
        assert [record.call_uuid for record in records] == ["call-1", "call-2", "call-3", "call-4"]
        assert (records[0].session, records[0].duration_ms, records[0].counts) == ({"digits": "1"}, 1500, True)
        assert (records[2].disposition, records[2].q850, records[2].counts) == (Disposition.BUSY, 17, False)
        assert (records[3].disposition, records[3].ended_at, records[3].state) == (None, None, "planned")
        assert [record.id for record in await reports.attempts(1, after=records[1].id, limit=1)] == [records[2].id]


@pytest_twisted.ensureDeferred
async def test_outbox_rows_are_due_until_they_are_settled(tmp_path):
    async with world(tmp_path) as w:
        store = Store(w.database, w.clock, node="here", outbox=True)
        for attempt in await w.begun(3):
            await store.finish(ended(attempt))
        outbox = Outbox(w.database)
        first, second, third = [row.id for row in await outbox.due(LATER, 10)]
        assert await outbox.delivered(first, LATER) is True
        assert await outbox.delivered(first, LATER) is False
        assert await outbox.try_again(second, LATER + timedelta(seconds=5), "refused") is True
        assert await outbox.give_up(third, LATER, "gone") is True
        assert await outbox.due(LATER, 10) == []
        [row] = await outbox.due(LATER + timedelta(seconds=5), 10)
        assert (row.id, row.tries) == (second, 1)
        assert w.sql("SELECT status, last_error FROM outbox ORDER BY id") == [
            ("delivered", ""),
            ("due", "refused"),
            ("given_up", "gone"),
        ]


@pytest_twisted.ensureDeferred
async def test_campaigns_are_listed_with_whether_a_contact_is_left_to_call(tmp_path):
    async with world(tmp_path, contacts=1) as w:
        await w.add_campaign("empty", status=CampaignStatus.PAUSE)
        lookup = Lookup(w.database)
        user = await lookup.user("ann")
        assert await lookup.user("nobody") is None
        spring = CampaignEntry(id=1, name="spring", status=CampaignStatus.START, phonebook_id=1, unfinished=True)
        empty = CampaignEntry(id=2, name="empty", status=CampaignStatus.PAUSE, phonebook_id=2, unfinished=False)
        assert await lookup.campaigns(user) == [spring, empty]
        [attempt] = await w.begun()
        assert (await lookup.campaigns(user))[0].unfinished
        await w.store.finish(ended(attempt))
        assert await lookup.campaigns(user) == [evolve(spring, unfinished=False), empty]
