"""A campaign whose stored settings are damaged is paused by name; the others go on, and whoever sets them again mends it."""

from __future__ import annotations

import pytest
import pytest_twisted
from structlog.testing import capture_logs

from dialer.errors import BadValue
from dialer.management import campaigns
from dialer.model import CampaignStatus
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
