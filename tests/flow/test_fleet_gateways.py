"""Gateways on several switches, on doubles and a stepped clock: down, or refusing us, on one of them or on all."""

from __future__ import annotations

import pytest
from attrs import evolve

from dialer.model import CampaignStatus, Origination
from dialer.model.sip_gateway import SipGateway
from tests.fakes.flow import CAMPAIGN
from tests.fakes.switch import MemorySwitch
from tests.flow.test_fleet import Two
from tests.flow.test_scheduler import why_idle


@pytest.fixture
def two() -> Two:
    two = Two()
    two.contacts(200)
    return two


def test_a_gateway_that_is_down_on_one_switch_is_called_through_the_other_only(two: Two) -> None:
    first, second = two.fleet
    down = SipGateway(name="carrier", profile="external", state="NOREG", status="DOWN")
    first.told([down])
    second.told([evolve(down, status="UP")])
    two.run(5)
    assert two.on(two.a) == []
    assert len(two.on(two.b)) >= 48
    assert why_idle(two) == ""
    second.told([down])
    two.run(0.5)
    assert why_idle(two) == "gateway carrier is down, as the switch tells (DOWN)"
    two.lose(two.a)
    assert why_idle(two) == "gateway carrier is down, as the switch tells (DOWN)"


def refusing(two: Two, *switches: MemorySwitch) -> None:
    def refuse(call: Origination) -> None:
        two.note(call)
        two.clock.callLater(0.01, two.hang_up, call.call_uuid, "CALL_REJECTED", sip_status=403, q850=21)

    for switch in switches:
        switch.on_submit = refuse


def test_a_gateway_that_refuses_us_on_one_switch_only_pauses_nobody(two: Two) -> None:
    refusing(two, two.a)
    two.run(200, 0.05)
    assert two.store.campaigns[CAMPAIGN.id].status is CampaignStatus.START
    assert len(two.on(two.b)) >= 150


def test_a_gateway_that_refuses_us_on_every_switch_pauses_its_campaign(two: Two) -> None:
    refusing(two, two.a, two.b)
    two.run(400, 0.05)
    paused = two.store.campaigns[CAMPAIGN.id]
    assert paused.status is CampaignStatus.PAUSE
    assert paused.pause_reason.startswith("gateway carrier refused ")


def test_a_switch_that_is_away_may_be_another_way_out(two: Two) -> None:
    refusing(two, two.a, two.b)
    two.lose(two.b)
    two.run(400, 0.05)
    assert two.store.campaigns[CAMPAIGN.id].status is CampaignStatus.START
