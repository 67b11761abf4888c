"""Events that the page lists, on both databases: written though nobody looks, and not at the cost of calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from dialer.campaigns.idle_news import LOOK_EVERY, IdleNews
from dialer.gateways import Backoff
from dialer.hooks import shown
from dialer.management import Management, campaigns
from dialer.model import CampaignStatus, EventKind, IdleCode, IdleReason
from dialer.model.event import RARE, EventPlace
from dialer.model.user import ADMINISTRATOR
from dialer.service_settings import ServiceSettings
from dialer.store.consumers import Consumers
from dialer.store.idle_news import StoredIdleNews
from dialer.telling import Telling
from dialer.wall_clock import utc_now
from tests.unit.store.support import LATER, NOW, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")


def telling(w: Any, clock: Clock, *, page: bool = True) -> Telling:
    return Telling(clock, utc_now, w.database, w.store, ServiceSettings(database="", switches=(), page=page))


async def kinds(w: Any) -> list[str]:
    _, found = await Consumers(w.database, "here").read(EventPlace(0), 100)
    return [one.event.kind for one in found]


@pytest_twisted.ensureDeferred
async def test_what_users_do_is_written_while_a_page_is_served_and_nobody_looks(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        management = Management(w.database, utc_now)
        await telling(w, Clock(), page=False).load()
        await management.ask(campaigns.change, ADMINISTRATOR, 1, {"status": CampaignStatus.PAUSE})
        assert await kinds(w) == []
        await telling(w, Clock()).load()
        await management.ask(campaigns.change, ADMINISTRATOR, 1, {"status": CampaignStatus.START})
        assert await kinds(w) == ["campaign.started"]
        w.sql("UPDATE event_consumer SET expires_at = ?", "2026-01-01 00:00:00.000000")
        await management.ask(campaigns.change, ADMINISTRATOR, 1, {"status": CampaignStatus.PAUSE})
        assert await kinds(w) == ["campaign.started"], "the page is served no more"


@pytest_twisted.ensureDeferred
async def test_what_befalls_switches_and_gateways_is_written_by_every_dialer(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await telling(w, Clock()).load()
        there = telling(w, Clock(), page=False)
        await there.load()
        assert (w.store.wanted, w.store.shown) == (frozenset(), RARE)
        await w.store.tell(EventKind.SWITCH_DOWN, NOW, {"switch": "a", "node": "here", "reason": "gone"})
        gateway = (await w.store.snapshot()).gateways[1]
        await w.store.tell_of_gateway(gateway, Backoff(faults=3, until=LATER, cause="GATEWAY_DOWN"), NOW)
        await w.store.tell_of_gateway(gateway, None, LATER)
        assert await kinds(w) == ["switch.down", "gateway.down", "gateway.up"]


@pytest_twisted.ensureDeferred
async def test_calls_write_nothing_for_a_page_and_the_end_of_a_campaign_is_told_by_a_look(tmp_path: Path) -> None:
    async with world(tmp_path, 1) as w:
        await telling(w, Clock()).load()
        [attempt] = await w.begun()
        await w.store.finish(ended(attempt))
        assert await kinds(w) == []
        assert w.sql("SELECT count(*) FROM told_state") == [0], "nothing was looked up for it either"
        clock = Clock()
        news = IdleNews(
            clock=clock,
            now=lambda: NOW,
            store=StoredIdleNews(w.database, "here", lambda: w.store.told),
            explain=lambda *_: IdleReason(IdleCode.ALL_DONE, "every contact is done"),
            wanted=lambda: w.store.told,
            others_call=lambda: False,
        )
        await news.look()
        assert await kinds(w) == ["campaign.finished"]
        clock.advance(LOOK_EVERY)
        await news.look()
        assert await kinds(w) == ["campaign.finished"]


@pytest_twisted.ensureDeferred
async def test_a_page_asks_again_before_its_time_is_over_and_nobody_waits_for_what_it_lists(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        clock = Clock()
        asks = shown.ShownEvents(clock, utc_now, Consumers(w.database, "here"))
        await asks.look()
        assert shown.LASTS.total_seconds() > shown.ASK_EVERY * 2
        readers = Consumers(w.database, "here")
        await w.store.tell(EventKind.SWITCH_UP, NOW, {})
        found = await readers.wanted(utc_now())
        assert (found.asked, found.shown) == (frozenset(), RARE)
        w.store.shown = RARE
        await w.store.tell(EventKind.SWITCH_UP, NOW, {"switch": "a", "node": "here", "reason": ""})
        assert await readers.oldest_undelivered() is None
        assert await readers.prune(LATER, 10) == 1, "it goes like others"
