"""Retry: the table by example; counts and moments by property."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from dialer.calls.retry import MAX_REQUEUES, decide, requeued_for
from dialer.calls.verdict import judge
from dialer.interfaces import OPT_OUT, UNSERVED
from dialer.model import Campaign, Candidate, Decision, OwnCause, SubscriberStatus, UnknownPolicy, UnservedPolicy
from dialer.model.retries import Retries
from tests.unit.builders import NOON, campaign, candidate, outcome

CHARGED = (
    "USER_BUSY",
    "NO_ANSWER",
    "UNALLOCATED_NUMBER",
    "CALL_REJECTED",
    "NORMAL_CLEARING",
    OwnCause.UNKNOWN,
    OwnCause.LOST_SWITCH,
)
"""Ends for which nobody else is to blame: others are requeued as often as need be."""


def after(
    cause: str,
    who: Candidate | None = None,
    rules: Campaign | None = None,
    *,
    answered: bool = False,
    alone: bool = False,
    at: datetime = NOON,
    **end_of: Any,
) -> Decision:
    end = outcome(cause, answered=answered, **end_of)
    return decide(judge(end), end, who or candidate(), rules or campaign(), at, alone=alone)


def stored(who: Candidate, decision: Decision) -> Candidate:
    """The candidate's counts as the store keeps them."""
    if decision.counts_as_attempt:
        return evolve(who, count_attempt=who.count_attempt + 1, free_retries=0)
    return evolve(who, free_retries=who.free_retries + 1)


def test_busy_contact_is_retried_after_the_interval() -> None:
    decision = after("USER_BUSY", rules=campaign(interval_retry=300))
    assert (decision.status, decision.ready_at, decision.counts_as_attempt) == (
        SubscriberStatus.START,
        NOON + timedelta(seconds=300),
        True,
    )


def test_an_interval_of_nothing_still_leaves_a_moment_between_two_calls() -> None:
    assert after("USER_BUSY", rules=campaign(interval_retry=0)).ready_at == NOON + timedelta(seconds=1)


def test_the_last_attempt_fails_the_contact() -> None:
    rules = campaign(max_retry=2)
    assert after("USER_BUSY", candidate(count_attempt=1), rules).status is SubscriberStatus.START
    decision = after("USER_BUSY", candidate(count_attempt=2), rules)
    assert (decision.status, decision.ready_at, decision.counts_as_attempt) == (SubscriberStatus.FAIL, None, True)


def test_without_retries_the_first_failure_is_the_last() -> None:
    assert after("NO_ANSWER", rules=campaign(max_retry=0)).status is SubscriberStatus.FAIL


def test_an_answered_contact_is_complete() -> None:
    decision = after("NORMAL_CLEARING", answered=True)
    assert (decision.status, decision.ready_at, decision.counts_as_attempt) == (SubscriberStatus.COMPLETE, None, True)


def test_an_invalid_number_fails_at_once() -> None:
    assert after("UNALLOCATED_NUMBER").status is SubscriberStatus.FAIL


@pytest.mark.parametrize(("before", "pause"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 80)])
def test_a_fault_of_the_carrier_is_requeued_after_a_growing_pause(before: int, pause: int) -> None:
    decision = after("GATEWAY_DOWN", candidate(free_retries=before))
    assert (decision.status, decision.counts_as_attempt) == (SubscriberStatus.START, False)
    assert decision.ready_at == NOON + timedelta(seconds=pause)


@pytest.mark.parametrize("cause", ["NORMAL_TEMPORARY_FAILURE", "GATEWAY_DOWN", "USER_CHALLENGE", "SYSTEM_SHUTDOWN"])
@pytest.mark.parametrize("alone", [False, True])
def test_what_is_not_the_contacts_fault_never_counts(cause: str, alone: bool) -> None:
    decision = after(cause, candidate(free_retries=1000, count_attempt=3), alone=alone)
    assert (decision.status, decision.counts_as_attempt) == (SubscriberStatus.START, False)
    assert decision.ready_at == NOON + timedelta(minutes=60 if alone else 10)


