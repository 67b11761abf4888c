"""A dialer with two simulated switches, over real sockets: one of them dies, and the called side is the judge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor, task

from dialer.cli.demo_campaign import DemoCampaign, DemoRules
from dialer.esl.inbound import SwitchConfig
from dialer.management import Management, campaigns, installation
from dialer.model import Contact, OwnCause
from dialer.model.user import ADMINISTRATOR
from dialer.service import DialerService, ServiceSettings
from dialer.settings import OutboundSettings, RecoverySettings
from dialer.simulator.callees import NumberPlan, parse_pattern
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.service import Simulator
from dialer.wall_clock import utc_now
from tests.grounds import new_database
from tests.seeding import Seeds

CONTACTS = 100
RULES = DemoRules(
    way="simulator",
    dial_string="sofia/gateway/simulator/{number}",
    contacts=tuple(Contact(number=f"1555{index:07}") for index in range(CONTACTS)),
    frequency=1800,
    max_retry=1,
    interval_retry=1,
    call_timeout=2,
    call_max_duration=3,
    audio="tone_stream://%(100,0,440)",
)


@define(eq=False)
class Fleet:
    """The dialer, and its switches by their names."""

    service: DialerService
    switches: dict[str, Simulator]
    campaign: int = 0
    management: Management = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.management = Management(self.service.database, self.service.now, self.service)

    async def until(self, is_so: Callable[[], bool], seconds: float = 60.0) -> None:
        end = reactor.seconds() + seconds
        while not is_so():
            assert reactor.seconds() < end
            await task.deferLater(reactor, 0.02)

    async def finish(self) -> None:
        """Wait for the end of the campaign."""
        for _ in range(600):
            _, progress = await self.management.ask(campaigns.progress, ADMINISTRATOR, self.campaign)
            if progress.finished:
                return
            await task.deferLater(reactor, 0.1)
        raise AssertionError("the campaign does not come to its end")


@asynccontextmanager
async def fleet(folder: Path) -> AsyncIterator[Fleet]:
    """Two switches whose callees answer at once, and talk for a second."""
    url = new_database(folder)
    plan = NumberPlan((parse_pattern("*=answers:ring=0.1,talk=1"),))
    switches, configs = {}, []
    for name in ("a", "b"):
        config = SimulatorConfig(sps=0, max_sessions=0, plan=plan, password=f"password of {name}")
        switches[name] = Simulator(reactor, config, random.Random(name))
        port = await switches[name].start()
        configs.append(SwitchConfig(name=name, port=port, password=config.password, silence=5.0, retry_max=1.0))
    settings = ServiceSettings(
        database=url,
        switches=tuple(configs),
        outbound=OutboundSettings(endpoint="tcp:0:interface=127.0.0.1"),
        recovery=RecoverySettings(grace=2.0, originate_window=8.0),  # a busy machine dials nobody too late
    )
    here = Fleet(DialerService(reactor, settings), switches)
    await here.service.open()
    try:
        here.campaign = await DemoCampaign(here.management, RULES).prepare(utc_now())
        here.service.begin()
        yield here
    finally:
        await here.service.stop()
        for switch in switches.values():
            await switch.stop()


FAULTS = {
    "dies": lambda switch: switch.stop(),
    "falls silent": lambda switch: switch.go_silent(),
    "answers late": lambda switch: switch.reply_late(0.5),
    "is restarted": lambda switch: switch.restart(),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest_twisted.ensureDeferred
async def test_a_campaign_goes_on_when_one_of_two_switches(tmp_path: Path, fault: str) -> None:
    async with fleet(tmp_path) as here:
        a, b = here.switches["a"], here.switches["b"]
        await here.until(lambda: len(a.calls) > 12 and len(b.calls) > 12)
        before = list(b.calls)
        FAULTS[fault](a)
        await here.finish()
        attempts = await Seeds(here.service.database, utc_now()).attempts(here.campaign)
        rings = Counter(call.call_uuid for switch in (a, b) for call in switch.calls)
        assert max(rings.values()) == 1
        assert {call.number for switch in (a, b) for call in switch.calls} == {one.number for one in RULES.contacts}
        on = {name: {each.call_uuid for each in attempts if each.switch == name} for name in "ab"}
        assert {call.call_uuid for call in a.calls} <= on["a"]
        assert {call.call_uuid for call in b.calls} <= on["b"]
        assert len(before) == len([each for each in before if each.answered_at is not None])
        causes = Counter(each.cause for each in attempts if each.switch == "b")
        assert causes.keys() <= {"NORMAL_CLEARING", OwnCause.NOT_SENT}


@pytest_twisted.ensureDeferred
async def test_a_switch_is_drained_by_a_use_case_while_a_campaign_calls(tmp_path: Path) -> None:
    async with fleet(tmp_path) as here:
        a, b = here.switches["a"], here.switches["b"]
        await here.until(lambda: len(a.calls) > 5 and len(b.calls) > 5)
        await here.until(lambda: here.service.database_serves)
        await here.management.ask(installation.drain, ADMINISTRATOR, "a")
        await here.until(lambda: here.service.fleet.named("a").is_drained)
        await task.deferLater(reactor, 0.5)  # what was begun before is sent within a moment
        had = len(a.calls)
        await here.finish()
        assert len(a.calls) == had
        attempts = await Seeds(here.service.database, utc_now()).attempts(here.campaign)
        assert {each.cause for each in attempts} <= {"NORMAL_CLEARING", OwnCause.NOT_SENT}
        assert {call.number for switch in (a, b) for call in switch.calls} == {one.number for one in RULES.contacts}
