"""Verdicts: examples from recorded calls, the rules, and that nothing is left out of the tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.calls import causes
from dialer.calls.causes import CAUSES, OWN_CAUSES, Q850, Blame, Fault
from dialer.calls.sip_answers import SIP
from dialer.calls.verdict import Health, got_through_at, is_refusal, judge
from dialer.gateways import Backoff
from dialer.model import Disposition, GatewayHealth, Outcome, OwnCause, RetryClass
from tests.unit.builders import NOON, outcome

D, R = Disposition, RetryClass
CARRIER_FAULTS = ("NORMAL_TEMPORARY_FAILURE", "NORMAL_CIRCUIT_CONGESTION", "NETWORK_OUT_OF_ORDER", "SWITCH_CONGESTION")

texts = st.one_of(st.sampled_from(sorted([*CAUSES, *OwnCause])), st.text(max_size=20))
moments = st.one_of(st.none(), st.just(NOON))
outcomes = st.builds(
    Outcome,
    cause=texts,
    ended_at=st.just(NOON),
    q850=st.one_of(st.none(), st.integers(0, 999)),
    sip_status=st.one_of(st.none(), st.integers(100, 699)),
    sip_disposition=st.sampled_from(["", "recv_bye", "send_bye", "recv_refuse", "send_cancel"]),
    rang_at=moments,
    answered_at=moments,
    machine=st.booleans(),
)


@pytest.mark.parametrize(
    ("end", "disposition", "retry"),
    [
        (outcome("USER_BUSY", sip_status=486, q850=17), D.BUSY, R.RETRY),
        (outcome("USER_BUSY", sip_status=600, q850=17), D.BUSY, R.RETRY),
        (outcome("CALL_REJECTED", sip_status=603, q850=21), D.REJECTED, R.RETRY),
        (outcome("CALL_REJECTED", sip_status=403, q850=21), D.REJECTED, R.REQUEUE),
        (outcome("CALL_REJECTED", sip_status=608, q850=21), D.REJECTED, R.STOP),
        (outcome("UNALLOCATED_NUMBER", sip_status=404, q850=1), D.INVALID_NUMBER, R.STOP),
        (outcome("NUMBER_CHANGED", sip_status=410, q850=22), D.INVALID_NUMBER, R.STOP),
        (outcome("INVALID_NUMBER_FORMAT", sip_status=484, q850=28), D.INVALID_NUMBER, R.STOP),
        (outcome("NO_ROUTE_DESTINATION", sip_status=604, q850=3), D.INVALID_NUMBER, R.STOP),
        (outcome("NORMAL_TEMPORARY_FAILURE", sip_status=503, q850=41), D.CONGESTION, R.REQUEUE),
        (outcome("NO_ANSWER", rang=True, q850=19, sip_disposition="send_cancel"), D.NO_ANSWER, R.RETRY),
        (outcome("NO_USER_RESPONSE", sip_status=480, q850=18), D.NO_ANSWER, R.RETRY),
        (outcome("PROGRESS_TIMEOUT", q850=16), D.NO_ANSWER, R.RETRY),
        (outcome("ORIGINATOR_CANCEL", rang=True, sip_disposition="send_cancel"), D.CANCELLED, R.RETRY),
        (outcome("ORIGINATOR_CANCEL", rang=True, sip_status=487, sip_disposition="recv_refuse"), D.NO_ANSWER, R.RETRY),
        (outcome("NORMAL_CLEARING", rang=True, sip_disposition="send_cancel"), D.CANCELLED, R.RETRY),
        (outcome("NORMAL_CLEARING", answered=True, sip_status=200, q850=16), D.ANSWERED, R.DONE),
        (outcome("ALLOTTED_TIMEOUT", answered=True, q850=16), D.ANSWERED, R.DONE),
        (outcome("SUBSCRIBER_ABSENT", q850=20), D.NO_ANSWER, R.RETRY),
        (outcome("GATEWAY_DOWN", q850=16), D.FAILED, R.REQUEUE),
        (outcome("SYSTEM_SHUTDOWN", q850=16), D.FAILED, R.REQUEUE),
        (outcome("NOT_KNOWN_TO_ANYBODY"), D.FAILED, R.RETRY),
        (outcome("-USAGE: originate"), D.FAILED, R.RETRY),
        (outcome(""), D.FAILED, R.RETRY),
    ],
    ids=lambda value: f"{value.cause}-{value.sip_status}" if isinstance(value, Outcome) else str(value),
)
def test_an_end_has_the_disposition_that_a_person_would_give_it(end: Outcome, disposition: D, retry: R) -> None:
    assert (judge(end).disposition, judge(end).retry) == (disposition, retry)


@pytest.mark.parametrize(
    "cause", [*CARRIER_FAULTS, "GATEWAY_DOWN", "INVALID_GATEWAY", "CHAN_NOT_IMPLEMENTED", "MANAGER_REQUEST"]
)
def test_a_fault_before_ringing_is_requeued_and_after_ringing_counts(cause: str) -> None:
    assert judge(outcome(cause)).retry is R.REQUEUE
    assert judge(outcome(cause, rang=True)).retry is R.RETRY
    assert judge(outcome(cause)).disposition is judge(outcome(cause, rang=True)).disposition


@pytest.mark.parametrize("cause", [*CARRIER_FAULTS, "GATEWAY_DOWN", "USER_CHALLENGE", "RECOVERY_ON_TIMER_EXPIRE"])
def test_a_carrier_fault_is_the_gateways_until_something_rang(cause: str) -> None:
    assert judge(outcome(cause)).fault is Fault.GATEWAY
    assert judge(outcome(cause, rang=True)).fault is Fault.NONE


def test_a_shutdown_is_the_switchs_fault_not_the_gateways() -> None:
    assert judge(outcome("SYSTEM_SHUTDOWN")).fault is Fault.SWITCH


def test_a_gateway_works_from_the_first_ringing_on_not_from_the_end_of_the_call() -> None:
    end = outcome("NORMAL_CLEARING", answered=True)
    assert got_through_at(end, judge(end)) == end.rang_at
    assert end.rang_at is not None
    assert end.rang_at < end.ended_at


@pytest.mark.parametrize("cause", ["USER_BUSY", "CALL_REJECTED", "UNALLOCATED_NUMBER"])
def test_a_word_of_the_contacts_network_shows_that_the_gateway_works(cause: str) -> None:
    assert got_through_at(outcome(cause), judge(outcome(cause))) == NOON


@pytest.mark.parametrize(
    "cause", ["NO_ANSWER", "ORIGINATOR_CANCEL", "GATEWAY_DOWN", "SYSTEM_SHUTDOWN", "LOST_SWITCH", "UNKNOWN", "?"]
)
def test_silence_shows_nothing_of_the_gateway(cause: str) -> None:
    assert got_through_at(outcome(cause), judge(outcome(cause))) is None


@pytest.mark.parametrize("cause", ["CALL_REJECTED", "MANDATORY_IE_MISSING"])
@pytest.mark.parametrize("status", [401, 407])
def test_a_refused_account_is_not_the_contacts_rejection(cause: str, status: int) -> None:
    assert judge(outcome(cause, sip_status=status)) == causes.ACCOUNT


@pytest.mark.parametrize(
    ("end", "blame", "doubtful"),
    [
        (outcome("CALL_REJECTED", sip_status=401), Blame.CALLER, False),
        (outcome("CALL_REJECTED", sip_status=402), Blame.CALLER, False),
        (outcome("CALL_REJECTED", sip_status=403), Blame.CALLER, True),
        (outcome("CALL_REJECTED", sip_status=407), Blame.CALLER, False),
        (outcome("INCOMPATIBLE_DESTINATION", sip_status=488), Blame.CALLER, True),
        (outcome("NORMAL_TEMPORARY_FAILURE", sip_status=503), Blame.CARRIER, False),
        (outcome("CALL_REJECTED", sip_status=603), Blame.CALLEE, False),
        (outcome("USER_BUSY", sip_status=486), Blame.CALLEE, False),
        (outcome("UNALLOCATED_NUMBER", sip_status=404), Blame.NUMBER, False),
        (outcome("SYSTEM_SHUTDOWN"), Blame.SWITCH, False),
        (outcome(OwnCause.NOT_SENT), Blame.DIALER, False),
    ],
    ids=lambda value: f"{value.cause}-{value.sip_status}" if isinstance(value, Outcome) else None,
)
def test_an_end_blames_somebody(end: Outcome, blame: Blame, doubtful: bool) -> None:
    assert (judge(end).blame, judge(end).doubtful) == (blame, doubtful)


def test_no_route_in_the_switchs_own_settings_does_not_end_the_contact() -> None:
    assert judge(outcome("NO_ROUTE_DESTINATION", q850=3)) == causes.SETTINGS


def test_a_destination_out_of_order_without_sip_status_is_a_limit_of_the_switch() -> None:
    assert judge(outcome("DESTINATION_OUT_OF_ORDER", q850=27)) == causes.SWITCH_FULL
    assert judge(outcome("DESTINATION_OUT_OF_ORDER", q850=27, sip_status=502)) == causes.OUT_OF_ORDER


def test_a_carrier_that_never_replies_is_congested_and_one_that_rang_is_not() -> None:
    assert judge(outcome("RECOVERY_ON_TIMER_EXPIRE", sip_status=408)).disposition is D.CONGESTION
    assert judge(outcome("RECOVERY_ON_TIMER_EXPIRE", sip_status=408, rang=True)).disposition is D.NO_ANSWER


@pytest.mark.parametrize(("status", "verdict"), sorted(SIP.items()))
def test_a_vague_cause_takes_the_meaning_of_the_sip_status(status: int, verdict: causes.Verdict) -> None:
    assert judge(outcome("NORMAL_UNSPECIFIED", sip_status=status)) == verdict


def test_an_unlisted_server_error_is_congestion() -> None:
    assert judge(outcome("INTERWORKING", sip_status=599)).disposition is D.CONGESTION


def test_a_precise_cause_outweighs_the_sip_status() -> None:
    assert judge(outcome("UNALLOCATED_NUMBER", sip_status=503)).disposition is D.INVALID_NUMBER


def test_a_code_without_a_name_is_judged_by_its_number() -> None:
    assert judge(outcome("UNKNOWN", q850=47, sip_status=404)) == causes.CONGESTED


def test_a_code_beyond_q850_tells_nothing() -> None:
    assert judge(outcome("UNKNOWN", q850=16, sip_status=486)) == causes.BUSY


@pytest.mark.parametrize(
    ("cause", "disposition", "retry"),
    [
        (OwnCause.NOT_SENT, D.FAILED, R.REQUEUE),
        (OwnCause.LATE, D.FAILED, R.REQUEUE),
        (OwnCause.REFUSED, D.FAILED, R.REQUEUE),
        (OwnCause.NEVER_DIALLED, D.FAILED, R.REQUEUE),
        (OwnCause.LOST_SWITCH, D.FAILED, R.RETRY),
        (OwnCause.UNKNOWN, D.UNKNOWN, R.RETRY),
    ],
)
def test_the_dialers_own_causes_are_classified(cause: OwnCause, disposition: D, retry: R) -> None:
    assert (judge(outcome(cause)).disposition, judge(outcome(cause)).retry) == (disposition, retry)
    assert cause in OWN_CAUSES


@given(end=outcomes)
def test_whoever_answered_is_never_called_a_failure(end: Outcome) -> None:
    if end.answered_at is not None:
        assert judge(end) == (causes.MACHINE if end.machine else causes.ANSWERED)
    else:
        assert judge(end).disposition not in (D.ANSWERED, D.MACHINE)


@given(end=outcomes)
def test_what_rang_is_never_requeued(end: Outcome) -> None:
    if end.rang_at is not None:
        assert judge(end).retry is not R.REQUEUE
        assert judge(end).fault is Fault.NONE


@given(end=outcomes)
def test_only_a_requeued_end_is_somebodys_fault(end: Outcome) -> None:
    assert judge(end).fault is Fault.NONE or judge(end).retry is R.REQUEUE


def test_every_cause_of_freeswitch_is_listed_once_with_its_own_number() -> None:
    assert len(CAUSES) == 82
    assert len({cause.number for cause in CAUSES.values()}) == 82
    assert (CAUSES["REJECT_ALL"].number, CAUSES["INTERWORKING"].number, CAUSES["NONE"].number) == (825, 127, 0)


def test_every_code_of_q850_is_listed() -> None:
    defined = {
        *range(1, 10),
        14,
        *range(16, 32),
        34,
        *range(38, 48),
        49,
        50,
        52,
        53,
        54,
        55,
        57,
        58,
        62,
        63,
        65,
        66,
        69,
        70,
        79,
    }
    defined |= {*range(81, 89), 90, 91, *range(95, 104), 110, 111, 127}
    assert set(Q850) == defined


def test_no_named_code_is_contradicted_by_the_table_of_numbers() -> None:
    assert all(Q850[c.number] is c.verdict for c in CAUSES.values() if 1 <= c.number <= 127)


def test_a_call_that_the_switch_did_not_admit_was_not_tried() -> None:
    assert not judge(outcome("DESTINATION_OUT_OF_ORDER")).tried
    assert judge(outcome("DESTINATION_OUT_OF_ORDER")).fault is Fault.SWITCH
    assert judge(outcome("DESTINATION_OUT_OF_ORDER", q850=27)).tried


def test_what_was_never_sent_is_nobodys_fault_and_what_came_too_late_is_the_switchs() -> None:
    assert judge(outcome(OwnCause.NOT_SENT)).fault is Fault.NONE
    assert judge(outcome(OwnCause.REFUSED)).fault is Fault.NONE
    assert judge(outcome(OwnCause.LATE)).fault is Fault.SWITCH


def test_the_health_of_a_gateway_tells_its_faults_and_its_pause_while_that_lasts() -> None:
    now, health = NOON, Health()
    assert health.of_gateway(1, now) == GatewayHealth()
    health.gateways[1] = Backoff(faults=3, until=now + timedelta(seconds=1), cause="GATEWAY_DOWN")
    assert health.of_gateway(1, now) == GatewayHealth(faults=3, cause="GATEWAY_DOWN", until=now + timedelta(seconds=1))
    assert health.of_gateway(1, now + timedelta(seconds=1)) == GatewayHealth(faults=3, cause="GATEWAY_DOWN")


@pytest.mark.parametrize(
    ("cause", "status", "refused"),
    [
        ("CALL_REJECTED", 401, True),
        ("CALL_REJECTED", 403, True),
        ("CALL_REJECTED", 603, False),
        ("MANDATORY_IE_MISSING", 407, True),
        ("MANDATORY_IE_MISSING", None, True),
        ("INCOMPATIBLE_DESTINATION", 488, True),
        ("NORMAL_TEMPORARY_FAILURE", 503, False),
        ("GATEWAY_DOWN", None, False),
        ("INVALID_GATEWAY", None, False),
        ("NO_ROUTE_DESTINATION", None, False),
        ("UNALLOCATED_NUMBER", 404, False),
        ("DESTINATION_OUT_OF_ORDER", None, False),
        ("USER_BUSY", 486, False),
    ],
)
def test_only_a_carrier_that_turns_us_down_refuses_us(cause: str, status: int | None, refused: bool) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert is_refusal(judge(Outcome(cause=cause, ended_at=now, sip_status=status))) is refused
    rang = judge(Outcome(cause=cause, ended_at=now, sip_status=status, rang_at=now))
    assert not is_refusal(rang)