@pytest.mark.parametrize(("cause", "status"), [("CALL_REJECTED", 403), ("INCOMPATIBLE_DESTINATION", 488)])
def test_a_doubtful_fault_counts_when_others_get_through_the_gateway_and_only_then(cause: str, status: int) -> None:
    who = candidate(free_retries=MAX_REQUEUES)
    everybodys = after(cause, who, sip_status=status)
    assert (everybodys.status, everybodys.counts_as_attempt) == (SubscriberStatus.START, False)
    its_own = after(cause, who, campaign(interval_retry=300), sip_status=status, alone=True)
    assert (its_own.counts_as_attempt, its_own.ready_at) == (True, NOON + timedelta(seconds=300))
    soon = after(cause, candidate(free_retries=MAX_REQUEUES - 1), sip_status=status, alone=True)
    assert not soon.counts_as_attempt
    last = evolve(who, count_attempt=3)
    assert after(cause, last, campaign(max_retry=3), sip_status=status, alone=True).status is SubscriberStatus.FAIL


def test_a_line_that_is_out_of_order_counts_the_sixth_time_in_a_row() -> None:
    end = {"q850": 27, "sip_status": 502}
    assert not after("DESTINATION_OUT_OF_ORDER", candidate(free_retries=MAX_REQUEUES - 1), **end).counts_as_attempt
    assert after("DESTINATION_OUT_OF_ORDER", candidate(free_retries=MAX_REQUEUES), **end).counts_as_attempt


@given(rows=st.integers(0, 40), alone=st.booleans())
def test_a_row_of_requeues_is_never_taken_for_longer_than_it_was(rows: int, alone: bool) -> None:
    passed = timedelta()
    for free_retries in range(rows):
        decision = after("GATEWAY_DOWN", candidate(free_retries=free_retries), alone=alone)
        assert decision.ready_at is not None
        passed += decision.ready_at - NOON
    assert requeued_for(candidate(free_retries=rows)) <= passed


def test_what_the_switch_never_got_to_is_called_at_once() -> None:
    decision = after(OwnCause.NEVER_DIALLED, candidate(free_retries=3))
    assert (decision.counts_as_attempt, decision.ready_at) == (False, NOON + timedelta(seconds=1))


def test_what_the_switch_never_dialled_is_requeued_however_often() -> None:
    decision = after(OwnCause.NOT_SENT, candidate(free_retries=1000))
    assert (decision.status, decision.counts_as_attempt) == (SubscriberStatus.START, False)
    assert decision.ready_at == NOON + timedelta(seconds=80)


def test_a_fault_is_requeued_even_when_no_counted_attempt_is_left_to_retry() -> None:
    assert after("GATEWAY_DOWN", rules=campaign(max_retry=0)).status is SubscriberStatus.START


def test_an_unknown_end_follows_the_campaigns_policy() -> None:
    assert after(OwnCause.UNKNOWN, rules=campaign(unknown_policy=UnknownPolicy.RETRY)).status is SubscriberStatus.START
    never = after(OwnCause.UNKNOWN, rules=campaign(unknown_policy=UnknownPolicy.NEVER))
    assert (never.status, never.counts_as_attempt) == (SubscriberStatus.FAIL, True)


def test_the_policy_for_unknown_ends_does_not_touch_others() -> None:
    assert after("USER_BUSY", rules=campaign(unknown_policy=UnknownPolicy.NEVER)).status is SubscriberStatus.START


def test_the_reason_tells_what_happened_and_what_follows() -> None:
    assert after("USER_BUSY", candidate(count_attempt=1)).reason == "the line was busy: retry 2 of 3 after 300 s"
    assert after("GATEWAY_DOWN").reason.endswith("requeued after 5 s (1 in a row)")


