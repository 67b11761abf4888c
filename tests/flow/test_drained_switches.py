"""Switches on which no calls are begun, because somebody or the configuration said so: on doubles and a stepped clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred

from dialer.model import AttemptState, IdleCode, SignalKind, SwitchDrain
from tests.fakes.flow import CAMPAIGN, GATEWAY, START
from tests.flow.test_fleet import Two, limited
from tests.flow.test_scheduler import why_idle

SINCE = f"since {START:%Y-%m-%d %H:%M:%S} UTC"


@pytest.fixture
def two() -> Two:
    return limited()


def drained(switch: str) -> SwitchDrain:
    return SwitchDrain(switch=switch, drained_by="ann", drained_at=START)


def by_somebody(two: Two) -> None:
    two.store.drained["a"] = drained("a")


def by_configuration(two: Two) -> None:
    two.fleet.member(two.a).drain = True


@pytest.mark.parametrize("drain", [by_somebody, by_configuration])
def test_a_switch_that_is_drained_is_given_no_more_calls_and_keeps_those_it_has(
    two: Two, drain: Callable[[Two], None]
) -> None:
    two.run(2)
    had = two.on(two.a)
    drain(two)
    two.run(1)
    sent = two.on(two.a)
    two.run(5)
    assert two.on(two.a) == sent
    assert two.states(two.a) == {AttemptState.RINGING: len(sent)}
    assert set(had) <= set(sent)
    assert len(two.on(two.b)) > 40


def test_a_switch_that_was_drained_before_the_process_began_is_never_called_until_it_is_taken_back(two: Two) -> None:
    two.store.drained["a"] = drained("a")
    with capture_logs() as logs:
        two.run(2)
    assert two.on(two.a) == []
    told = [(each["event"], each["switch"], each["by"]) for each in logs]
    assert told == [("no more calls are begun on a switch", "a", "ann")], "it is told once"
    two.store.drained.clear()
    with capture_logs() as logs:
        two.run(2)
    assert [(each["event"], each["switch"]) for each in logs] == [("a switch is taken back", "a")]
    assert len(two.on(two.a)) > 5


def test_a_call_on_a_switch_that_is_drained_gets_a_second_leg(two: Two) -> None:
    two.run(1)
    call = two.on(two.a)[0]
    two.tell(call, SignalKind.ANSWERED)
    two.store.drained["a"] = drained("a")
    two.run(1)
    begun = Deferred.fromCoroutine(two.scheduler.second_legs.begin(call, GATEWAY))
    assert begun.result == 0.0
    assert two.store.second_legs == {call: GATEWAY.id}


def test_why_nobody_is_called_is_told_when_every_switch_is_drained(two: Two) -> None:
    two.store.drained["a"] = drained("a")
    two.fleet.member(two.b).drain = True
    two.run(2)
    assert two.sent == []
    told = f"switch a is drained by ann {SINCE}, switch b is drained by the configuration"
    assert why_idle(two) == f"{told}: no calls are begun on it until it is taken back"
    reason = two.scheduler.explain(CAMPAIGN)
    assert reason is not None
    assert reason.code is IdleCode.SWITCH_DRAINED
    two.fleet.member(two.b).drain = False
    two.run(1)
    assert two.on(two.b)


def test_a_drained_switch_that_is_away_is_no_reason(two: Two) -> None:
    two.store.drained["a"] = drained("a")
    two.run(0.5)
    for switch in (two.a, two.b):
        switch.ready = False
    assert why_idle(two) == "no switch is connected"


def test_why_a_gateway_is_not_called_through_names_the_switch_that_is_drained() -> None:
    two = limited(only={"a": frozenset({"carrier"}), "b": frozenset({"spare"})})
    two.store.drained["a"] = drained("a")
    two.run(1)
    assert two.sent == []
    there = "gateway carrier is on none of the switches that are connected and take calls"
    assert why_idle(two) == f"{there} (switch a is drained by ann {SINCE})"
