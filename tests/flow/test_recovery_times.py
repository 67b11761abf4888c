"""How long it takes until callees and contacts are served again, with a switch whose answers take their time."""

from __future__ import annotations

import pytest
from attrs import evolve

from dialer.calls.recovery import AT_ONCE
from dialer.model import AttemptState, SignalKind
from tests.fakes.flow import GATEWAY, Flow
from tests.flow.test_scheduler import Ticking

CALLS = 1000
ADOPTED_WITHIN = 2.0
DIALLED_WITHIN = 5.0
ROUND_TRIP = 0.02
"""Seconds: a switch in another town."""


@pytest.fixture
def ticking() -> Ticking:
    """A node with many calls, of which nothing was heard for so long that the absence of each counts at once."""
    ticking = Ticking()
    ticking.change(frequency=60_000)
    ticking.contacts(CALLS)
    ticking.run(5)
    assert len(ticking.sent) == CALLS
    for uuid in list(ticking.lifecycle.register.calls):
        ticking.tell(uuid, SignalKind.RANG)
    ticking.switch.ready = False
    ticking.lifecycle.switch_down(ticking.switch, "connection lost")
    ticking.run(30, step=0.1)
    ticking.switch.clock, ticking.switch.round_trip = ticking.clock, ROUND_TRIP
    return ticking


def regain_switch(ticking: Ticking) -> float:
    """As the service does; returns when."""
    ticking.switch.ready = True
    ticking.lifecycle.switch_up(ticking.switch)
    ticking.scheduler.call_soon()
    return ticking.clock.seconds()


def test_live_calls_are_adopted_within_two_seconds_whatever_the_others_need(ticking: Ticking) -> None:
    calls = sorted(ticking.lifecycle.register.calls)
    for uuid in calls[CALLS // 2 :]:
        ticking.channel(uuid)
    regain_switch(ticking)
    ticking.run(ADOPTED_WITHIN)
    assert ticking.lifecycle.register.states()[AttemptState.ANSWERED] == CALLS - CALLS // 2


def test_live_calls_that_the_list_does_not_show_are_adopted_as_fast(ticking: Ticking) -> None:
    ticking.switch.hidden.update(ticking.lifecycle.register.calls)
    regain_switch(ticking)
    ticking.run(ADOPTED_WITHIN)
    assert ticking.lifecycle.register.states() == {AttemptState.RINGING: CALLS}


def test_a_call_that_was_heard_of_lately_is_asked_for_at_once_and_judged_later() -> None:
    flow = Flow()
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    flow.lifecycle.switch_up(flow.switch)
    flow.clock.pump([1.0] * 9)
    assert flow.switch.asked == [uuid]
    assert flow.finished == []
    flow.clock.pump([1.0] * 2)
    assert flow.switch.asked == [uuid, uuid]
    assert len(flow.finished) == 1


def test_the_switch_gets_only_so_many_questions_at_a_time(ticking: Ticking) -> None:
    regain_switch(ticking)
    ticking.run(ADOPTED_WITHIN)
    assert len(ticking.finished) == CALLS
    assert ticking.switch.most_in_flight <= AT_ONCE + 1


def test_other_contacts_are_dialled_within_five_seconds_while_calls_are_unconfirmed(ticking: Ticking) -> None:
    ticking.contacts(10)
    ticking.switch.per_command = 0.1  # so slow that the fate of the calls is open for long
    at = regain_switch(ticking)
    ticking.run(DIALLED_WITHIN)
    new = [when for when, _ in ticking.sent[CALLS:]]
    assert len(new) == 10
    assert new[0] - at < 1.0
    assert ticking.lifecycle.register.states()[AttemptState.UNCONFIRMED] > CALLS // 2


def test_calls_that_are_unconfirmed_take_up_their_places() -> None:
    ticking = Ticking()
    ticking.store.gateways[GATEWAY.id] = evolve(GATEWAY, maximum_call=3)
    ticking.contacts(10)
    ticking.run(2)
    assert len(ticking.sent) == 3
    ticking.lifecycle.switch_down(ticking.switch, "connection lost")
    regain_switch(ticking)
    ticking.run(8)
    assert len(ticking.sent) == 3
    ticking.run(5)
    assert len(ticking.sent) == 6
