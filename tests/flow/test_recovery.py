"""What becomes of calls while the switch or this process was away."""

from __future__ import annotations

from unittest import mock

import pytest
from attrs import evolve

from dialer.calls.corrections import Correction
from dialer.errors import CommandFailed
from dialer.model import AttemptState, Disposition, Execution, OwnCause, SignalKind, SubscriberStatus
from tests.fakes.flow import Flow
from tests.fakes.switch import MemorySwitch


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
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}
    flow.hang_up(uuid, answered=True)
    assert flow.finished[0].disposition is Disposition.ANSWERED


def test_a_call_that_rings_is_adopted_as_ringing(flow: Flow) -> None:
    uuid = flow.call()
    lose_switch(flow)
    flow.channel(uuid, answered=False)
    regain_switch(flow)
    assert flow.lifecycle.register.states() == {AttemptState.RINGING: 1}


def test_a_call_that_is_gone_ends_unknown_after_the_grace(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    lose_switch(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 9)
    assert flow.finished == []
    flow.clock.pump([1.0] * 3)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.finished[0].decision.counts_as_attempt


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
    assert flow.lifecycle.register.states() == {AttemptState.RINGING: 1}


def test_a_channel_that_the_list_does_not_show_is_asked_for_by_its_uuid(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.ANSWERED)
    lose_switch(flow)
    flow.switch.hidden.add(uuid)
    regain_switch(flow)
    flow.clock.pump([1.0] * 15)
    assert flow.finished == []
    assert AttemptState.UNCONFIRMED not in flow.lifecycle.register.states()


def test_a_call_that_is_over_and_still_listed_is_noticed_before_long(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    lose_switch(flow)
    flow.channel(uuid, answered=False)
    flow.switch.ghosts.add(uuid)
    regain_switch(flow)
    assert flow.lifecycle.register.states() == {AttemptState.RINGING: 1}
    flow.switch.channels.clear()
    flow.clock.pump([1.0])
    assert flow.finished == []
    flow.clock.pump([1.0])
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.lifecycle.corrections[Correction.ENDED_UNKNOWN] == 1


def test_the_end_of_a_call_that_was_just_adopted_counts_when_it_is_told(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    lose_switch(flow)
    flow.channel(uuid, answered=False)
    regain_switch(flow)
    flow.switch.channels.clear()
    flow.clock.pump([1.0])
    flow.hang_up(uuid, "USER_BUSY", rang=True)
    flow.clock.pump([1.0] * 3)
    assert [finish.outcome.cause for finish in flow.finished] == ["USER_BUSY"]


def test_a_call_that_was_adopted_is_asked_for_once_more_and_then_left_alone(flow: Flow) -> None:
    uuid = flow.call()
    lose_switch(flow)
    flow.channel(uuid)
    regain_switch(flow)
    flow.clock.pump([1.0] * 5)
    assert flow.switch.asked == [uuid]
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}


def test_a_second_loss_of_the_switch_puts_the_question_off(flow: Flow) -> None:
    uuid = flow.call()
    lose_switch(flow)
    flow.channel(uuid)
    regain_switch(flow)
    lose_switch(flow)
    flow.clock.pump([1.0] * 5)
    assert flow.switch.asked == []
    regain_switch(flow)
    flow.clock.pump([1.0] * 2)
    assert flow.switch.asked == [uuid]


def test_a_restarted_switch_has_lost_the_calls(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.ANSWERED)
    lose_switch(flow)
    regain_switch(flow, core="core-2")
    assert flow.finished[0].outcome.cause == OwnCause.LOST_SWITCH


def test_a_restarted_process_adopts_what_its_predecessor_left(flow: Flow) -> None:
    uuid = flow.call()
    restart(flow)
    assert flow.lifecycle.register.states() == {AttemptState.UNCONFIRMED: 1}
    flow.channel(uuid)
    regain_switch(flow)
    assert flow.lifecycle.register.owns(uuid)
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


def test_a_call_whose_job_succeeded_had_been_answered(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.JOB_SUCCEEDED)
    lose_switch(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 12)
    assert flow.finished[0].disposition is Disposition.ANSWERED


def test_a_planned_attempt_of_a_dead_process_may_have_been_sent(flow: Flow) -> None:
    flow.begin(flow.plan(after=0.5))
    restart(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 19)
    assert flow.finished == []
    flow.clock.pump([1.0] * 4)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.finished[0].decision.counts_as_attempt


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
    assert not flow.finished[0].decision.counts_as_attempt


# --- corrections ------------------------------------------------------------------------------------------------------------


def counted(flow: Flow) -> dict[Correction, int]:
    return {kind: count for kind, count in flow.lifecycle.corrections.items() if count}


def test_what_is_adopted_is_counted_as_ringing_or_answered(flow: Flow) -> None:
    ringing, answered = flow.call("15550001"), flow.call("15550002")
    lose_switch(flow)
    flow.channel(ringing, answered=False)
    flow.channel(answered)
    regain_switch(flow)
    assert counted(flow) == {Correction.ADOPTED_RINGING: 1, Correction.ADOPTED_ANSWERED: 1}


def test_what_is_gone_is_counted_by_what_was_known_of_it(flow: Flow) -> None:
    flow.call("15550001")
    answered = flow.call("15550002")
    flow.tell(answered, SignalKind.ANSWERED)
    lose_switch(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 12)
    assert counted(flow) == {Correction.ENDED_UNKNOWN: 1, Correction.ENDED_ANSWERED: 1}


def test_what_died_with_the_switch_is_counted_once(flow: Flow) -> None:
    flow.call()
    lose_switch(flow)
    regain_switch(flow, core="core-2")
    flow.clock.pump([1.0] * 12)
    assert counted(flow) == {Correction.LOST_SWITCH: 1}


def test_a_job_that_is_not_believed_is_counted(flow: Flow) -> None:
    uuid = flow.call()
    flow.channel(uuid)
    flow.tell(uuid, SignalKind.JOB_FAILED, "DESTINATION_OUT_OF_ORDER")
    assert counted(flow) == {Correction.JOB_NOT_BELIEVED: 1}


def test_a_plain_call_is_no_correction(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.ANSWERED)
    flow.hang_up(uuid, answered=True)
    lose_switch(flow)
    regain_switch(flow)
    flow.clock.pump([1.0] * 30)
    assert counted(flow) == {}


# --- while questions are under way ------------------------------------------------------------------------------------------


def slow(flow: Flow, round_trip: float = 0.5) -> None:
    flow.switch.clock, flow.switch.round_trip = flow.clock, round_trip


def test_a_call_that_is_heard_of_while_the_switch_is_asked_is_not_declared_gone(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    lose_switch(flow)
    flow.clock.advance(20)
    slow(flow)
    regain_switch(flow)
    flow.clock.advance(0.6)  # the list has come, and the question is on its way
    assert flow.switch.asked == [uuid]
    flow.tell(uuid, SignalKind.ANSWERED)
    flow.clock.advance(0.6)
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}
    flow.hang_up(uuid, answered=True)
    assert flow.finished[0].outcome.cause == "NORMAL_CLEARING"


@pytest.mark.parametrize(("when", "listed"), [(0.2, True), (0.7, False)], ids=["listing", "asking"])
def test_what_a_lost_connection_still_answers_is_not_believed(flow: Flow, when: float, listed: bool) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    lose_switch(flow)
    flow.clock.advance(20)
    slow(flow)
    if listed:
        flow.channel(uuid)
    regain_switch(flow)
    flow.clock.advance(when)
    flow.lifecycle.switch_down(flow.switch, "the connection for events broke")
    flow.clock.advance(5)
    assert flow.lifecycle.register.states() == {AttemptState.UNCONFIRMED: 1}
    assert counted(flow) == {}
    flow.channel(uuid)
    flow.lifecycle.switch_up(flow.switch)
    flow.clock.pump([0.1] * 10)
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}


def test_a_switch_that_refuses_to_list_its_channels_is_asked_again(flow: Flow) -> None:
    uuid = flow.call()
    flow.channel(uuid)
    lose_switch(flow)
    with mock.patch.object(MemorySwitch, "live_channels", side_effect=CommandFailed("show channels", "-ERR busy")):
        regain_switch(flow)
        flow.clock.advance(1)
    assert flow.lifecycle.register.states() == {AttemptState.UNCONFIRMED: 1}
    flow.clock.advance(1)
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}


