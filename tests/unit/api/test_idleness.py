"""How many campaigns are calling, and why the others are not."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_twisted

from dialer.management import Management, campaigns
from dialer.management.idleness import Idleness, idleness
from dialer.model import IdleCode, SubscriberStatus
from dialer.model.user import ADMINISTRATOR
from dialer.store import idle_news
from tests.unit.api.world import NO_SWITCH, NOW, World


@pytest_twisted.ensureDeferred
async def test_campaigns_are_counted_by_their_reason_over_all_users(api: World) -> None:
    for name, user in (("one", "ann"), ("two", "ann"), ("three", "bob"), ("four", "bob"), ("five", "ann"), ("gone", "ann")):
        await api.campaign(name, user=user)
    for key, status in ((1, 2), (2, 3), (3, 4)):
        api.sql(f"UPDATE campaign SET status = {status} WHERE id = {key}")
    api.sql("UPDATE campaign SET status = 2, archived_at = '2026-11-23 09:00:00.000000' WHERE id = 6")
    found = await idleness(api.management)
    assert found == Idleness(0, {IdleCode.PAUSED: 1, IdleCode.ABORTED: 1, IdleCode.ENDED: 1, NO_SWITCH.code: 2})
    api.flow.reason = None
    assert (await idleness(api.management)).calling == 2


@pytest_twisted.ensureDeferred
async def test_each_started_campaign_is_explained_once_with_what_the_api_would_explain_it_with(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_news, "PAGE", 2)
    for key in range(1, 6):
        await api.campaign(f"campaign {key}")
        for number in range(key):
            await api.contact(f"1555000{key}{number}", phonebook_id=key)
    api.sql("UPDATE campaign SET status = 2 WHERE id = 3")
    api.sql("UPDATE subscriber SET ready_at = '2026-11-23 12:00:00.000000' WHERE campaign_id = 4")
    api.sql("UPDATE subscriber SET status = 5, ready_at = NULL WHERE campaign_id = 5")
    await idleness(api.management)
    told = {campaign.id: progress for campaign, progress in api.flow.explained}
    assert [campaign.id for campaign, _ in api.flow.explained] == [1, 2, 4, 5]
    assert (told[4].waiting, told[4].next_ready_at) == (4, NOW + timedelta(hours=2))
    assert told[5].subscribers == {SubscriberStatus.COMPLETE: 5}
    before = list(api.flow.explained)
    api.flow.explained.clear()
    for key in (1, 2, 4, 5):
        await campaigns.explain(api.management, ADMINISTRATOR, key)
    assert before == api.flow.explained


@pytest_twisted.ensureDeferred
async def test_without_campaigns_nothing_is_counted(api: World) -> None:
    assert await idleness(api.management) == Idleness(0, {})


@pytest_twisted.ensureDeferred
async def test_a_process_that_makes_no_calls_cannot_tell(api: World) -> None:
    with pytest.raises(RuntimeError, match="no calls are made here"):
        await idleness(Management(api.database, api.management.now))
