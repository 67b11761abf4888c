"""Creating, importing, reporting: each function, and what the database refuses."""

from __future__ import annotations

import pytest
import pytest_twisted
from attrs import evolve

from dialer.errors import BadValue, Duplicate, NotFound
from dialer.management import campaigns, do_not_call, records, statistics, users
from dialer.management import contacts as contacts_module
from dialer.model import Account, CampaignStatus, Contact, Disposition, SubscriberStatus, VoipAppType
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.statistics import Sums
from dialer.model.user import ADMINISTRATOR
from dialer.store.statistics import FIRST
from tests.grounds import on_postgresql
from tests.unit.store.support import LATER, NOW, ended, numbers, world

pytestmark = pytest.mark.usefixtures("database_kind")


@pytest_twisted.ensureDeferred
async def test_names_are_unique_where_they_must_be(tmp_path):
    async with world(tmp_path) as w:
        for create, field in (
            (lambda: w.seeds.user(username="ann"), "username"),
            (lambda: w.seeds.gateway(name="carrier", hostname="h"), "name"),
            (lambda: w.seeds.voip_app(name="hello", type=VoipAppType.DIAL), "name"),
            (lambda: w.seeds.phonebook(name="spring"), "name"),
            (lambda: w.seeds.campaign(name="spring"), "name"),
        ):
            with pytest.raises(Duplicate) as refused:
                await create()
            assert refused.value.field == field