# --- marks on the switch ----------------------------------------------------------------------------------------------------


def killed_with_an_originate_on_its_way(flow: Flow) -> str:
    """Nobody knows whether the switch has got it."""
    flow.switch.hold = True
    uuid = flow.call()
    restart(flow)
    regain_switch(flow)
    return uuid


def test_a_call_that_the_switch_never_got_to_is_requeued_as_soon_as_it_cannot_be_dialled_any_more(flow: Flow) -> None:
    flow.switch.marks = {}
    killed_with_an_originate_on_its_way(flow)
    flow.clock.pump([1.0] * 10)  # the window
    assert flow.finished == []
    flow.clock.pump([1.0] * 2)
    (finish,) = flow.finished
    assert finish.outcome.cause == OwnCause.NEVER_DIALLED
    assert not finish.decision.counts_as_attempt
    assert finish.decision.status is SubscriberStatus.START
    assert finish.decision.ready_at is not None
    assert (finish.decision.ready_at - flow.now()).total_seconds() <= 1.0
    assert counted(flow) == {Correction.NEVER_DIALLED: 1}


def test_a_call_that_the_switch_executed_counts_after_the_grace(flow: Flow) -> None:
    flow.switch.marks = {}
    flow.switch.marks[killed_with_an_originate_on_its_way(flow)] = Execution.DIALLED
    flow.clock.pump([1.0] * 19)
    assert flow.finished == []
    flow.clock.pump([1.0] * 3)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.finished[0].decision.counts_as_attempt
    assert len(flow.switch.marked_asked) == 1


