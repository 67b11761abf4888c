"""The settings by which gateways carry calls, in a database: refused where they are wrong, and obeyed at once."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.errors import BadValue
from dialer.management import gateways, why
from dialer.model import BlockReason, RefusedContact, SubscriberStatus
from dialer.model.user import ADMINISTRATOR
from tests.unit.store.support import NOW, World, world

pytestmark = pytest.mark.usefixtures("database_kind")


def states(w: World) -> list[tuple[int, str | None]]:
    return w.sql("SELECT status, blocked_by FROM subscriber ORDER BY id")


@pytest_twisted.ensureDeferred
async def test_a_gateway_keeps_what_was_entered(tmp_path):
    async with world(tmp_path) as w:
        key = await w.seeds.gateway(
            name="dear",
            dial_string="loopback/{number}",
            codecs="PCMA PCMU",
            prefixes="1=0.01, 44=refused",
            group="out",
            weight=3,
            pause_after="none",
        )
        found = await w.seeds.ask(gateways.read, ADMINISTRATOR, key)
        assert (found.codecs, found.prefixes, found.group) == ("PCMA,PCMU", "+1=0.01,+44=refused", "out")
        assert (found.weight, found.pause_after) == (3, None)
        assert found.parameters == (("absolute_codec_string", "PCMA,PCMU"),)
        assert (await w.store.snapshot()).gateways[key] == found
        untouched = await w.seeds.ask(gateways.read, ADMINISTRATOR, 1)
        assert (untouched.codecs, untouched.prefixes, untouched.group, untouched.weight) == ("", "", "", 1)
        assert untouched.pause_after == 10


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"codecs": "PCMA}x"}, "codecs"),
        ({"prefixes": "+1=cheap"}, "prefixes"),
        ({"group": "a b"}, "group"),
        ({"weight": 0}, "weight"),
        ({"pause_after": 2}, "pause_after"),
        ({"codecs": "PCMA", "addparameter": "absolute_codec_string=PCMU"}, "codecs"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_setting_is_named_and_nothing_of_it_is_written(tmp_path, given, field):
    async with world(tmp_path) as w:
        before = w.sql("SELECT rules, addparameter, description FROM gateway")
        with pytest.raises(BadValue) as caught:
            await w.seeds.ask(gateways.change, 1, {"description": "x", **given})
        assert caught.value.field == field
        assert w.sql("SELECT rules, addparameter, description FROM gateway") == before


@pytest_twisted.ensureDeferred
async def test_codecs_are_said_in_one_place(tmp_path):
    async with world(tmp_path) as w:
        await w.seeds.ask(gateways.change, 1, {"codecs": "PCMA"})
        with pytest.raises(BadValue, match="addparameter") as caught:
            await w.seeds.ask(gateways.change, 1, {"addparameter": "Absolute_Codec_String=PCMU"})
        assert caught.value.field == "addparameter"
        await w.seeds.ask(gateways.change, 1, {"addparameter": "absolute_codec_string=PCMU", "codecs": ""})
        with pytest.raises(BadValue) as caught:
            await w.seeds.ask(gateways.change, 1, {"codecs": "PCMA"})
        assert caught.value.field == "codecs"


@pytest_twisted.ensureDeferred
async def test_contacts_that_no_gateway_carries_are_explained_and_looked_at_again_when_that_changes(tmp_path):
    async with world(tmp_path) as w:
        await w.seeds.ask(gateways.change, 1, {"prefixes": "+100=refused"})
        await w.store.snapshot()
        ready = await w.store.candidates(1, NOW, 10)
        reason = "no gateway carries +1000 (asked: carrier)"
        await w.store.refuse([RefusedContact(each, reason, BlockReason.NO_GATEWAY) for each in ready[:2]], NOW)
        assert states(w) == [(7, "no-gateway"), (7, "no-gateway"), (1, None)]
        found = await w.seeds.ask(why.contact, 1, "1000")
        assert found.status is SubscriberStatus.NOT_AUTHORISED
        assert [(block.reason, block.text) for block in found.blocks] == [(BlockReason.NO_GATEWAY, reason)]
        await w.seeds.ask(gateways.change, 1, {"description": "nothing of that"})
        await w.store.snapshot()
        assert states(w)[0] == (7, "no-gateway")
        await w.seeds.ask(gateways.change, 1, {"prefixes": ""})
        await w.store.snapshot()
        assert states(w) == [(1, None)] * 3
        assert (await w.seeds.ask(why.contact, 1, "1000")).blocks == ()
        assert w.sql("SELECT DISTINCT count_attempt FROM subscriber") == [0]


@pytest_twisted.ensureDeferred
async def test_a_contact_whose_carrier_is_busy_waits(tmp_path):
    async with world(tmp_path) as w:
        [first, *_] = await w.store.candidates(1, NOW, 10)
        later = NOW.replace(second=5)
        await w.store.refuse([RefusedContact(first, "+1000: gateway carrier is full", BlockReason.NO_GATEWAY, later)], NOW)
        assert states(w)[0] == (1, "no-gateway")
        assert len(await w.store.candidates(1, NOW, 10)) == 2
        assert len(await w.store.candidates(1, later, 10)) == 3
