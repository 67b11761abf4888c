"""The flow of an attempt, on doubles and a stepped clock."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import cast

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred

from dialer.calls import keys
from dialer.errors import SessionGone, StoreError, SwitchUnavailable
from dialer.interfaces import UNFINISHED, AnsweredCall
from dialer.logs import LineLog
from dialer.model import Attempt, AttemptState, Disposition, OwnCause, SignalKind, SubscriberStatus
from dialer.model.caller_id import ShownCaller
from dialer.model.retries import Retries
from tests.fakes.flow import CAMPAIGN, Flow


@pytest.fixture
def flow() -> Flow:
    return Flow()


def only(flow: Flow):
    assert len(flow.finished) == 1
    return flow.finished[0]


def test_nothing_is_sent_before_the_attempt_is_durable(flow: Flow) -> None:
    flow.store.hold = True
    flow.call()
    assert flow.switch.submitted == []
    flow.store.held[0].callback(None)
    flow.clock.advance(0)
    assert [call.call_uuid for call in flow.switch.submitted] == ["call-1"]


def test_a_call_is_sent_at_its_due_time(flow: Flow) -> None:
    flow.begin(flow.plan("15550001"), flow.plan("15550002", after=0.5))
    assert len(flow.switch.submitted) == 1
    flow.clock.advance(0.49)
    assert len(flow.switch.submitted) == 1
    flow.clock.advance(0.02)
    assert len(flow.switch.submitted) == 2


def test_the_originate_carries_the_campaigns_rules(flow: Flow) -> None:
    flow = Flow(campaign=evolve(CAMPAIGN, caller_id="5551234", caller_name="Autumn", call_timeout=12, call_max_duration=99))
    flow.call()
    call = flow.switch.submitted[0]
    assert (call.timeout, call.max_duration, call.caller_id_number, call.caller_id_name) == (12, 99, "5551234", "Autumn")
    assert call.account_code == "dialer-test"


def test_a_call_shows_the_number_of_a_pool_that_was_chosen_for_it() -> None:
    flow = Flow(campaign=evolve(CAMPAIGN, caller_id="5551234", caller_name="Autumn"))
    flow.begin(evolve(flow.plan(), caller=ShownCaller(number="+12125550100", name="Desk two", id=7, day="2026-11-23")))
    [call] = flow.switch.submitted
    assert (call.caller_id_number, call.caller_id_name) == ("+12125550100", "Desk two")


def test_an_answered_call_completes_the_contact(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    flow.clock.advance(3)
    flow.tell(uuid, SignalKind.ANSWERED)
    flow.tell(uuid, SignalKind.JOB_SUCCEEDED)
    flow.clock.advance(7)
    flow.hang_up(uuid, rang=True, answered=True, talk_ms=7000, duration_ms=10000, sip_status=200, q850=16)
    finish = only(flow)
    assert finish.disposition is Disposition.ANSWERED
    assert finish.decision.status is SubscriberStatus.COMPLETE
    assert (finish.outcome.talk_ms, finish.outcome.sip_status) == (7000, 200)
    assert len(flow.lifecycle.register) == 0


def steps(log: LineLog) -> list[str]:
    return [line.partition("dialer: ")[2] for line in cast(io.StringIO, log.stream).getvalue().splitlines()]


def test_at_debug_each_step_of_a_call_is_a_line_with_its_uuid() -> None:
    log = LineLog(io.StringIO(), lambda: datetime(2026, 11, 23, tzinfo=UTC))
    log.set_levels("debug", "warning")
    flow = Flow()
    uuid = flow.call()
    for kind in (SignalKind.SUBMITTED, SignalKind.RANG, SignalKind.RANG, SignalKind.ANSWERED, SignalKind.SESSION_OPENED):
        flow.tell(uuid, kind)
    flow.tell(uuid, SignalKind.SESSION_CLOSED)
    flow.hang_up(uuid, rang=True, answered=True, talk_ms=7000, duration_ms=10000, sip_status=200, q850=16)
    told = steps(log)
    assert [line.split()[0] for line in told] == ["planned", "submitted", "ringing", "answered", "connected", "ended"]
    assert all(f"call={uuid}" in line for line in told)
    assert "campaign=" in told[0]
    assert told[-1] == f"ended call={uuid} cause=NORMAL_CLEARING disposition=ANSWERED"


def test_a_level_that_is_changed_counts_for_the_calls_that_are_planned_from_then_on() -> None:
    log = LineLog(io.StringIO(), lambda: datetime(2026, 11, 23, tzinfo=UTC))
    log.set_levels("info", "warning")
    flow = Flow()
    flow.begin(flow.plan("15550001"))
    assert steps(log) == []
    log.set_levels("debug", "warning")
    flow.begin(flow.plan("15550002"))
    assert steps(log)[0].startswith("planned ")


def test_a_busy_contact_is_retried_after_the_interval(flow: Flow) -> None:
    uuid = flow.call()
    flow.hang_up(uuid, "USER_BUSY", sip_status=486)
    finish = only(flow)
    assert finish.disposition is Disposition.BUSY
    assert finish.decision.status is SubscriberStatus.START
    assert finish.decision.counts_as_attempt
    assert (finish.decision.ready_at - flow.now()).total_seconds() == CAMPAIGN.interval_retry


def test_retries_follow_the_rules_of_the_moment(flow: Flow) -> None:
    uuid = flow.call()
    flow.lifecycle.use_rules([evolve(CAMPAIGN, max_retry=0)])
    flow.hang_up(uuid, "USER_BUSY")
    assert only(flow).decision.status is SubscriberStatus.FAIL


def test_a_failed_job_waits_for_the_switchs_account_of_the_call(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.JOB_FAILED, "USER_BUSY")
    assert flow.finished == []
    flow.clock.advance(0.2)
    flow.hang_up(uuid, "USER_BUSY", sip_status=486)
    assert only(flow).outcome.sip_status == 486


def test_a_failed_job_without_a_channel_ends_by_itself(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.JOB_FAILED, "INVALID_GATEWAY")
    flow.clock.advance(1.5)
    finish = only(flow)
    assert finish.outcome.cause == "INVALID_GATEWAY"
    assert not finish.decision.counts_as_attempt


def test_a_job_that_fails_after_the_hangup_changes_nothing(flow: Flow) -> None:
    uuid = flow.call()
    flow.hang_up(uuid, "NO_ANSWER", rang=True)
    flow.tell(uuid, SignalKind.JOB_FAILED, "NO_ANSWER")
    flow.clock.advance(10)
    assert only(flow).disposition is Disposition.NO_ANSWER


def test_signals_of_other_peoples_calls_are_ignored(flow: Flow) -> None:
    flow.hang_up("somebody-else")
    assert flow.finished == []


def test_the_end_waits_for_the_voice_application(flow: Flow) -> None:
    uuid = flow.call()
    gate: Deferred[dict[str, str]] = Deferred()

    async def slow(call, attempt):
        return await gate

    flow.lifecycle.application = slow
    Deferred.fromCoroutine(flow.lifecycle.connected(_Session(uuid)))
    flow.tell(uuid, SignalKind.ANSWERED)
    flow.hang_up(uuid, answered=True)
    flow.clock.advance(4)
    assert flow.finished == []
    gate.callback({"played": "1"})
    assert only(flow).outcome.session == {"played": "1"}


def test_a_voice_application_that_never_ends_does_not_hold_the_contact(flow: Flow) -> None:
    uuid = flow.call()

    async def stuck(call, attempt):
        return await Deferred()

    flow.lifecycle.application = stuck
    Deferred.fromCoroutine(flow.lifecycle.connected(_Session(uuid)))
    flow.hang_up(uuid, answered=True)
    flow.clock.advance(5.1)
    assert only(flow).disposition is Disposition.ANSWERED


def test_a_callee_that_hangs_up_ends_the_application_quietly(flow: Flow) -> None:
    uuid = flow.call()

    async def interrupted(call, attempt):
        raise SessionGone("the callee hung up")

    flow.lifecycle.application = interrupted
    done = Deferred.fromCoroutine(flow.lifecycle.connected(_Session(uuid)))
    flow.hang_up(uuid, answered=True)
    assert done.called
    assert only(flow).disposition is Disposition.ANSWERED


def test_what_was_never_sent_is_given_back_uncounted(flow: Flow) -> None:
    flow.switch.submit_error = SwitchUnavailable("originate", "not connected", sent=False)
    flow.call()
    finish = only(flow)
    assert finish.outcome.cause == OwnCause.NOT_SENT
    assert finish.decision.status is SubscriberStatus.START
    assert not finish.decision.counts_as_attempt


def test_what_may_have_been_sent_is_kept_until_the_switch_tells(flow: Flow) -> None:
    flow.switch.submit_error = SwitchUnavailable("originate", "connection lost", sent=True)
    flow.call()
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    flow.clock.advance(3600)
    assert flow.finished == []
    assert flow.lifecycle.register.states() == {AttemptState.UNCONFIRMED: 1}


def test_calls_waiting_for_their_turn_are_given_back_when_the_switch_goes(flow: Flow) -> None:
    flow.begin(flow.plan(after=0.5))
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    flow.clock.advance(1)
    assert flow.switch.submitted == []
    assert only(flow).outcome.cause == OwnCause.NOT_SENT


def test_an_end_that_the_store_cannot_take_is_stored_later(flow: Flow) -> None:
    uuid = flow.call()
    flow.store.error = StoreError("disk full")
    flow.hang_up(uuid, "USER_BUSY")
    flow.clock.advance(0.5)
    assert flow.finished == []
    assert len(flow.lifecycle.register) == 1
    flow.store.error = None
    flow.clock.advance(1)
    assert only(flow).disposition is Disposition.BUSY
    assert len(flow.lifecycle.register) == 0


def test_usage_is_held_from_begin_to_the_stored_end(flow: Flow) -> None:
    uuid = flow.call()
    assert flow.lifecycle.register.gateways == {1: 1}
    flow.hang_up(uuid, "USER_BUSY")
    assert flow.lifecycle.register.gateways == {}
    assert flow.lifecycle.register.campaigns == {}


def test_when_idle_fires_with_the_last_end(flow: Flow) -> None:
    uuid = flow.call()
    idle: list[None] = []
    flow.lifecycle.register.when_idle().addCallback(idle.append)
    assert idle == []
    flow.hang_up(uuid)
    assert idle == [None]


def answered_session(flow: Flow) -> tuple[str, _Session]:
    """A call whose voice application never ends."""
    uuid = flow.call()

    async def stuck(call, attempt):
        return await Deferred()

    flow.lifecycle.application = stuck
    session = _Session(uuid)
    Deferred.fromCoroutine(flow.lifecycle.connected(session))
    return uuid, session


def test_each_key_is_noted_as_it_is_pressed_until_the_call_is_over(flow: Flow) -> None:
    uuid, session = answered_session(flow)
    for digit in "12#":
        session.press(digit)
    flow.hang_up(uuid, answered=True)
    flow.clock.advance(6)
    session.press("9")
    assert [line for line in flow.store.log if line.startswith("pressed")] == [f"pressed {digit} {uuid}" for digit in "12#"]


def test_who_leans_on_a_key_makes_no_flood(flow: Flow) -> None:
    uuid, session = answered_session(flow)
    for _ in range(1000):
        session.press("5")
    assert flow.store.log.count(f"pressed 5 {uuid}") == keys.MOST_KEYS


class _Session:
    """As much of an answered call as the flow itself looks at."""

    def __init__(self, call_uuid: str) -> None:
        self.call_uuid = call_uuid
        self.waiting: list[Deferred[str]] = []

    def next_digit(self) -> Deferred[str]:
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def press(self, digit: str) -> None:
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            each.callback(digit)


@pytest.mark.parametrize(("text", "status"), [("incomplete=1/1h", SubscriberStatus.START), ("", SubscriberStatus.COMPLETE)])
def test_a_callee_who_left_the_application_before_its_end_is_called_again_where_the_campaign_says_so(
    flow: Flow, text: str, status: SubscriberStatus
) -> None:
    flow.lifecycle.use_rules([evolve(CAMPAIGN, retry=Retries().parse(text))])

    async def leave(call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
        return {UNFINISHED: "the callee hung up", "played": "0"}

    flow.lifecycle.application = leave
    uuid = flow.call()
    flow.tell(uuid, SignalKind.ANSWERED)
    session = Deferred.fromCoroutine(flow.lifecycle.connected(cast(AnsweredCall, _Session(uuid))))
    flow.hang_up(uuid, answered=True, talk_ms=3000)
    assert session.called
    (finish,) = flow.finished
    assert finish.decision.status is status
    assert finish.outcome.session == {"played": "0"}


def test_a_reply_behind_the_failure_of_the_job_does_not_end_the_wait_for_the_switchs_account(flow: Flow) -> None:
    flow.switch.hold = True
    uuid = flow.call()
    flow.tell(uuid, SignalKind.JOB_FAILED, "CALL_REJECTED")
    flow.switch.waiting[0].callback(None)
    assert flow.finished == []
    flow.hang_up(uuid, "CALL_REJECTED", sip_status=401)
    (finish,) = flow.finished
    assert finish.outcome.sip_status == 401
    assert not finish.decision.counts_as_attempt
