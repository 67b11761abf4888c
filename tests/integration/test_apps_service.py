"""The whole dialer with its voice applications: from a contact in the database to the notes of its attempt."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from dialer.apps.dial import dial as dial_app
from dialer.apps.runner import BUILT_IN
from dialer.esl.inbound import SwitchConfig
from dialer.management import why
from dialer.model import AttemptState, CallRecord, CampaignStatus, Candidate, Contact, SubscriberStatus, VoipAppType
from dialer.model.user import ADMINISTRATOR
from dialer.service import DialerService
from dialer.service_settings import ServiceSettings
from dialer.settings import AppSettings
from dialer.simulator.callees import NumberPlan, parse_pattern
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.service import Simulator
from dialer.wall_clock import utc_now
from tests.grounds import new_database
from tests.seeding import Seeds

KEYS = {"subscriber_id": 1, "contact_id": 1, "campaign_id": 1}

pytestmark = pytest.mark.usefixtures("database_kind")


async def dial(
    folder: Path,
    callee: str,
    contact: Contact,
    *,
    kind: VoipAppType,
    settings: AppSettings,
    retries: int = 3,
    own: Any = None,
    **app: Any,
) -> tuple[list[CallRecord], list[str], Simulator, SubscriberStatus]:
    """One contact, called until it is finished: its attempts, the do-not-call list, what the switch saw, its status."""
    from twisted.internet import reactor

    plan = NumberPlan((parse_pattern("777*=stays"), parse_pattern(f"*={callee}")))
    simulator = Simulator(reactor, SimulatorConfig(plan=plan), random.Random(1))
    port = await simulator.start()
    url = new_database(folder)
    switch = SwitchConfig(port=port, password=simulator.config.password)
    finished: Deferred[Any] = Deferred()
    service = DialerService(
        reactor,
        ServiceSettings(database=url, switches=(switch,), apps=settings, applications={**BUILT_IN, **(own or {})}),
        lambda end: finished.callback(end),
    )
    await service.start()
    try:
        seeds = Seeds(service.database, utc_now())
        await seeds.user(username="ann")
        await seeds.gateway(name="carrier", dial_string="sofia/gateway/carrier/{number}")
        await seeds.voip_app(name="app", type=kind, gateway_id=1, **app)
        details = await seeds.campaign(name="spring", frequency=600, max_retry=retries, interval_retry=0)
        await seeds.add(details.phonebooks[0].id, [contact])
        await finished.addTimeout(15, reactor)
        attempts = await seeds.attempts(details.campaign.id)
        numbers = await service.database.run(
            lambda connection: [number for (number,) in connection.execute("SELECT number FROM do_not_call WHERE list_id = 1")]
        )
        (status,) = await service.database.run(lambda c: c.execute("SELECT status FROM subscriber").fetchone())
        return attempts, numbers, simulator, SubscriberStatus(status)
    finally:
        await service.stop()
        await simulator.stop()


@ensureDeferred
async def test_a_callee_who_presses_the_key_is_on_the_list_and_the_attempt_tells(tmp_path: Path) -> None:
    attempts, numbers, _, status = await dial(
        tmp_path,
        "answers:ring=0.1,talk=forever,digits=49,digits_after=0.3",
        Contact(number="15550001", first_name="Ana"),
        kind=VoipAppType.PLAY_AUDIO,
        settings=AppSettings(opt_out_digit="9"),
        data="silence_stream://-1",
    )
    (attempt,) = attempts
    assert attempt.session == {"played": "0", "digits": "49", "opt_out": "9"}
    assert numbers == ["15550001"]
    assert status is SubscriberStatus.COMPLETE


@ensureDeferred
async def test_a_failed_transfer_is_no_failed_contact(tmp_path: Path) -> None:
    attempts, _, simulator, status = await dial(
        tmp_path,
        "answers:ring=0.1,talk=forever",
        Contact(number="15550001"),
        kind=VoipAppType.DIAL,
        settings=AppSettings(dial_timeout=1),
        data="user/1000",
    )
    (attempt,) = attempts
    assert attempt.session is not None
    assert (attempt.session["transfer"], attempt.session["transfer_cause"]) == ("failed", "SUBSCRIBER_ABSENT")
    assert (attempt.disposition, status) == ("ANSWERED", SubscriberStatus.COMPLETE)
    assert len(simulator.calls) == 1


@ensureDeferred
async def test_a_transfer_goes_through_the_gateway_and_tells_of_both_legs(tmp_path: Path) -> None:
    attempts, _, simulator, _ = await dial(
        tmp_path,
        "answers:ring=0.1,talk=1",
        Contact(number="15550001"),
        kind=VoipAppType.DIAL,
        settings=AppSettings(),
        data="777100",
    )
    (attempt,) = attempts
    assert attempt.session is not None
    assert (attempt.session["transfer"], attempt.session["transfer_ended_by"]) == ("answered", "contact")
    assert 0.5 <= float(attempt.session["transfer_seconds"]) <= 1.2
    assert [call.number for call in simulator.calls] == ["15550001", "777100"]
    assert all(call.ended_at for call in simulator.calls)


@ensureDeferred
async def test_a_target_that_was_forbidden_meanwhile_is_never_dialled_and_the_callee_is_hung_up(tmp_path: Path) -> None:
    async def forbid(call: Any, context: Any) -> None:
        await context.store.never_call(Candidate(**{**KEYS, "number": "777100", "identity": "777100"}), utc_now(), "")
        await dial_app(call, context)

    attempts, numbers, simulator, _ = await dial(
        tmp_path,
        "answers:ring=0.1,talk=forever",
        Contact(number="15550001"),
        kind=VoipAppType.DIAL,
        settings=AppSettings(),
        retries=0,
        own={VoipAppType.DIAL: forbid},
        data="777100",
    )
    (attempt,) = attempts
    assert numbers == ["777100"]
    assert attempt.session is not None
    assert attempt.session["error"] == "transfer: 777100 is on the do-not-call list"
    assert attempt.session["unserved"]
    assert attempt.cause == "NORMAL_CLEARING"
    assert [call.number for call in simulator.calls] == ["15550001"]


@ensureDeferred
async def test_a_live_second_leg_counts_after_a_restart_until_its_call_ends(tmp_path: Path) -> None:
    from twisted.internet import reactor

    plan = NumberPlan((parse_pattern("777*=stays"), parse_pattern("*=answers:ring=0.1,talk=forever")))
    simulator = Simulator(reactor, SimulatorConfig(plan=plan), random.Random(1))
    url, switch = new_database(tmp_path), SwitchConfig(port=await simulator.start(), password=simulator.config.password)

    async def started() -> DialerService:
        service = DialerService(reactor, ServiceSettings(database=url, switches=(switch,)))
        await service.start()
        return service

    async def counted(service: DialerService, calls: int, second_legs: int) -> None:
        """Waits until so many are open through the gateway, and in the database."""
        statement = "SELECT count(*) FROM attempt WHERE second_gateway_id = 1"
        while True:
            (found,) = await service.database.run(lambda connection: connection.execute(statement).fetchone())
            if (service.lifecycle.register.gateways.get(1, 0), found) == (calls, second_legs):
                return
            await deferLater(reactor, 0.02)

    async def adopted(service: DialerService) -> None:
        while AttemptState.ANSWERED not in service.lifecycle.register.states():
            await deferLater(reactor, 0.02)

    async def dialled(number: str) -> None:
        """Waits until the switch has been told: a leg counts before that."""
        while number not in [call.number for call in simulator.calls]:
            await deferLater(reactor, 0.02)

    async def told(seeds: Seeds, reason: str) -> None:
        """Waits until that is why nobody is called, as the command line tells it."""
        while True:
            found = (await seeds.ask(why.campaign, ADMINISTRATOR, 1)).reason
            if found is not None and found.text == reason:
                return
            await deferLater(reactor, 0.02)

    def soon(waiting: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(waiting).addTimeout(40, reactor)

    service = await started()
    try:
        seeds = Seeds(service.database, utc_now())
        await seeds.user(username="ann")
        await seeds.gateway(name="carrier", dial_string="sofia/gateway/carrier/{number}", maximum_call=2)
        await seeds.voip_app(name="app", type=VoipAppType.DIAL, gateway_id=1, data="777100")
        details = await seeds.campaign(name="spring", frequency=600)
        await seeds.add(details.phonebooks[0].id, [Contact(number="15550001")])
        await soon(counted(service, 2, 1))
        await soon(dialled("777100"))
        await service.stop()
        assert all(call.ended_at is None for call in simulator.calls)
        service = await started()
        assert dict(service.lifecycle.register.gateways) == {1: 2}
        await soon(adopted(service))
        await counted(service, 2, 1)
        seeds = Seeds(service.database, utc_now())
        await seeds.add(details.phonebooks[0].id, [Contact(number="15550002")])
        await soon(told(seeds, "gateway carrier is full (2 calls)"))
        assert [call.number for call in simulator.calls] == ["15550001", "777100"]
        await seeds.change_campaign(details.campaign.id, status=CampaignStatus.PAUSE)
        await service.lifecycle.hang_up_all()
        await soon(counted(service, 0, 0))
    finally:
        await service.stop()
        await simulator.stop()
