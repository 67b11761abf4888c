"""Calls that nobody drives, and attempts without news, on doubles and a stepped clock."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred

from dialer.calls.corrections import Correction
from dialer.model import Disposition, OwnCause, SignalKind
from dialer.rules.book import RuleBook
from dialer.rules.rows import ANYWHERE, RuleRow
from tests.fakes.flow import CAMPAIGN, START, Flow

OVERDUE = CAMPAIGN.call_timeout + CAMPAIGN.call_max_duration + 60


@pytest.fixture
def flow() -> Flow:
    flow = Flow()
    flow.lifecycle.watchers.start()
    return flow


def pass_time(flow: Flow, seconds: float) -> None:
    flow.clock.pump([1.0] * round(seconds))


def answered(flow: Flow) -> str:
    uuid = flow.call()
    flow.channel(uuid)
    flow.tell(uuid, SignalKind.ANSWERED)
    return uuid


def test_an_answered_call_that_no_session_drives_is_ended_and_counted(flow: Flow) -> None:
    uuid = answered(flow)
    pass_time(flow, 30)
    assert flow.switch.killed == []
    pass_time(flow, 11)
    assert flow.switch.killed == [uuid]
    assert flow.lifecycle.corrections[Correction.UNDRIVEN_HUNG_UP] == 1
    flow.hang_up(uuid, "ALLOTTED_TIMEOUT", answered=True)
    assert flow.finished[0].disposition is Disposition.ANSWERED


def test_a_call_that_waited_while_the_dialer_was_frozen_is_not_hung_up_at_the_first_look(flow: Flow) -> None:
    uuid = answered(flow)
    flow.clock.advance(45)
    pass_time(flow, 5)
    flow.tell(uuid, SignalKind.SESSION_OPENED)
    pass_time(flow, 30)
    assert flow.switch.killed == []


def test_a_call_with_a_session_is_left_alone(flow: Flow) -> None:
    uuid = answered(flow)
    flow.tell(uuid, SignalKind.SESSION_OPENED)
    pass_time(flow, 80)
    assert flow.switch.killed == []


def test_what_a_session_has_begun_may_go_on_without_it_up_to_the_calls_limit(flow: Flow) -> None:
    uuid = answered(flow)
    flow.tell(uuid, SignalKind.SESSION_OPENED)
    flow.tell(uuid, SignalKind.SESSION_CLOSED)
    pass_time(flow, OVERDUE - 5)
    assert flow.switch.killed == []
    pass_time(flow, 20)
    assert flow.switch.killed == [uuid]
    assert flow.lifecycle.corrections[Correction.OVERDUE_HUNG_UP] == 1


def test_a_talk_that_an_earlier_process_began_is_not_broken_off(flow: Flow) -> None:
    uuid = answered(flow)
    Deferred.fromCoroutine(flow.lifecycle.watchers.stop())
    flow.lifecycle = flow.new_lifecycle()
    flow.lifecycle.take_over(flow.store.open.values())
    flow.lifecycle.switch_up(flow.switch)
    flow.lifecycle.watchers.start()
    pass_time(flow, 60)
    assert flow.lifecycle.register.owns(uuid)
    assert flow.switch.killed == []


def test_a_ringing_call_is_not_taken_for_one_without_a_session(flow: Flow) -> None:
    uuid = flow.call()
    flow.channel(uuid, answered=False)
    flow.tell(uuid, SignalKind.RANG)
    pass_time(flow, OVERDUE - 10)
    assert flow.switch.killed == []


def test_an_attempt_without_news_whose_call_is_gone_ends_as_unknown(flow: Flow) -> None:
    flow.call()
    pass_time(flow, OVERDUE - 5)
    assert flow.finished == []
    pass_time(flow, 35)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.lifecycle.corrections[Correction.LOST_WITHOUT_A_WORD] == 1
    assert len(flow.lifecycle.register) == 0


def test_an_end_that_is_on_its_way_is_waited_for(flow: Flow) -> None:
    uuid = flow.call()
    while not flow.switch.killed:
        pass_time(flow, 1)
    flow.hang_up(uuid, "NO_ANSWER", rang=True)
    pass_time(flow, 30)
    assert flow.finished[0].disposition is Disposition.NO_ANSWER


def test_a_call_that_outlasts_its_limit_is_hung_up(flow: Flow) -> None:
    uuid = flow.call()
    flow.channel(uuid, answered=False)
    flow.tell(uuid, SignalKind.RANG)
    pass_time(flow, OVERDUE + 11)
    assert flow.switch.killed == [uuid]
    assert flow.lifecycle.corrections[Correction.OVERDUE_HUNG_UP] == 1


LONG_RING = RuleRow(place=ANYWHERE, name="long rings", min_ring=120, source="-", read_on=START.date(), confidence="high")


def test_a_call_may_ring_for_as_long_as_the_rules_of_its_callee_ask_for() -> None:
    flow = Flow(campaign=evolve(CAMPAIGN, call_timeout=5))
    flow.lifecycle.rules = RuleBook((LONG_RING,))
    flow.lifecycle.watchers.start()
    uuid = flow.call("+12125550100")
    assert flow.switch.submitted[0].timeout == 120
    flow.channel(uuid, answered=False)
    flow.tell(uuid, SignalKind.RANG)
    pass_time(flow, 120 + CAMPAIGN.call_max_duration + 60 - 5)
    assert flow.switch.killed == []
    pass_time(flow, 20)
    assert flow.switch.killed == [uuid]


def test_a_channel_that_the_switch_still_knows_is_not_given_up(flow: Flow) -> None:
    uuid = flow.call()
    flow.switch.hidden.add(uuid)
    pass_time(flow, OVERDUE + 60)
    assert flow.finished == []


def test_nothing_is_decided_while_the_switch_is_away(flow: Flow) -> None:
    answered(flow)
    flow.switch.ready = False
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    pass_time(flow, OVERDUE + 60)
    assert flow.finished == []
    assert flow.switch.killed == []


def test_an_orphan_channel_is_found_while_the_connection_holds(flow: Flow) -> None:
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, 5)
    flow.channel("stray")
    flow.channel("second-leg", bonded_to="call-1")
    pass_time(flow, 80)
    assert flow.switch.killed == ["stray"]


def test_a_stopped_sweeper_looks_no_more(flow: Flow) -> None:
    answered(flow)
    Deferred.fromCoroutine(flow.lifecycle.watchers.stop())
    pass_time(flow, 100)
    assert flow.switch.killed == []
