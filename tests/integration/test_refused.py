"""Campaigns whose gateways refuse us are paused: which, once, with the reason, and not while any call gets through."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import pytest_twisted
from attrs import evolve

from dialer.management import campaigns, gateways, reports, why
from dialer.model import (
    AttemptState,
    CampaignStatus,
    Disposition,
    EventKind,
    IdleCode,
    ObeyedRefusals,
    PausedCampaign,
    Refusals,
    SubscriberStatus,
)
from dialer.model.user import ADMINISTRATOR
from dialer.store.idle_news import StoredIdleNews
from dialer.store.refused import pause_refused
from tests.grounds import on_postgresql
from tests.integration.test_shared_database import another, under_way, until_somebody_waits
from tests.unit.store.support import NOW, World, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

REFUSED = Refusals(count=10, first_attempt=0, cause="CALL_REJECTED, SIP 403: the carrier forbade the call")
REASON = "gateway carrier refused 10 calls in a row (CALL_REJECTED, SIP 403: the carrier forbade the call)"


def statuses(w: World) -> dict[str, tuple[int, str]]:
    return {name: (status, reason) for name, status, reason in w.sql("SELECT name, status, pause_reason FROM campaign")}


async def pause(w: World, refusals: dict[int, Refusals]) -> list[PausedCampaign]:
    return list((await w.store.pause_refused(refusals, NOW)).paused)


@pytest_twisted.ensureDeferred
async def test_a_gateway_that_others_call_through_beside_another_one_is_in_use(tmp_path):
    async with world(tmp_path) as w:
        spare = await w.seeds.gateway(name="spare", dial_string="loopback/{number}")
        await w.seeds.gateway(name="first", dial_string="loopback/{number}", failover_id=1)
        await w.add_campaign("with a spare", gateway_id=3)
        found = await w.store.pause_refused({1: REFUSED, spare: REFUSED}, NOW)
        assert ([each.name for each in found.paused], found.unused) == (["spring"], {spare})


@pytest_twisted.ensureDeferred
async def test_the_started_campaigns_of_a_gateway_that_refuses_us_are_paused_once_and_told_of(tmp_path):
    async with world(tmp_path) as w:
        w.store.wanted = frozenset({EventKind.CAMPAIGN_PAUSED})
        await w.add_campaign("autumn")
        await w.add_campaign("paused", status=CampaignStatus.PAUSE)
        await w.seeds.gateway(name="other", dial_string="loopback/{number}")
        await w.add_campaign("elsewhere", gateway_id=2)
        found = await w.store.pause_refused({1: REFUSED}, NOW)
        assert found.unused == {1}
        assert [(each.name, each.reason) for each in found.paused] == [("spring", REASON), ("autumn", REASON)]
        assert statuses(w) == {
            "spring": (2, REASON),
            "autumn": (2, REASON),
            "paused": (2, ""),
            "elsewhere": (1, ""),
        }
        assert await pause(w, {1: REFUSED}) == []
        told = [(campaign, json.loads(data)) for campaign, data in w.sql("SELECT campaign_id, data FROM event ORDER BY id")]
        assert told == [(1, {"name": "spring", "reason": REASON}), (2, {"name": "autumn", "reason": REASON})]


@pytest.mark.parametrize("shows", ["rang", "answered", "busy"])
@pytest_twisted.ensureDeferred
async def test_a_call_of_another_node_that_got_through_since_shows_that_the_gateway_takes_some(tmp_path, shows):
    async with world(tmp_path) as w:
        first, second = await w.begun(2)
        if shows == "busy":
            await w.store.finish(evolve(ended(second, cause="USER_BUSY"), disposition=Disposition.BUSY))
        else:
            state = AttemptState.RINGING if shows == "rang" else AttemptState.ANSWERED
            w.store.move(second, state, NOW + timedelta(seconds=1))
            await w.store.flush()
        assert await pause(w, {1: evolve(REFUSED, first_attempt=first.id)}) == []
        # What was begun before says nothing of now.
        assert await pause(w, {1: evolve(REFUSED, first_attempt=second.id)})


@pytest_twisted.ensureDeferred
async def test_calls_that_were_refused_or_whose_end_nobody_knows_are_no_sign_that_it_works(tmp_path):
    async with world(tmp_path) as w:
        first, second = await w.begun(2)
        again = ended(first, SubscriberStatus.START, ready_at=NOW, counts=False, cause="CALL_REJECTED", sip_status=403)
        await w.store.finish(evolve(again, disposition=Disposition.REJECTED))
        await w.store.finish(evolve(ended(second, SubscriberStatus.FAIL, cause="UNKNOWN"), disposition=Disposition.UNKNOWN))
        assert [each.id for each in await pause(w, {1: REFUSED})] == [1]


@pytest_twisted.ensureDeferred
async def test_a_campaign_with_another_way_out_is_not_paused(tmp_path):
    async with world(tmp_path) as w:
        spare = await w.seeds.gateway(name="spare", dial_string="loopback/{number}")
        await w.seeds.ask(gateways.change, 1, {"failover_id": spare})
        assert await pause(w, {1: REFUSED}) == []
        both = await pause(w, {1: REFUSED, spare: evolve(REFUSED, count=12, cause="SIP 401")})
        assert both[0].reason == f"{REASON}; gateway spare refused 12 calls in a row (SIP 401)"


@pytest_twisted.ensureDeferred
async def test_an_inactive_gateway_is_no_way_out_and_pauses_nobody_by_itself(tmp_path):
    async with world(tmp_path) as w:
        spare = await w.seeds.gateway(name="spare", dial_string="loopback/{number}", status=0)
        await w.seeds.ask(gateways.change, 1, {"failover_id": spare})
        assert await pause(w, {}) == []
        assert await pause(w, {spare: REFUSED}) == []
        [found] = await pause(w, {1: REFUSED})
        assert found.reason == f"{REASON}; gateway spare is inactive"


@pytest_twisted.ensureDeferred
async def test_the_reason_is_explained_until_somebody_resumes_the_campaign(tmp_path):
    async with world(tmp_path) as w:
        await pause(w, {1: REFUSED})
        told = await w.seeds.ask(why.campaign, ADMINISTRATOR, 1)
        assert told.reason.code is IdleCode.PAUSED_BY_DIALER
        assert REASON in told.reason.text
        await w.seeds.ask(campaigns.change, ADMINISTRATOR, 1, {"description": "looked at"})
        await w.seeds.ask(campaigns.change, ADMINISTRATOR, 1, {"status": CampaignStatus.PAUSE})
        assert statuses(w)["spring"] == (2, REASON)
        details = await w.seeds.ask(campaigns.resume, ADMINISTRATOR, 1)
        assert (details.campaign.status, details.campaign.pause_reason) == (CampaignStatus.START, "")
        assert (await w.seeds.ask(reports.read, ADMINISTRATOR, 1))[0].campaign.pause_reason == ""


@pytest_twisted.ensureDeferred
async def test_what_was_told_of_an_idle_campaign_is_forgotten_when_it_is_paused(tmp_path):
    async with world(tmp_path) as w:
        w.sql("INSERT INTO told_state (noun, noun_id, state) VALUES ('campaign', 1, 'gateway-paused')")
        await pause(w, {1: REFUSED})
        await StoredIdleNews(w.database, "here", frozenset).forget_gone()
        assert w.sql("SELECT count(*) FROM told_state") == [0]


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_of_two_nodes_that_see_it_at_the_same_moment_one_pauses_and_tells(tmp_path):
    async with world(tmp_path) as w, another(w.database.url) as other:
        await w.add_campaign("autumn")
        w.store.wanted = wanted = frozenset({EventKind.CAMPAIGN_PAUSED})
        async with under_way(other, lambda t: pause_refused(t.connection, {1: REFUSED}, NOW, wanted)):
            found = w.store.pause_refused({1: REFUSED}, NOW)
            await until_somebody_waits(w.database.url)
        assert (await found) == ObeyedRefusals(paused=(), unused=frozenset({1}))
        assert w.sql("SELECT count(*) FROM event WHERE kind = 'campaign.paused'") == [2]
        assert {status for status, _ in statuses(w).values()} == {2}


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_somebody_who_stops_a_campaign_at_that_moment_has_it_his_way(tmp_path):
    async with world(tmp_path) as w, another(w.database.url) as other:
        async with under_way(other, lambda t: campaigns.change(t, ADMINISTRATOR, 1, {"status": CampaignStatus.END})):
            found = w.store.pause_refused({1: REFUSED}, NOW)
            await until_somebody_waits(w.database.url)
        assert (await found).paused == ()
        assert statuses(w)["spring"] == (4, "")
