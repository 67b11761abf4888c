"""What voice applications read and write, and what the store takes as their data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from dialer.errors import BadValue
from dialer.interfaces import OPT_OUT
from dialer.management import gateways
from dialer.model import Campaign, Candidate, Contact, VoipAppType
from dialer.store.answered import AnsweredCalls
from dialer.stored import load_rules
from tests.unit.store.support import NOW, World, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

GOOD = {VoipAppType.DIAL: "+49 30 1", VoipAppType.CONFERENCE: "sales", VoipAppType.SPEAK: "Dear {first_name}"}
BAD = {VoipAppType.DIAL: "user/1000", VoipAppType.CONFERENCE: "bridge:a:b", VoipAppType.SPEAK: "x" * 2001}


@ensureDeferred
async def test_a_contact_is_read_with_what_is_known_of_it(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=0) as w:
        ana = Contact(
            number="+77", first_name="Ana", last_name="B", email="e", description="d", additional_vars={"city": "Lima"}
        )
        await w.seeds.add(1, [ana])
        store = AnsweredCalls(w.database, lambda: NOW)
        assert await store.contact(1) == evolve(ana, identity="77", id=1, phonebook_id=1, created_at=NOW, updated_at=NOW)
        assert await store.contact(99) is None


@ensureDeferred
async def test_a_gateway_is_read_as_it_is_now(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        store = AnsweredCalls(w.database, lambda: NOW)
        await w.seeds.ask(gateways.change, 1, {"addprefix": "00"})
        gateway, _ = await store.parties(1, 1)
        assert gateway is not None
        assert (gateway.name, gateway.addprefix, gateway.parameters) == ("carrier", "00", (("a", "1"),))
        assert await store.gateways() == [gateway]
        assert await store.parties(99, 99) == (None, None)


@ensureDeferred
async def test_a_number_that_opted_out_is_not_called_in_another_spelling(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=0) as w:
        await w.seeds.add(1, [Contact(number="15550000099"), Contact(number="15550000098")])
        pressed = Candidate(subscriber_id=1, contact_id=1, campaign_id=1, number="+15550000099", identity="15550000099")
        await AnsweredCalls(w.database, lambda: NOW).never_call(pressed, NOW, "pressed 9")
        assert [plan.candidate.number for plan in await w.plans(9, 1)] == ["15550000098"]


@ensureDeferred
async def test_a_number_that_opted_out_is_never_called_again_in_any_campaign(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=2) as w:
        await w.add_campaign("autumn", 2)
        wanted = Candidate(subscriber_id=1, contact_id=1, campaign_id=1, number="1000", identity="1000")
        await AnsweredCalls(w.database, lambda: NOW).never_call(wanted, NOW, "pressed 9")
        await AnsweredCalls(w.database, lambda: NOW).never_call(wanted, NOW, "pressed 9 again")
        for campaign_id in (1, 2):
            assert [plan.candidate.number for plan in await w.plans(9, campaign_id)] == ["1001"]
        assert w.sql("SELECT number, reason FROM do_not_call") == [("1000", "pressed 9")]


@ensureDeferred
async def test_the_note_of_an_opt_out_puts_the_number_on_the_list_with_the_end_of_the_attempt(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        (attempt,) = await w.begun()
        assert await w.store.finish(ended(attempt, session={OPT_OUT: "9", "digits": "9"}))
        assert w.sql("SELECT number FROM do_not_call") == [attempt.plan.candidate.number]


@ensureDeferred
async def test_an_end_without_that_note_does_not(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        (attempt,) = await w.begun()
        assert await w.store.finish(ended(attempt, session={"digits": "9"}))
        assert w.sql("SELECT number FROM do_not_call") == []


async def create(w: World, name: str, app_id: int, data: str) -> int:
    return (await w.seeds.campaign(name=name, voip_app_id=app_id, voip_app_data=data)).campaign.id


async def change(w: World, campaign_id: int, **changes: Any) -> None:
    await w.seeds.change_campaign(campaign_id, **changes)


def data_of(w: World, campaign_id: int) -> tuple[int, str]:
    """Its voice application, and the data for it."""
    ((app_id, rules),) = w.sql("SELECT voip_app_id, rules FROM campaign WHERE id = ?", campaign_id)
    return app_id, load_rules(Campaign, rules).values["voip_app_data"]


@pytest.mark.parametrize("kind", GOOD)
@ensureDeferred
async def test_a_campaigns_data_must_fit_its_voice_application(tmp_path: Path, kind: VoipAppType) -> None:
    async with world(tmp_path, contacts=0) as w:
        app_id = await w.seeds.voip_app(name="app", type=kind, gateway_id=1)
        with pytest.raises(BadValue, match=r"^voip_app_data: "):
            await create(w, "bad", app_id, BAD[kind])
        campaign_id = await create(w, "good", app_id, GOOD[kind])
        with pytest.raises(BadValue, match=r"^voip_app_data: "):
            await change(w, campaign_id, voip_app_data=BAD[kind])
        with pytest.raises(BadValue, match=r"^voip_app_data: is missing"):
            await change(w, campaign_id, voip_app_data="")
        assert data_of(w, campaign_id) == (app_id, GOOD[kind])
        await w.seeds.ask(gateways.change_application, app_id, {"data": GOOD[kind]})
        await change(w, campaign_id, voip_app_data="")
        assert data_of(w, campaign_id) == (app_id, "")


@ensureDeferred
async def test_another_voice_application_must_be_able_to_use_the_data_that_is_there(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=0) as w:
        dial = await w.seeds.voip_app(name="dial", type=VoipAppType.DIAL, gateway_id=1)
        campaign_id = await create(w, "c", 1, "hello.wav")
        with pytest.raises(BadValue, match=r"^voip_app_data: 'hello.wav' is not a number"):
            await change(w, campaign_id, voip_app_id=dial)
        await change(w, campaign_id, voip_app_id=dial, voip_app_data="2000")
        assert data_of(w, campaign_id) == (dial, "2000")


@ensureDeferred
async def test_an_administrators_data_must_fit_the_kind_whenever_either_changes(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=0) as w:
        with pytest.raises(BadValue, match=r"^data: "):
            await w.seeds.voip_app(name="d", type=VoipAppType.DIAL, data="sales team")
        app_id = await w.seeds.voip_app(name="d", type=VoipAppType.DIAL, data="user/1000")
        with pytest.raises(BadValue, match=r"^data: "):
            await w.seeds.ask(gateways.change_application, app_id, {"type": VoipAppType.CONFERENCE})
        with pytest.raises(BadValue, match=r"^data: "):
            await w.seeds.ask(gateways.change_application, app_id, {"data": "a|b"})
        assert w.sql("SELECT type, data FROM voip_app WHERE id = ?", app_id) == [(1, "user/1000")]
