"""Users, gateways and voice applications: listed, changed, removed."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.errors import BadValue, Duplicate, InUse, NotFound
from dialer.model import GatewayStatus, VoipAppType
from dialer.store.catalogue import Catalogue
from dialer.store.drafts import NewGateway, NewUser, NewVoipApp
from tests.unit.store.support import LATER, NOW, world

pytestmark = pytest.mark.usefixtures("database_kind")


@pytest_twisted.ensureDeferred
async def test_everything_is_listed_as_it_was_entered(tmp_path):
    async with world(tmp_path) as w:
        catalogue = Catalogue(w.database)
        await w.admin.create_user(NewUser(username="ben", max_frequency=7, blacklist=("49", "=1"), whitelist=("4",)), NOW)
        await w.admin.create_gateway(
            NewGateway(name="spare", protocol="LOCAL", calls_per_second=3, maximum_call=9, failover_id=1), NOW
        )
        await w.admin.create_voip_app(NewVoipApp(name="bridge", type=VoipAppType.DIAL, gateway_id=2, data="100"), NOW)
        ann, ben = await catalogue.users()
        assert (ann.username, ann.has_password, ann.max_frequency, ann.blacklist) == ("ann", False, None, ())
        assert (ben.max_frequency, ben.blacklist, ben.whitelist, ben.created_at) == (7, ("49", "=1"), ("4",), NOW)
        carrier, spare = await catalogue.gateways()
        assert (carrier.name, carrier.failover, carrier.dial_string) == ("carrier", None, "loopback/{number}")
        assert (spare.protocol, spare.calls_per_second, spare.maximum_call, spare.failover) == ("LOCAL", 3, 9, "carrier")
        assert spare.status is GatewayStatus.ACTIVE
        bridge = (await catalogue.voip_apps())[1]
        assert (bridge.type, bridge.gateway, bridge.data) == (VoipAppType.DIAL, "spare", "100")


@pytest_twisted.ensureDeferred
async def test_what_is_changed_is_in_the_next_snapshot(tmp_path):
    async with world(tmp_path) as w:
        changes = {"calls_per_second": 5, "status": 0, "dial_string": "user/{number}", "failover_id": None}
        await Catalogue(w.database).change_gateway(1, changes, LATER)
        gateway = (await w.store.snapshot()).gateways[1]
        assert (gateway.calls_per_second, gateway.status) == (5, GatewayStatus.INACTIVE)
        assert gateway.dial_string == "user/{number}"
        assert (await Catalogue(w.database).gateways())[0].updated_at == LATER


@pytest_twisted.ensureDeferred
async def test_what_is_not_named_stays_as_it_was(tmp_path):
    async with world(tmp_path) as w:
        catalogue = Catalogue(w.database)
        await catalogue.change_user(1, {"max_timeout": 30}, {"blacklist": ("1",), "whitelist": ("2",)})
        await catalogue.change_user(1, {"is_active": False, "max_timeout": 30}, {"whitelist": ()})
        [ann] = await catalogue.users()
        assert (ann.username, ann.is_active, ann.max_timeout, ann.blacklist, ann.whitelist) == ("ann", False, 30, ("1",), ())


@pytest_twisted.ensureDeferred
async def test_a_refused_change_names_the_field_and_changes_nothing(tmp_path):
    async with world(tmp_path) as w:
        catalogue = Catalogue(w.database)
        await w.admin.create_gateway(NewGateway(name="spare", hostname="h"), NOW)
        with pytest.raises(Duplicate, match="name"):
            await catalogue.change_gateway(2, {"name": "carrier", "hostname": "other"}, NOW)
        with pytest.raises(BadValue, match="failover_id"):
            await catalogue.change_gateway(2, {"failover_id": 2}, NOW)
        with pytest.raises(BadValue, match="max_timeout"):
            await catalogue.change_user(1, {"max_timeout": 0}, {"blacklist": ("1",)})
        with pytest.raises(NotFound, match="there is no gateway 9"):
            await catalogue.change_gateway(2, {"failover_id": 9}, NOW)
        with pytest.raises(NotFound, match="there is no voip app 9"):
            await catalogue.change_voip_app(9, {"data": ""}, NOW)
        assert (await catalogue.gateways())[1].hostname == "h"
        assert (await catalogue.users())[0].blacklist == ()


@pytest_twisted.ensureDeferred
async def test_what_is_in_use_is_not_removed_and_the_answer_says_by_what(tmp_path):
    async with world(tmp_path) as w:
        catalogue = Catalogue(w.database)
        await w.begun(2)
        await w.admin.create_gateway(NewGateway(name="spare", hostname="h", failover_id=1), NOW)
        with pytest.raises(InUse, match="gateway carrier cannot be removed: it is used by 1 campaign, 1 gateway, 2 attempts"):
            await catalogue.remove_gateway(1)
        with pytest.raises(InUse, match="voip app hello cannot be removed: it is used by 1 campaign"):
            await catalogue.remove_voip_app(1)
        with pytest.raises(InUse, match="user ann cannot be removed: it has 1 campaign, 1 phonebook"):
            await catalogue.remove_user(1)
        with pytest.raises(NotFound):
            await catalogue.remove_user(9)
        assert len(await catalogue.gateways()) == 2
        assert len(w.sql("SELECT id FROM attempt")) == 2


@pytest_twisted.ensureDeferred
async def test_what_is_not_in_use_is_removed(tmp_path):
    async with world(tmp_path) as w:
        catalogue = Catalogue(w.database)
        user = await w.admin.create_user(NewUser(username="ben", blacklist=("1",)), NOW)
        gateway = await w.admin.create_gateway(NewGateway(name="spare", hostname="h"), NOW)
        app = await w.admin.create_voip_app(NewVoipApp(name="other", type=VoipAppType.SPEAK), NOW)
        await catalogue.remove_user(user)
        await catalogue.remove_gateway(gateway)
        await catalogue.remove_voip_app(app)
        assert [entry.id for entry in await catalogue.users()] == [1]
        assert [entry.id for entry in await catalogue.gateways()] == [1]
        assert [entry.id for entry in await catalogue.voip_apps()] == [1]
        assert w.sql("SELECT pattern FROM number_pattern") == []
