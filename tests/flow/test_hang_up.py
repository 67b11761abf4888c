"""Hanging up the calls of a campaign, on doubles and a stepped clock."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from tests.fakes.flow import Flow


@pytest.fixture
def flow() -> Flow:
    return Flow()


def hang_up(flow: Flow, campaign_id: int | None = None) -> list[int]:
    """Begin to hang up; the list holds how many the switch knew once that is over."""
    done: list[int] = []
    Deferred.fromCoroutine(flow.lifecycle.hang_up_all(campaign_id)).addCallback(done.append)
    return done


def test_every_live_call_of_the_campaign_is_hung_up(flow: Flow) -> None:
    for number in ("15550001", "15550002"):
        flow.channel(flow.call(number))
    assert hang_up(flow, 1) == [2]
    assert flow.switch.killed == ["call-1", "call-2"]


def test_calls_of_other_campaigns_go_on(flow: Flow) -> None:
    flow.channel(flow.call())
    assert hang_up(flow, 2) == [0]
    assert flow.switch.killed == []


def test_a_call_that_the_switch_does_not_know_yet_is_hung_up_as_soon_as_it_does(flow: Flow) -> None:
    uuid = flow.call()
    done = hang_up(flow, 1)
    assert (flow.switch.killed, done) == ([uuid], [])
    flow.channel(uuid, answered=False)
    flow.clock.advance(0.1)
    assert (flow.switch.killed, done) == ([uuid, uuid], [1])


def test_a_call_that_ended_meanwhile_is_not_asked_for_again(flow: Flow) -> None:
    uuid = flow.call()
    done = hang_up(flow, 1)
    flow.hang_up(uuid, "USER_BUSY")
    flow.clock.advance(0.1)
    assert (flow.switch.killed, done) == ([uuid], [0])


def test_what_was_not_sent_is_not_hung_up(flow: Flow) -> None:
    flow.begin(flow.plan(after=1))
    assert hang_up(flow) == [0]
    assert flow.switch.killed == []


def test_a_call_that_the_switch_never_knows_is_given_up(flow: Flow) -> None:
    flow.call()
    done = hang_up(flow)
    for _ in range(20):
        flow.clock.advance(1)
    assert done == [0]
    assert len(flow.switch.killed) == 6


def test_a_switch_that_is_away_is_not_waited_for(flow: Flow) -> None:
    flow.call()
    flow.switch.ready = False
    assert hang_up(flow) == [0]