@given(
    ends=st.lists(st.sampled_from(CHARGED), min_size=200, max_size=200),
    max_retry=st.integers(0, 10),
    interval=st.integers(0, 3600),
    policy=st.sampled_from(UnknownPolicy),
)
def test_a_contact_ends_after_a_bounded_number_of_attempts(
    ends: list[str], max_retry: int, interval: int, policy: UnknownPolicy
) -> None:
    rules = campaign(max_retry=max_retry, interval_retry=interval, unknown_policy=policy)
    who, tries = candidate(), 0
    for cause in ends:
        tries += 1
        decision = after(cause, who, rules)
        who = stored(who, decision)
        if decision.status is not SubscriberStatus.START:
            assert decision.ready_at is None
            break
        assert decision.ready_at is not None
        assert decision.ready_at > NOON
    assert decision.status is not SubscriberStatus.START
    assert who.count_attempt <= 1 + max_retry
    assert tries <= 1 + max_retry


@pytest.mark.parametrize(
    ("talk_ms", "status"), [(0, SubscriberStatus.COMPLETE), (2999, SubscriberStatus.START), (3000, SubscriberStatus.COMPLETE)]
)
def test_a_call_that_was_too_short_did_not_reach_the_contact(talk_ms: int, status: SubscriberStatus) -> None:
    rules = campaign(min_call_duration=3)
    decision = after("NORMAL_CLEARING", rules=rules, answered=True, talk_ms=talk_ms)
    assert (decision.status, decision.counts_as_attempt) == (status, True)
    if status is SubscriberStatus.START:
        assert decision.reason.endswith("for less than 3 s: retry 1 of 3 after 300 s")
        last = after("NORMAL_CLEARING", candidate(count_attempt=3), rules, answered=True, talk_ms=talk_ms)
        assert last.status is SubscriberStatus.FAIL


def test_without_a_shortest_duration_every_answered_call_reached_the_contact() -> None:
    assert after("NORMAL_CLEARING", answered=True, talk_ms=1).status is SubscriberStatus.COMPLETE


def test_a_callee_for_whom_the_application_could_do_nothing_was_not_reached() -> None:
    unserved = {UNSERVED: "the switch has not got a.wav"}
    decision = after("NORMAL_CLEARING", answered=True, talk_ms=60_000, session=unserved)
    assert (decision.status, decision.counts_as_attempt) == (SubscriberStatus.START, True)
    assert "could do nothing (the switch has not got a.wav): retry 1 of 3 after 300 s" in decision.reason
    assert (
        after("NORMAL_CLEARING", candidate(count_attempt=3), answered=True, session=unserved).status is SubscriberStatus.FAIL
    )


def test_by_another_policy_that_is_as_good_as_reached() -> None:
    rules = campaign(unserved_policy=UnservedPolicy.COMPLETE)
    assert after("NORMAL_CLEARING", rules=rules, answered=True, session={UNSERVED: "x"}).status is SubscriberStatus.COMPLETE


def test_a_callee_who_does_not_want_another_call_gets_none() -> None:
    session = {UNSERVED: "x", OPT_OUT: "9"}
    assert after("NORMAL_CLEARING", answered=True, session=session).status is SubscriberStatus.COMPLETE


# --- a table of outcomes ----------------------------------------------------------------------------------------------------


def by(text: str, **changes: Any) -> Campaign:
    return campaign(retry=Retries().parse(text), **changes)


def counted(who: Candidate, decision: Decision) -> Candidate:
    """The candidate as the store keeps it."""
    return evolve(stored(who, decision), tally=decision.tally or who.tally)


def test_a_row_tells_how_many_and_after_how_long_and_the_reason_names_it() -> None:
    rules = by("busy=3/60s*2,no_answer=2/4h", max_retry=0)
    who, waits = candidate(), []
    for _ in range(3):
        decision = after("USER_BUSY", who, rules)
        assert decision.ready_at is not None
        waits.append((decision.ready_at - NOON).total_seconds())
        who = counted(who, decision)
    assert waits == [60, 120, 240]
    assert decision.reason == "the line was busy: retry 3 of 3 after 240 s (row busy=3/1m*2)"
    last = after("USER_BUSY", who, rules)
    assert (last.status, last.reason) == (SubscriberStatus.FAIL, "the line was busy: no attempt left of 4 (row busy=3/1m*2)")


