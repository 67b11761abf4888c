"""A campaign whose stored settings are damaged is paused by name, a gateway is not used; the others go on, and whoever sets
them again mends it."""

from __future__ import annotations

import pytest
import pytest_twisted
from structlog.testing import capture_logs

from dialer.errors import BadValue
from dialer.management import campaigns, gateways
from dialer.model import CampaignStatus, GatewayStatus
from dialer.model.user import ADMINISTRATOR
from tests.unit.store.support import world

pytestmark = pytest.mark.usefixtures("database_kind")

DAMAGE = 'UPDATE campaign SET rules = \'{"daily_start": "25:00:00"}\' WHERE id = 1'


@pytest_twisted.ensureDeferred
async def test_it_is_paused_and_named_and_the_others_go_on(tmp_path):
    async with world(tmp_path) as w:
        await w.add_campaign("autumn", 2)
        w.sql(DAMAGE)
        with capture_logs() as lines:
            snapshot = await w.store.snapshot()
        assert [campaign.name for campaign in snapshot.campaigns] == ["autumn"]
        assert w.sql("SELECT id, status FROM campaign ORDER BY id") == [(1, CampaignStatus.PAUSE), (2, CampaignStatus.START)]
        assert [(line["campaign"], line["settings"]) for line in lines if "paused" in line["event"]] == [
            ("spring", ("daily_start",))
        ]
        assert len((await w.store.snapshot()).campaigns) == 1


@pytest_twisted.ensureDeferred
async def test_open_attempts_of_it_are_still_read(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        w.sql(DAMAGE)
        assert [one.call_uuid for one in await w.store.open_attempts()] == [attempt.call_uuid]


@pytest_twisted.ensureDeferred
async def test_it_can_be_read_and_is_started_again_once_the_setting_is_set(tmp_path):
    async with world(tmp_path) as w:
        w.sql(DAMAGE)
        await w.store.snapshot()
        assert (await w.seeds.ask(campaigns.read, ADMINISTRATOR, 1)).campaign.status is CampaignStatus.PAUSE
        with pytest.raises(BadValue, match="daily_start: is damaged in the database; expected a time of day as HH:MM:SS"):
            await w.seeds.set_campaign_status(1, CampaignStatus.START)
        await w.seeds.change_campaign(1, daily_start="09:00", status=CampaignStatus.START)
        [campaign] = (await w.store.snapshot()).campaigns
        assert campaign.daily_start.hour == 9


@pytest.mark.parametrize("rules", ['{"prefixes": 7}', '{"weight": "heavy"}'])
@pytest_twisted.ensureDeferred
async def test_a_gateway_whose_settings_are_damaged_is_not_used_until_they_are_set(tmp_path, rules):
    async with world(tmp_path) as w:
        await w.seeds.gateway(name="other", dial_string="loopback/{number}")
        w.sql("UPDATE gateway SET rules = ? WHERE id = 1", rules)
        with capture_logs() as lines:
            for _ in range(3):
                found = (await w.store.snapshot()).gateways
        assert [found[key].status for key in (1, 2)] == [GatewayStatus.INACTIVE, GatewayStatus.ACTIVE]
        assert [line["gateway"] for line in lines if "damaged" in line["event"]] == ["carrier"]
        await w.seeds.ask(gateways.change, 1, {"prefixes": "", "weight": 1})
        assert (await w.store.snapshot()).gateways[1].status is GatewayStatus.ACTIVE


@pytest_twisted.ensureDeferred
async def test_a_gateway_whose_numbers_nobody_can_read_carries_none(tmp_path):
    async with world(tmp_path) as w:
        w.sql("UPDATE gateway SET rules = ? WHERE id = 1", '{"prefixes": "+1=cheap"}')
        gateway = (await w.store.snapshot()).gateways[1]
        assert gateway.tariff.price("15550001") is None
