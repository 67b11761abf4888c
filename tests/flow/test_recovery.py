"""What becomes of calls while the switch or this process was away."""

from __future__ import annotations

import pytest
from attrs import evolve

from dialer.model import AttemptState, Disposition, OwnCause, SignalKind, SubscriberStatus
from tests.fakes.flow import Flow


@pytest.fixture
def flow() -> Flow:
    return Flow()


def lose_switch(flow: Flow) -> None:
    flow.switch.ready = False
    flow.lifecycle.switch_down(flow.switch, "connection lost")


def regain_switch(flow: Flow, core: str = "core-1") -> None:
    flow.switch.ready = True
    flow.switch.core_uuid = core
    flow.lifecycle.switch_up(flow.switch)


def restart(flow: Flow) -> None:
    """Kill the process and start another on the same database."""
    for call in flow.clock.getDelayedCalls():
        call.cancel()
    flow.lifecycle = flow.new_lifecycle()
    flow.lifecycle.take_over(flow.store.open.values())


def test_a_call_that_lives_is_adopted(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.ANSWERED)
    lose_switch(flow)
    flow.channel(uuid)
    regain_switch(flow)
    assert flow.lifecycle.states() == {AttemptState.ANSWERED: 1}
    flow.hang_up(uuid, answered=True)
    assert flow.finished[0].disposition is Disposition.ANSWERED


def test_a_call_that_rings_is_adopted_as_ringing(flow: Flow) -> None:
    uuid = flow.call()
    lose_switch(flow)
    flow.channel(uuid, answered=False)
    regain_switch(flow)
    assert flow.lifecycle.states() == {AttemptState.RINGING: 1}


def test_a_call_that_is_gone_ends_unknown_after_the_grace(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    lose_switch(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 9)
    assert flow.finished == []
    flow.clock.pump([1.0] * 3)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.finished[0].decision.counts


def test_an_originate_without_reply_is_not_judged_before_its_deadline_and_the_grace(flow: Flow) -> None:
    flow.switch.hold = True
    flow.call()
    lose_switch(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 19)  # the window of 10 s and the grace of 10 s
    assert flow.finished == []
    flow.clock.pump([1.0] * 3)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN


def test_a_job_that_starts_late_is_adopted(flow: Flow) -> None:
    flow.switch.hold = True
    uuid = flow.call()
    lose_switch(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 5)
    flow.channel(uuid, answered=False)
    flow.clock.pump([1.0] * 30)
    assert flow.finished == []
    assert flow.lifecycle.states() == {AttemptState.RINGING: 1}


def test_a_channel_that_the_list_does_not_show_is_asked_for_by_its_uuid(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.ANSWERED)
    lose_switch(flow)
    flow.switch.hidden.add(uuid)
    regain_switch(flow)
    flow.clock.pump([1.0] * 15)
    assert flow.finished == []
    assert AttemptState.ADRIFT not in flow.lifecycle.states()


def test_a_restarted_switch_has_lost_the_calls(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.ANSWERED)
    lose_switch(flow)
    regain_switch(flow, core="core-2")
    assert flow.finished[0].outcome.cause == OwnCause.LOST_SWITCH


def test_a_restarted_process_adopts_what_its_predecessor_left(flow: Flow) -> None:
    uuid = flow.call()
    restart(flow)
    assert flow.lifecycle.states() == {AttemptState.ADRIFT: 1}
    flow.channel(uuid)
    regain_switch(flow)
    assert flow.lifecycle.owns(uuid)
    flow.hang_up(uuid, answered=True)
    assert flow.finished[0].decision.status is SubscriberStatus.COMPLETE


def test_an_answered_call_that_ended_while_nobody_watched_is_not_made_again(flow: Flow) -> None:
    uuid = flow.call()
    flow.store.open[uuid] = evolve(flow.store.open[uuid], state=AttemptState.ANSWERED, answered_at=flow.now())
    restart(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 25)
    assert flow.finished[0].disposition is Disposition.ANSWERED
    assert flow.finished[0].decision.status is SubscriberStatus.COMPLETE


def test_a_planned_attempt_of_a_dead_process_may_have_been_sent(flow: Flow) -> None:
    flow.begin(flow.plan(after=0.5))
    restart(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 19)
    assert flow.finished == []
    flow.clock.pump([1.0] * 4)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.finished[0].decision.counts


def test_a_stray_call_of_ours_is_hung_up_only_after_a_second_look(flow: Flow) -> None:
    flow.channel("stray")
    flow.channel("theirs", account="dialer-other")
    flow.channel("far-half", outbound=False)
    regain_switch(flow)
    flow.clock.pump([1.0] * 9)
    assert flow.switch.killed == []
    flow.clock.pump([1.0] * 3)
    assert flow.switch.killed == ["stray"]


def test_a_job_that_failed_over_a_living_call_is_not_believed(flow: Flow) -> None:
    uuid = flow.call()
    flow.channel(uuid)
    flow.tell(uuid, SignalKind.JOB_FAILED, "DESTINATION_OUT_OF_ORDER")
    flow.clock.advance(5)
    assert flow.finished == []
    flow.hang_up(uuid, answered=True)
    assert flow.finished[0].disposition is Disposition.ANSWERED


def test_a_job_refused_by_a_full_switch_is_requeued(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.JOB_FAILED, "DESTINATION_OUT_OF_ORDER")
    flow.clock.advance(5)
    assert flow.finished[0].attempt.call_uuid == uuid
    assert not flow.finished[0].decision.counts
