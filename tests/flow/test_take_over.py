"""Attempts that change hands: taken over from a dead node while the switch is there, and lost to another node."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred

from dialer.calls.corrections import Correction
from dialer.errors import StoreError, SwitchUnavailable
from dialer.interfaces import AnsweredCall
from dialer.model import Attempt, AttemptResult, AttemptState, Disposition, OwnCause, SignalKind, SubscriberStatus
from tests.fakes.calls import MemoryCall
from tests.fakes.flow import CAMPAIGN, GATEWAY, Flow
from tests.fakes.store import MemoryStore

WINDOW = 10
GRACE = 10


@pytest.fixture
def flow() -> Flow:
    """A node that has been connected for a while."""
    flow = Flow()
    flow.lifecycle.switch_up(flow.switch)
    flow.clock.pump([1.0] * 5)
    return flow


@pytest.fixture
def dead(flow: Flow) -> Flow:
    """Another node on the same database and the same switch."""
    return Flow(clock=flow.clock, store=flow.store, switch=flow.switch)


def pass_time(flow: Flow, seconds: float) -> None:
    flow.clock.pump([1.0] * round(seconds))


def rescued(flow: Flow, uuid: str, **facts: object) -> Attempt:
    """Take the attempt over as the database has it."""
    attempt = evolve(flow.store.open[uuid], **facts)
    flow.lifecycle.take_over([attempt])
    return attempt


# --- taken over -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True])
def test_a_call_that_lives_is_adopted_at_once(flow: Flow, dead: Flow, answered: bool) -> None:
    uuid = dead.call()
    flow.channel(uuid, answered=answered)
    rescued(flow, uuid)
    expected = AttemptState.ANSWERED if answered else AttemptState.RINGING
    assert flow.lifecycle.register.states() == {expected: 1}
    flow.hang_up(uuid, answered=answered)
    assert flow.finished[0].attempt.call_uuid == uuid
    assert flow.store.open == {}


HERE = "127.0.0.1:8084"
"""Where this node listens."""


@pytest.mark.parametrize("answered", [False, True])
def test_a_call_that_is_taken_over_is_led_to_this_node(flow: Flow, dead: Flow, answered: bool) -> None:
    uuid = dead.call()
    flow.channel(uuid, answered=answered)
    rescued(flow, uuid)
    assert flow.switch.led == [(uuid, HERE)]


@pytest.mark.parametrize("kind", [SignalKind.RANG, SignalKind.ANSWERED])
def test_a_call_that_begins_after_it_was_taken_over_is_led_here_too(flow: Flow, dead: Flow, kind: SignalKind) -> None:
    uuid = dead.call()
    rescued(flow, uuid)
    assert flow.switch.led == []
    flow.tell(uuid, kind)
    assert flow.switch.led == [(uuid, HERE)]


def test_a_call_that_has_come_here_needs_no_leading(flow: Flow, dead: Flow) -> None:
    uuid = dead.call()
    rescued(flow, uuid)
    flow.tell(uuid, SignalKind.SESSION_OPENED)
    assert flow.switch.led == []


def test_a_call_of_this_very_process_knows_its_way_back(flow: Flow) -> None:
    uuid = flow.call()
    flow.channel(uuid)
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    flow.lifecycle.switch_up(flow.switch)
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}
    assert flow.switch.led == []


def test_a_call_that_could_not_be_led_is_led_when_it_is_found_again(flow: Flow, dead: Flow) -> None:
    uuid = dead.call()
    rescued(flow, uuid)
    flow.switch.ready = False
    flow.tell(uuid, SignalKind.ANSWERED)
    assert flow.switch.led == []
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    flow.channel(uuid)
    flow.switch.ready = True
    flow.lifecycle.switch_up(flow.switch)
    assert flow.switch.led == [(uuid, HERE)]


@pytest.mark.parametrize("state", [AttemptState.PLANNED, AttemptState.SUBMITTED, AttemptState.UNCONFIRMED])
def test_what_may_still_be_on_its_way_is_not_judged_before_its_deadline_and_the_grace(
    flow: Flow, dead: Flow, state: AttemptState
) -> None:
    uuid = dead.call()
    rescued(flow, uuid, state=state)
    pass_time(flow, WINDOW + GRACE - 1)
    assert flow.finished == []
    pass_time(flow, 3)
    assert [finish.outcome.cause for finish in flow.finished] == [OwnCause.UNKNOWN]
    assert flow.finished[0].decision.counts_as_attempt


def test_what_is_taken_over_long_after_its_deadline_is_judged_at_once(flow: Flow, dead: Flow) -> None:
    uuid = dead.call()
    pass_time(flow, WINDOW + GRACE + 1)
    rescued(flow, uuid)
    assert [finish.outcome.cause for finish in flow.finished] == [OwnCause.UNKNOWN]


def test_a_planned_attempt_whose_originate_arrives_late_is_adopted(flow: Flow, dead: Flow) -> None:
    dead.begin(dead.plan(after=0.5))
    (uuid,) = flow.store.open
    rescued(flow, uuid)
    pass_time(flow, WINDOW - 1)
    flow.channel(uuid, answered=False)
    pass_time(flow, 3 * GRACE)
    assert flow.finished == []
    assert flow.lifecycle.register.states() == {AttemptState.RINGING: 1}


def test_a_call_of_another_core_died_with_it(flow: Flow, dead: Flow) -> None:
    uuid = dead.call()
    rescued(flow, uuid, state=AttemptState.RINGING, core_uuid="core-0")
    assert [finish.outcome.cause for finish in flow.finished] == [OwnCause.LOST_SWITCH]


def test_a_call_that_rang_and_is_gone_needs_no_grace_since_its_channel_was_there(flow: Flow, dead: Flow) -> None:
    uuid = dead.call()
    pass_time(flow, GRACE + 1)
    rescued(flow, uuid, state=AttemptState.ANSWERED, answered_at=flow.now() - timedelta(seconds=5), core_uuid="core-1")
    assert [finish.disposition for finish in flow.finished] == [Disposition.ANSWERED]
    assert flow.finished[0].decision.status is SubscriberStatus.COMPLETE


def test_what_is_taken_over_while_the_switch_is_away_waits_for_it(flow: Flow, dead: Flow) -> None:
    uuid = dead.call()
    flow.channel(uuid)
    flow.switch.ready = False
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    rescued(flow, uuid)
    assert flow.lifecycle.register.states() == {AttemptState.UNCONFIRMED: 1}
    flow.switch.ready = True
    flow.lifecycle.switch_up(flow.switch)
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}


def test_what_comes_during_a_look_is_looked_for_right_after_it(flow: Flow, dead: Flow) -> None:
    absent, alive = dead.call("15550001"), dead.call("15550002")
    flow.channel(alive)
    flow.switch.clock, flow.switch.round_trip = flow.clock, 0.1
    rescued(flow, absent)
    flow.clock.advance(0.15)  # the list has come, and the first one is asked for
    rescued(flow, alive)
    flow.clock.pump([0.05] * 8)
    assert flow.lifecycle.register.states() == {AttemptState.UNCONFIRMED: 1, AttemptState.ANSWERED: 1}


def test_what_is_owned_already_is_not_taken_twice(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    flow.lifecycle.take_over(flow.store.open.values())
    assert flow.lifecycle.register.states() == {AttemptState.RINGING: 1}
    assert flow.lifecycle.register.gateways == {GATEWAY.id: 1}


# --- lost to another node ---------------------------------------------------------------------------------------------------


def test_a_forgotten_call_goes_on_and_nothing_is_written_about_it(flow: Flow) -> None:
    uuid, kept = flow.call("15550001"), flow.call("15550002")
    flow.channel(uuid)
    flow.channel(kept)
    flow.tell(uuid, SignalKind.ANSWERED)
    before = list(flow.store.log)
    flow.lifecycle.forget([uuid, "never-heard-of"])
    assert flow.lifecycle.register.calls == {kept}
    assert flow.lifecycle.register.campaigns == {CAMPAIGN.id: 1}
    flow.hang_up(uuid, answered=True)
    flow.clock.pump([1.0] * 60)
    assert flow.store.log == before
    assert (flow.finished, flow.switch.killed) == ([], [])
    assert flow.lifecycle.corrections[Correction.DISOWNED] == 1


def test_what_was_not_sent_stays_unsent(flow: Flow) -> None:
    flow.begin(flow.plan("15550001", after=0.5), flow.plan("15550002", after=0.5))
    first, second = flow.store.open
    flow.lifecycle.forget([first])
    assert flow.lifecycle.register.unsent == 1
    flow.clock.advance(1)
    assert [call.call_uuid for call in flow.switch.submitted] == [second]
    assert flow.lifecycle.register.unsent == 0


def test_when_the_last_one_is_forgotten_nothing_is_open(flow: Flow) -> None:
    uuid = flow.call()
    idle: list[None] = []
    flow.lifecycle.register.when_idle().addCallback(idle.append)
    flow.lifecycle.forget([uuid])
    assert idle == [None]
    assert flow.lifecycle.register.gateways == {}


def test_an_end_that_waits_for_the_rest_of_its_story_is_not_told_any_more(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.JOB_FAILED, "USER_BUSY")
    flow.lifecycle.forget([uuid])
    flow.clock.pump([1.0] * 5)
    assert flow.store.finishes == []


def test_an_end_that_the_database_would_not_take_is_not_tried_again(flow: Flow) -> None:
    uuid = flow.call()
    flow.store.error = StoreError("the connection was lost")
    flow.hang_up(uuid, "USER_BUSY")
    flow.lifecycle.forget([uuid])
    flow.store.error = None
    flow.clock.pump([1.0] * 5)
    assert flow.store.finishes == []
    assert uuid in flow.store.open


@define(eq=False)
class SlowStore(MemoryStore):
    """Takes its time to store an end."""

    ending: list[Deferred[bool]] = field(factory=list)

    def finish(self, finish: AttemptResult, *, unless_recorded: bool = False) -> Deferred[bool]:
        self.ending.append(Deferred())
        return self.ending[-1]


def test_an_end_that_was_on_its_way_to_the_database_is_not_tried_again() -> None:
    store = SlowStore()
    flow = Flow(store=store)
    uuid = flow.call()
    flow.hang_up(uuid, "USER_BUSY")
    flow.lifecycle.forget([uuid])
    store.ending[0].errback(StoreError("the connection was lost"))
    flow.clock.pump([1.0] * 5)
    assert len(store.ending) == 1


def test_a_reply_about_a_forgotten_call_is_not_believed_of_the_one_that_came_back(flow: Flow) -> None:
    flow.switch.hold = True
    uuid = flow.call()
    flow.lifecycle.forget([uuid])
    rescued(flow, uuid)
    flow.switch.waiting[0].errback(SwitchUnavailable("originate", "stopping", sent=False))
    assert flow.lifecycle.register.states() == {AttemptState.UNCONFIRMED: 1}


def test_the_session_of_a_forgotten_call_goes_on_to_its_end(flow: Flow) -> None:
    heard: list[str] = []
    ends: Deferred[None] = Deferred()

    async def listen(call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
        await ends
        heard.append(call.call_uuid)
        return {"digits": "1"}

    flow.lifecycle.application = listen
    uuid = flow.call()
    Deferred.fromCoroutine(flow.lifecycle.connected(MemoryCall(uuid)))
    flow.lifecycle.forget([uuid])
    ends.callback(None)
    assert heard == [uuid]
    assert flow.finished == []


# --- the session of a call comes back ---------------------------------------------------------------------------------------


def test_a_call_that_comes_back_after_a_restart_is_driven_again(flow: Flow) -> None:
    driven: list[str] = []

    async def speak(call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
        driven.append(call.call_uuid)
        return {"heard": str(len(driven))}

    uuid = flow.call()
    flow.lifecycle.application = speak
    flow.tell(uuid, SignalKind.ANSWERED)
    Deferred.fromCoroutine(flow.lifecycle.connected(MemoryCall(uuid)))
    flow.channel(uuid)
    flow.lifecycle = flow.new_lifecycle()
    flow.lifecycle.application = speak
    flow.lifecycle.take_over(flow.store.open.values())
    assert flow.lifecycle.register.owns(uuid)
    Deferred.fromCoroutine(flow.lifecycle.connected(MemoryCall(uuid)))
    flow.lifecycle.switch_up(flow.switch)
    flow.hang_up(uuid, answered=True)
    assert driven == [uuid, uuid]
    assert [finish.outcome.session for finish in flow.finished] == [{"heard": "2"}]