@pytest_twisted.ensureDeferred
async def test_another_user_may_use_the_same_names(tmp_path):
    async with world(tmp_path) as w:
        other = await w.seeds.user(username="ben")
        assert await w.seeds.phonebook(other, name="autumn") == 2
        details = await w.seeds.campaign(other, name="spring")
        assert (details.campaign.id, details.phonebooks[0].name) == (2, "spring")


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
            await w.seeds.campaign(**{"name": "new", **changes})
        assert refused.value.field == field
        assert not isinstance(refused.value, Duplicate)
        assert w.sql("SELECT count(*) FROM campaign") == [1]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "g", "dial_string": "sofia/gateway/x/"}, "dial_string"),
        ({"name": "g", "protocol": "H323", "hostname": "h"}, "protocol"),
        ({"name": "g"}, "hostname"),
        ({"name": "g", "hostname": "h", "addparameter": "novalue"}, "addparameter"),
        ({"name": "g", "hostname": "h", "maximum_call": -1}, "maximum_call"),
        ({"name": "g", "hostname": "h", "calls_per_second": 0}, "calls_per_second"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_gateway_with_an_impossible_value_is_refused_by_the_name_of_the_field(tmp_path, given, field):
    async with world(tmp_path) as w:
        with pytest.raises(BadValue) as refused:
            await w.seeds.gateway(**given)
        assert refused.value.field == field


@pytest_twisted.ensureDeferred
async def test_a_password_is_stored_only_as_its_argon2_hash(tmp_path):
    async with world(tmp_path) as w:
        with pytest.raises(BadValue, match="password_hash"):
            await w.seeds.user(username="cat", password_hash="secret")
        assert await w.seeds.user(username="cat", password_hash="$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA")


@pytest_twisted.ensureDeferred
async def test_what_a_draft_refers_to_must_exist(tmp_path):
    async with world(tmp_path) as w:
        for create, kind in (
            (lambda: w.seeds.campaign(9, name="new"), "user"),
            (lambda: w.seeds.campaign(name="new", gateway_id=9), "gateway"),
            (lambda: w.seeds.campaign(name="new", voip_app_id=9), "voip app"),
            (lambda: w.seeds.gateway(name="g", hostname="h", failover_id=9), "gateway"),
            (lambda: w.seeds.voip_app(name="v", type=VoipAppType.DIAL, gateway_id=9), "gateway"),
            (lambda: w.seeds.phonebook(9, name="p"), "user"),
            (lambda: w.seeds.set_campaign_status(9, CampaignStatus.PAUSE), "campaign"),
            (lambda: w.seeds.subscribe(9, 1), "campaign"),
            (lambda: w.seeds.subscribe(1, 9), "phonebook"),
            (lambda: w.seeds.add_all(9, [Contact(number="1")]), "phonebook"),
            (lambda: w.seeds.set_status(1, "404", SubscriberStatus.PAUSE), "subscriber"),
        ):
            with pytest.raises(NotFound) as refused:
                await create()
            assert refused.value.kind == kind


@pytest_twisted.ensureDeferred
async def test_a_gateway_without_dial_string_is_reached_by_its_fields_of_2011(tmp_path):
    async with world(tmp_path) as w:
        sip = await w.seeds.gateway(name="sip", hostname="proxy.example", failover_id=1, maximum_call=3)
        local = await w.seeds.gateway(name="local", protocol="LOCAL")
        gateways = (await w.store.snapshot()).gateways
        assert gateways[sip].address == "sofia/external/{number}@proxy.example"
        assert (gateways[sip].failover_id, gateways[sip].maximum_call) == (1, 3)
        assert gateways[local].address == "loopback/{number}"


@pytest_twisted.ensureDeferred
async def test_an_import_reports_the_numbers_that_the_phonebook_has_already(tmp_path, monkeypatch):
    monkeypatch.setattr(contacts_module, "CHUNK", 4)
    async with world(tmp_path, contacts=3) as w:
        wanted = [Contact(number=number) for number in [*numbers(10), "1009", "1000"]]
        imported = await w.seeds.add(1, wanted)
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
        await w.seeds.add_all(1, [told])
        [row] = w.sql("SELECT first_name, last_name, email, description, additional_vars FROM contact WHERE number = '+34600'")
        assert row == ("Zoë", "O'Hara", "z@example.org", "a; b", '{"amount":"1"}')


@pytest_twisted.ensureDeferred
async def test_contacts_are_added_all_or_none(tmp_path):
    async with world(tmp_path) as w:
        with pytest.raises(Duplicate, match="1001 exists already"):
            await w.seeds.add_all(1, [Contact(number="9"), Contact(number="1001")])
        with pytest.raises(BadValue, match="number"):
            await w.seeds.add_all(1, [Contact(number="9"), Contact(number="9 or so")])
        assert w.sql("SELECT count(*) FROM contact") == [3]
        assert await w.seeds.add_all(1, [Contact(number="9"), Contact(number="+8")]) == 2
        assert w.sql("SELECT count(*) FROM subscriber") == [5]


@pytest_twisted.ensureDeferred
async def test_new_contacts_join_the_campaigns_that_have_not_ended(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        for status in (CampaignStatus.PAUSE, CampaignStatus.ABORT, CampaignStatus.END):
            other = await w.add_campaign(status.name, status=status)
            await w.seeds.subscribe(other, 1)
        await w.seeds.add_all(1, [Contact(number="9")])
        assert w.sql("SELECT campaign_id FROM subscriber ORDER BY 1") == [1, 2]


@pytest_twisted.ensureDeferred
async def test_a_linked_phonebook_brings_its_contacts_once_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(contacts_module, "CHUNK", 2)
    async with world(tmp_path, contacts=5) as w:
        other = await w.add_campaign("autumn", 1)
        assert await w.seeds.subscribe(other, 1) == 4
        assert await w.seeds.subscribe(other, 1) == 0
        assert w.sql("SELECT number FROM subscriber WHERE campaign_id = ? ORDER BY id", other) == numbers(5)
        assert [ready.number for ready in await w.store.candidates(other, LATER, 9)] == numbers(5)


@pytest_twisted.ensureDeferred
async def test_a_subscribers_status_is_set_at_once_when_no_call_is_live(tmp_path):
    async with world(tmp_path) as w:
        await w.seeds.set_status(1, "1000", SubscriberStatus.PAUSE)
        assert [ready.number for ready in await w.store.candidates(1, NOW, 9)] == ["1001", "1002"]
        w.seeds.now = LATER
        await w.seeds.set_status(1, "1000", SubscriberStatus.START)
        assert [ready.number for ready in await w.store.candidates(1, LATER, 9)] == ["1001", "1002", "1000"]
        with pytest.raises(ValueError, match="not for users"):
            await w.seeds.set_status(1, "1000", SubscriberStatus.IN_PROCESS)


@pytest_twisted.ensureDeferred
async def test_start_does_not_hasten_a_subscriber_that_waits_for_its_retry(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=LATER))
        await w.seeds.set_status(1, "1000", SubscriberStatus.START)
        assert "1000" not in [ready.number for ready in await w.store.candidates(1, NOW, 9)]


@pytest_twisted.ensureDeferred
async def test_the_do_not_call_list_is_kept(tmp_path):
    async with world(tmp_path) as w:
        assert await w.seeds.forbid("3", "1", "2", "1", reason="asked") == 3
        assert await w.seeds.forbid("1") == 0
        assert await forbidden(w, limit=2) == ["1", "2"]
        assert await forbidden(w, after="2") == ["3"]
        removed = await w.seeds.ask(do_not_call.remove, ADMINISTRATOR, EVERYBODYS, ["1", "9"])
        assert (removed.changed, removed.unchanged) == (1, 1)
        assert await forbidden(w) == ["2", "3"]
        with pytest.raises(BadValue, match="number"):
            await w.seeds.forbid("4", "nobody")
        assert await forbidden(w) == ["2", "3"]


async def forbidden(w, **page):
    return [entry.number for entry in await w.seeds.ask(do_not_call.page, ADMINISTRATOR, EVERYBODYS, **page)]


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_a_list_with_a_character_that_a_server_does_not_take_is_refused(tmp_path):
    async with world(tmp_path) as w:
        with pytest.raises(BadValue, match="is not a number"):
            await w.seeds.forbid("4", "5\0")


@pytest_twisted.ensureDeferred
async def test_reports_tell_what_became_of_the_attempts(tmp_path):
    async with world(tmp_path, contacts=4) as w:
        first, second, third, _ = await w.begun(4)
        await w.store.finish(ended(first, talk_ms=1000, duration_ms=1500, session={"digits": "1"}))
        await w.store.finish(ended(second, talk_ms=500))
        busy = ended(third, SubscriberStatus.START, ready_at=LATER, counts=False, cause="USER_BUSY", q850=17)
        await w.store.finish(evolve(busy, disposition=Disposition.BUSY))
        told = await statistics.of_campaign(w.seeds.management, ADMINISTRATOR, 1)
        assert list(told.by_cause.items()) == [
            ((Disposition.ANSWERED, "NORMAL_CLEARING"), Sums(attempts=2, counted=2, answered=2, talk_ms=1500)),
            ((Disposition.BUSY, "USER_BUSY"), Sums(attempts=1)),
        ]
        assert (told.totals, told.live_calls) == (Sums(attempts=3, counted=2, answered=2, talk_ms=1500), 1)
        assert list(told.by_hour) == [NOW]
        assert told.attempts_per_contact == {0: 2, 1: 2}
        with pytest.raises(NotFound):
            await w.seeds.ask(statistics.page, Account(id=77, username="bob"), 1, FIRST)
        found = await w.seeds.attempts()
        assert [record.call_uuid for record in found] == ["call-1", "call-2", "call-3", "call-4"]
        assert (found[0].session, found[0].duration_ms, found[0].counts_as_attempt) == ({"digits": "1"}, 1500, True)
        assert (found[2].disposition, found[2].q850, found[2].counts_as_attempt) == (Disposition.BUSY, 17, False)
        assert (found[3].disposition, found[3].ended_at, found[3].state) == (None, None, "planned")
        assert [record.id for record in await w.seeds.ask(records.attempts, 1, after=found[1].id, limit=1)] == [found[2].id]


@pytest_twisted.ensureDeferred
async def test_a_campaign_is_unfinished_while_a_contact_is_left_to_call(tmp_path):
    async with world(tmp_path, contacts=1) as w:
        await w.add_campaign("empty", status=CampaignStatus.PAUSE)
        user = await w.seeds.ask(users.account, "ann")
        with pytest.raises(NotFound):
            await w.seeds.ask(users.account, "nobody")
        assert await w.seeds.ask(campaigns.unfinished, user) == [1]
        [attempt] = await w.begun()
        assert await w.seeds.ask(campaigns.unfinished, user) == [1]
        await w.store.finish(ended(attempt))
        assert await w.seeds.ask(campaigns.unfinished, user) == []