def test_each_outcome_has_its_own_count() -> None:
    rules = by("busy=1/60s,no_answer=1/4h")
    who = counted(candidate(), after("USER_BUSY", rules=rules))
    decision = after("NO_ANSWER", who, rules)
    assert decision.ready_at == NOON + timedelta(hours=4)
    assert after("USER_BUSY", counted(who, decision), rules).status is SubscriberStatus.FAIL


def test_what_the_table_does_not_name_goes_by_the_simple_form() -> None:
    rules = by("busy=1/60s", max_retry=1, interval_retry=300)
    decision = after("NO_ANSWER", rules=rules)
    assert (decision.ready_at, decision.reason) == (NOON + timedelta(seconds=300), "nobody answered: retry 1 of 1 after 300 s")
    assert after("NO_ANSWER", counted(candidate(), decision), rules).status is SubscriberStatus.FAIL


def test_ends_are_counted_before_there_is_a_table() -> None:
    who = counted(candidate(), after("USER_BUSY", rules=campaign()))
    assert after("USER_BUSY", who, by("busy=1/60s")).status is SubscriberStatus.FAIL


def test_a_day_has_at_most_so_many_attempts_that_end_like_that() -> None:
    rules = by("no_answer=9/1h/day=2", time_zone="Europe/Madrid", daily_start=time(9, 30))
    who = candidate()
    first = after("NO_ANSWER", who, rules)
    assert first.ready_at == NOON + timedelta(hours=1)
    who = counted(who, first)
    second = after("NO_ANSWER", who, rules)
    opening = datetime.combine(NOON.date() + timedelta(days=1), time(9, 30), ZoneInfo("Europe/Madrid"))
    assert second.ready_at == opening
    assert second.reason == "nobody answered: retry 2 of 9 on the next day (row no_answer=9/1h/day=2)"
    third = after("NO_ANSWER", counted(who, second), rules, at=NOON + timedelta(days=1))
    assert third.ready_at == NOON + timedelta(days=1, hours=1)


def test_a_row_does_not_help_what_cannot_be_helped_and_charges_nobody_for_others() -> None:
    rules = by("rejected=9/60s,failed=9/60s,congestion=9/60s")
    assert after("UNWANTED", rules=rules).status is SubscriberStatus.FAIL
    assert not after("NORMAL_TEMPORARY_FAILURE", rules=rules, sip_status=503).counts_as_attempt


@pytest.mark.parametrize(("text", "again"), [("", False), ("busy=3/60s", False), ("incomplete=1/1h", True)])
def test_a_callee_who_hung_up_before_the_end_is_called_again_where_the_campaign_says_so(text: str, again: bool) -> None:
    decision = after("NORMAL_CLEARING", rules=by(text), answered=True, unfinished=True)
    assert (decision.status is SubscriberStatus.START) is again
    assert (decision.ready_at == NOON + timedelta(hours=1)) is again


def test_who_heard_all_or_does_not_want_to_be_called_is_not_called_again() -> None:
    rules = by("incomplete=1/1h")
    assert after("NORMAL_CLEARING", rules=rules, answered=True).status is SubscriberStatus.COMPLETE
    opted = after("NORMAL_CLEARING", rules=rules, answered=True, unfinished=True, session={OPT_OUT: "9"})
    assert opted.status is SubscriberStatus.COMPLETE
    who = counted(candidate(), after("NORMAL_CLEARING", rules=rules, answered=True, unfinished=True))
    assert after("NORMAL_CLEARING", who, rules, answered=True, unfinished=True).status is SubscriberStatus.FAIL
