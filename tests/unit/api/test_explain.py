"""The explanation of a campaign: how far it is, and the flow's reason."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.errors import NotFound
from dialer.management import Management, campaigns
from dialer.model import Account, SubscriberStatus
from dialer.model.user import ADMINISTRATOR
from tests.unit.api.world import NO_SWITCH, World

ANN, BOB = Account(id=1, username="ann"), Account(id=2, username="bob")


@pytest_twisted.ensureDeferred
async def test_the_flow_is_asked_with_the_progress_of_now(api: World) -> None:
    await api.campaign()
    for number in ("15550001", "15550002"):
        await api.contact(number)
    api.sql("UPDATE subscriber SET ready_at = '2026-11-23 12:00:00.000000' WHERE id = 2")
    found = await campaigns.explain(api.management, ANN, 1)
    assert found.reason is NO_SWITCH
    assert found.progress.subscribers == {SubscriberStatus.START: 2}
    assert found.progress.waiting == 1
    assert api.flow.explained == [(found.campaign, found.progress)]
    assert (found.campaign.id, found.campaign.name) == (1, "spring")
    assert await campaigns.explain(api.management, ADMINISTRATOR, 1) == found


@pytest_twisted.ensureDeferred
async def test_a_campaign_of_somebody_else_is_as_if_it_did_not_exist(api: World) -> None:
    await api.campaign()
    for who, key in ((BOB, 1), (ANN, 2)):
        with pytest.raises(NotFound):
            await campaigns.explain(api.management, who, key)
    assert api.flow.explained == []


@pytest_twisted.ensureDeferred
async def test_a_process_that_makes_no_calls_explains_none(api: World) -> None:
    await api.campaign()
    with pytest.raises(RuntimeError, match="no calls are made here"):
        await campaigns.explain(Management(api.database, api.management.now), ANN, 1)
