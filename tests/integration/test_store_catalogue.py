"""Users, gateways and voice applications: listed, changed, removed."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.errors import BadValue, Duplicate, InUse, NotFound
from dialer.management import gateways, removals, users
from dialer.model import GatewayStatus, VoipAppType
from dialer.model.user import ADMINISTRATOR
from tests.unit.store.support import LATER, NOW, world

pytestmark = pytest.mark.usefixtures("database_kind")


@pytest_twisted.ensureDeferred
async def test_everything_is_listed_as_it_was_entered(tmp_path):
    async with world(tmp_path) as w:
        await w.seeds.user(username="ben", max_frequency=7, blacklist=("49", "=1"), whitelist=("4",))
        await w.seeds.gateway(name="spare", protocol="LOCAL", calls_per_second=3, maximum_call=9, failover_id=1)
        await w.seeds.voip_app(name="bridge", type=VoipAppType.DIAL, gateway_id=2, data="2000")
        ann, ben = await w.seeds.ask(users.listed)
        assert (ann.user.username, ann.user.password_hash, ann.user.max_frequency, ann.blacklist) == ("ann", "", None, ())
        assert (ben.user.max_frequency, ben.blacklist, ben.whitelist, ben.user.created_at) == (7, ("49", "=1"), ("4",), NOW)
        carrier, spare = await w.seeds.ask(gateways.listed, ADMINISTRATOR)
        assert (carrier.name, carrier.failover_id, carrier.dial_string) == ("carrier", None, "loopback/{number}")
        assert (spare.protocol, spare.calls_per_second, spare.maximum_call, spare.failover_id) == ("LOCAL", 3, 9, 1)
        assert spare.status is GatewayStatus.ACTIVE
        bridge = (await w.seeds.ask(gateways.applications, ADMINISTRATOR))[1]
        assert (bridge.type, bridge.gateway_id, bridge.data) == (VoipAppType.DIAL, 2, "2000")


@pytest_twisted.ensureDeferred
async def test_what_is_changed_is_in_the_next_snapshot(tmp_path):
    async with world(tmp_path) as w:
        changes = {"calls_per_second": 5, "status": 0, "dial_string": "user/{number}", "failover_id": None}
        w.seeds.now = LATER
        await w.seeds.ask(gateways.change, 1, changes)
        gateway = (await w.store.snapshot()).gateways[1]
        assert (gateway.calls_per_second, gateway.status) == (5, GatewayStatus.INACTIVE)
        assert gateway.dial_string == "user/{number}"
        assert (await w.seeds.ask(gateways.listed, ADMINISTRATOR))[0].updated_at == LATER


@pytest_twisted.ensureDeferred
async def test_what_is_not_named_stays_as_it_was(tmp_path):
    async with world(tmp_path) as w:
        await w.seeds.ask(users.change, 1, {"max_timeout": 30, "blacklist": ("1",), "whitelist": ("2",)})
        await w.seeds.ask(users.change, 1, {"is_active": False, "max_timeout": 30, "whitelist": ()})
        [ann] = await w.seeds.ask(users.listed)
        assert (ann.user.username, ann.user.is_active, ann.user.max_timeout, ann.blacklist, ann.whitelist) == (
            "ann",
            False,
            30,
            ("1",),
            (),
        )


@pytest_twisted.ensureDeferred
async def test_a_refused_change_names_the_field_and_changes_nothing(tmp_path):
    async with world(tmp_path) as w:
        await w.seeds.gateway(name="spare", hostname="h")
        with pytest.raises(Duplicate, match="name"):
            await w.seeds.ask(gateways.change, 2, {"name": "carrier", "hostname": "other"})
        with pytest.raises(BadValue, match="failover_id"):
            await w.seeds.ask(gateways.change, 2, {"failover_id": 2})
        with pytest.raises(BadValue, match="max_timeout"):
            await w.seeds.ask(users.change, 1, {"max_timeout": 0, "blacklist": ("1",)})
        with pytest.raises(NotFound, match="there is no gateway 9"):
            await w.seeds.ask(gateways.change, 2, {"failover_id": 9})
        with pytest.raises(NotFound, match="there is no voip app 9"):
            await w.seeds.ask(gateways.change_application, 9, {"data": ""})
        assert (await w.seeds.ask(gateways.listed, ADMINISTRATOR))[1].hostname == "h"
        assert (await w.seeds.ask(users.listed))[0].blacklist == ()


@pytest_twisted.ensureDeferred
async def test_what_is_in_use_is_not_removed_and_the_answer_says_by_what(tmp_path):
    async with world(tmp_path) as w:
        await w.begun(2)
        await w.seeds.gateway(name="spare", hostname="h", failover_id=1)
        with pytest.raises(InUse, match="gateway carrier cannot be removed: it is used by 1 campaign, 1 gateway, 2 attempts"):
            await w.seeds.ask(gateways.remove, 1)
        with pytest.raises(InUse, match="voip app hello cannot be removed: it is used by 1 campaign"):
            await w.seeds.ask(gateways.remove_application, 1)
        with pytest.raises(InUse, match="user ann cannot be removed: it has 1 campaign, 1 phonebook"):
            await w.seeds.ask(removals.user_without_anything, 1)
        with pytest.raises(NotFound):
            await w.seeds.ask(removals.user_without_anything, 9)
        assert len(await w.seeds.ask(gateways.listed, ADMINISTRATOR)) == 2
        assert len(w.sql("SELECT id FROM attempt")) == 2


@pytest_twisted.ensureDeferred
async def test_what_is_not_in_use_is_removed(tmp_path):
    async with world(tmp_path) as w:
        user = await w.seeds.user(username="ben", blacklist=("1",))
        gateway = await w.seeds.gateway(name="spare", hostname="h")
        app = await w.seeds.voip_app(name="other", type=VoipAppType.SPEAK)
        await w.seeds.ask(removals.user_without_anything, user)
        await w.seeds.ask(gateways.remove, gateway)
        await w.seeds.ask(gateways.remove_application, app)
        assert [entry.user.id for entry in await w.seeds.ask(users.listed)] == [1]
        assert [entry.id for entry in await w.seeds.ask(gateways.listed, ADMINISTRATOR)] == [1]
        assert [entry.id for entry in await w.seeds.ask(gateways.applications, ADMINISTRATOR)] == [1]
        assert w.sql("SELECT pattern FROM number_pattern") == []
