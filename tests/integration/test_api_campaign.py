"""Campaigns that are made over HTTP alone, on the simulator: what the API tells agrees with what the called side saw."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_twisted
import treq
from attrs import define
from twisted.internet.task import deferLater
from twisted.web.client import Agent, HTTPConnectionPool

from dialer.cli.run import API
from dialer.config import parse_config
from dialer.host import Host
from dialer.model import VoipAppType
from dialer.simulator.oracle import CalledSide
from dialer.wall_clock import utc_now
from tests.grounds import new_database, rows
from tests.seeding import Seeds
from tests.unit.api.world import basic, cheap_hash

pytestmark = pytest.mark.usefixtures("database_kind")

CAMPAIGN = {"name": "spring", "aleg_gateway": 1, "voipapp": 1, "maxretry": 1, "intervalretry": 1, "calltimeout": 5}


@define(eq=False)
class Service:
    """A whole dialer in this process, spoken to over HTTP."""

    host: Host
    agent: Agent

    @property
    def calls(self) -> list[CalledSide]:
        assert self.host.simulator is not None
        return self.host.simulator.oracle.calls

    async def ask(self, method: str, path: str, **attributes: Any) -> Any:
        address = f"http://{self.host.web.address}/api/dialer_campaign/{path}"
        headers = {"Authorization": basic("ann", "ann"), "Content-Type": "application/json"}
        data = orjson.dumps(attributes) if attributes else None
        response = await treq.request(method, address, headers=headers, data=data, agent=self.agent)
        body = await response.content()
        assert response.code == 200, body
        return orjson.loads(body)

    async def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        from twisted.internet import reactor

        end = reactor.seconds() + seconds
        while not condition():
            assert reactor.seconds() < end, "it takes too long"
            await deferLater(reactor, 0.02)


@asynccontextmanager
async def service(folder: Path, callees: list[str], rate: float = 400.0) -> AsyncIterator[Service]:
    from twisted.internet import reactor

    config = parse_config(
        {
            "database": {"url": new_database(folder)},
            "http": {"endpoint": "tcp:0:interface=127.0.0.1", "requests_per_minute": 0},
            "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"},
            "simulator": {"callees": callees, "calls_per_second": rate},
            "rules": {"apply": "none"},
        }
    )
    host = Host(reactor, config, folder, API)
    await host.start()
    seeds = Seeds(host.service.database, utc_now())
    await seeds.user(username="ann", password_hash=cheap_hash("ann"))
    await seeds.gateway(name="carrier", dial_string="sofia/gateway/carrier/{number}")
    await seeds.voip_app(name="hello", type=VoipAppType.PLAY_AUDIO, data="silence_stream://60000")
    await seeds.grant(1, gateways=[1], voip_apps=[1])
    pool = HTTPConnectionPool(reactor)
    try:
        yield Service(host, Agent(reactor, pool=pool))
    finally:
        await pool.closeCachedConnections()
        await host.stop()


@pytest_twisted.ensureDeferred
async def test_a_thousand_contacts_are_dialled_to_the_end_and_the_api_agrees_with_the_called_side(tmp_path: Path) -> None:
    callees = ["*7=busy:ring=0", "*8=invalid:ring=0", "*9=rejected:ring=0", "*=answers:ring=0.05,talk=0.1"]
    numbers = [f"1555{number:04}" for number in range(1000)]
    async with service(tmp_path, callees) as api:
        await api.ask("POST", "campaign/", **CAMPAIGN, frequency=60_000)
        assert await api.ask("POST", "bulkcontact/", phonebook_id=1, phoneno_list=",".join(numbers)) == 1000
        pending = 1000
        while pending:
            pending = len(await api.ask("GET", "contact/1/"))
            assert pending <= 1000
        found = {each["contact_id"]: each for each in await api.ask("GET", "contact/1/?status=all")}
        assert len(found) == 1000
        seen: dict[str, list[CalledSide]] = {number: [] for number in numbers}
        for call in api.calls:
            seen[call.number].append(call)
        for contact_id, number in enumerate(numbers, 1):
            told, calls = found[contact_id], seen[number]
            assert told["count_attempt"] == len(calls), number
            assert told["last_attempt"] is not None
            answered = any(call.answered_at is not None for call in calls)
            assert told["status"] == (5 if answered else 4), number
            assert len(calls) == (2 if number[-1] in "79" else 1), "busy and rejected are tried again"
        (one,) = await api.ask("GET", f"contact/1/{numbers[7]}")
        assert one == found[8]


@pytest_twisted.ensureDeferred
async def test_a_contact_that_is_added_to_a_running_campaign_is_dialled_within_a_second(tmp_path: Path) -> None:
    async with service(tmp_path, ["*=answers:ring=0,talk=60"]) as api:
        await api.ask("POST", "campaign/", **CAMPAIGN, frequency=6000)
        turn = api.host.service.scheduler._turn
        await api.until(lambda: api.host.service.scheduler._turn > turn + 1)
        began = utc_now().timestamp()
        await api.ask("POST", "contact/", contact="15550001", phonebook_id=1)
        await api.until(lambda: api.calls, 5)
        assert api.calls[0].invited_at - began < 3
        (told,) = await api.ask("GET", "contact/1/")
        assert told["status"] == 6


@pytest_twisted.ensureDeferred
async def test_nothing_is_dialled_after_the_answer_to_a_pause_until_it_is_started_again(tmp_path: Path) -> None:
    from twisted.internet import reactor

    async with service(tmp_path, ["*=answers:ring=0,talk=0.1"]) as api:
        await api.ask("POST", "campaign/", **CAMPAIGN, frequency=6000)
        numbers = ",".join(f"1555{number:04}" for number in range(1000))
        await api.ask("POST", "bulkcontact/", phonebook_id=1, phoneno_list=numbers)
        await api.until(lambda: len(api.calls) > 50)
        await api.ask("PUT", "campaign/1/", status=2)
        attempts = _attempts(api)
        for _ in range(10):
            await deferLater(reactor, 0.02)  # what was sent before the answer may still arrive
        dialled = len(api.calls)
        await deferLater(reactor, 1.0)
        assert len(api.calls) == dialled
        assert _attempts(api) == attempts
        assert len(await api.ask("GET", "contact/1/")) >= 1000 - dialled
        await api.ask("PUT", "campaign/1/", status=1)
        await api.until(lambda: len(api.calls) > dialled + 20, 5)


def _attempts(api: Service) -> int:
    ((count,),) = rows(api.host.service.database.url, "SELECT count(*) FROM attempt")
    return int(count)


@pytest_twisted.ensureDeferred
async def test_abort_hangs_up_every_call_ringing_answered_or_just_asked_for(tmp_path: Path) -> None:
    callees = ["*1=no_answer:ring=60", "*=answers:ring=0,talk=60"]
    async with service(tmp_path, callees) as api:
        await api.ask("POST", "campaign/", **CAMPAIGN, frequency=60_000)
        numbers = ",".join(f"1555{number:04}" for number in range(300))
        await api.ask("POST", "bulkcontact/", phonebook_id=1, phoneno_list=numbers)
        await api.until(lambda: len(api.calls) > 60)
        await api.ask("PUT", "campaign/1/", status=3)
        await api.until(lambda: not api.host.service.lifecycle.register, 10)
        assert all(call.ended_at is not None for call in api.calls)
        assert len(api.calls) < 300
        assert await api.ask("GET", "campaign/") == []


@pytest_twisted.ensureDeferred
async def test_a_changed_frequency_acts_at_once(tmp_path: Path) -> None:
    async with service(tmp_path, ["*=answers:ring=0,talk=60"]) as api:
        await api.ask("POST", "campaign/", **CAMPAIGN, frequency=1)
        numbers = ",".join(f"1555{number:04}" for number in range(300))
        await api.ask("POST", "bulkcontact/", phonebook_id=1, phoneno_list=numbers)
        await api.until(lambda: len(api.calls) == 1, 5)
        await api.ask("PUT", "campaign/1/", frequency=6000)
        await api.until(lambda: len(api.calls) > 100, 5)