def test_a_call_for_which_the_switch_made_no_channel_is_requeued_after_the_grace_and_not_charged(flow: Flow) -> None:
    flow.switch.marks = {}
    flow.switch.marks[killed_with_an_originate_on_its_way(flow)] = Execution.NO_CHANNEL
    flow.clock.pump([1.0] * 19)
    assert flow.finished == []
    flow.clock.pump([1.0] * 3)
    (finish,) = flow.finished
    assert finish.outcome.cause == OwnCause.NEVER_DIALLED
    assert not finish.decision.counts_as_attempt
    assert finish.decision.status is SubscriberStatus.START
    assert counted(flow) == {Correction.NEVER_DIALLED: 1}


def test_a_channel_that_the_switch_makes_between_two_looks_counts(flow: Flow) -> None:
    flow.switch.marks = {}
    uuid = killed_with_an_originate_on_its_way(flow)
    flow.switch.marks[uuid] = Execution.NO_CHANNEL
    flow.clock.pump([1.0] * 19)
    flow.switch.marks[uuid] = Execution.DIALLED
    flow.clock.pump([1.0] * 3)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.finished[0].decision.counts_as_attempt


def test_one_look_is_not_enough_to_say_that_no_channel_will_be_made(flow: Flow) -> None:
    """A FreeSWITCH that was frozen for long answers before it goes on with what it had begun."""
    flow.switch.hold = True
    uuid = flow.call()
    restart(flow)
    flow.switch.marks = {uuid: Execution.NO_CHANNEL}
    flow.clock.pump([1.0] * 60)
    regain_switch(flow)
    flow.clock.advance(0)
    flow.lifecycle.watchers.look_soon()
    assert len(flow.switch.marked_asked) >= 2
    assert flow.finished == []
    flow.switch.hidden.add(uuid)
    flow.clock.pump([1.0] * 3)
    assert flow.finished == []
    assert flow.lifecycle.register.states() == {AttemptState.RINGING: 1}


def test_a_call_that_the_switch_executed_and_has_begun_is_adopted_whatever_the_marks_say(flow: Flow) -> None:
    flow.switch.marks = {}
    uuid = killed_with_an_originate_on_its_way(flow)
    flow.switch.hidden.add(uuid)
    flow.clock.pump([1.0] * 30)
    assert flow.finished == []
    assert flow.switch.marked_asked == []


def test_a_call_that_rang_is_not_taken_for_one_that_was_never_dialled(flow: Flow) -> None:
    flow.switch.marks = {}
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    lose_switch(flow)
    flow.clock.pump([1.0] * 12)
    regain_switch(flow)
    flow.clock.pump([1.0] * 2)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert flow.switch.marked_asked == []


def test_a_switch_that_keeps_no_marks_is_asked_once_and_the_grace_decides(flow: Flow) -> None:
    killed_with_an_originate_on_its_way(flow)
    flow.clock.pump([1.0] * 22)
    assert flow.finished[0].outcome.cause == OwnCause.UNKNOWN
    assert len(flow.switch.marked_asked) == 1


def test_the_mark_of_a_call_is_given_up_when_its_end_is_stored_and_not_before(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    assert flow.switch.forgotten == []
    flow.hang_up(uuid, "USER_BUSY", rang=True)
    assert flow.switch.forgotten == [uuid]
