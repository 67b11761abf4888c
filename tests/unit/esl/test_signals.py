from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dialer.errors import UnreadableEvent
from dialer.esl.events import EslEvent, decode_event
from dialer.esl.signals import signal
from dialer.model import Hangup, OwnCause, Signal, SignalKind
from tests.unit.esl.recorded import frames_of, said_by_switch

K = SignalKind


def signals(name: str) -> list[Signal]:
    events = [decode_event(f) for f in frames_of([said_by_switch(name)]) if "event" in f.content_type]
    return [told for event in events if (told := signal(event)) is not None]


def hangup(name: str) -> Hangup:
    (found,) = [told.hangup for told in signals(name) if told.hangup is not None]
    return found


def job(result: str, command: str = "originate", argument: str = "") -> Signal | None:
    return signal(
        EslEvent(
            {
                "Event-Name": "BACKGROUND_JOB",
                "Job-UUID": "c1",
                "Job-Command": command,
                "Job-Command-Arg": argument,
                "Event-Date-Timestamp": "1795403104085902",
                "_body": result,
            }
        )
    )


def test_an_answered_call_is_told_in_order() -> None:
    kinds = [told.kind for told in signals("10-json-answer2s-remote-bye")]
    assert kinds == [K.RANG, K.ANSWERED, K.JOB_SUCCEEDED, K.HUNG_UP]


def test_early_media_is_told_without_ringing() -> None:
    kinds = [told.kind for told in signals("10-json-early-media")]
    assert K.EARLY_MEDIA_STARTED in kinds
    assert K.RANG not in kinds


def test_json_and_plain_events_give_the_same_kinds() -> None:
    assert [t.kind for t in signals("10-json-answer")] == [t.kind for t in signals("10-plain-answer")]


def test_the_callee_who_hangs_up_gives_exact_milliseconds() -> None:
    assert hangup("10-json-answer2s-remote-bye") == Hangup(
        cause="NORMAL_CLEARING",
        q850=16,
        sip_status=200,
        sip_disposition="recv_bye",
        rang=True,
        answered=True,
        ring_ms=2019,
        talk_ms=3020,
        duration_ms=5040,
        rang_at=datetime(2026, 11, 23, 3, 5, 16, 725873, tzinfo=UTC),
        answered_at=datetime(2026, 11, 23, 3, 5, 18, 745861, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("name", "cause", "sip", "q850"),
    [
        ("10-json-busy", "USER_BUSY", 486, 17),
        ("10-json-603", "CALL_REJECTED", 603, 21),
        ("10-json-404", "UNALLOCATED_NUMBER", 404, 1),
        ("10-json-503", "NORMAL_TEMPORARY_FAILURE", 503, 41),
        ("10-json-dead-port", "NORMAL_TEMPORARY_FAILURE", 503, 41),
    ],
)
def test_a_refusal_carries_cause_sip_status_and_q850(name: str, cause: str, sip: int, q850: int) -> None:
    refused = hangup(name)
    assert (refused.cause, refused.sip_status, refused.q850) == (cause, sip, q850)
    assert (refused.sip_disposition, refused.rang, refused.answered) == ("recv_refuse", False, False)


def test_no_answer_has_rung_and_has_no_sip_status_of_the_far_end() -> None:
    missed = hangup("10-json-noanswer")
    assert (missed.cause, missed.q850, missed.sip_status, missed.sip_disposition) == ("NO_ANSWER", 19, None, "send_cancel")
    assert (missed.rang, missed.answered, missed.ring_ms, missed.talk_ms) == (True, False, 4100, 0)


def test_a_call_over_loopback_tells_of_both_its_channels() -> None:
    assert len({told.call_uuid for told in signals("10-json-loopback-answer") if told.kind is K.ANSWERED}) == 2


def test_an_unknown_gateway_gives_a_failed_job_and_nothing_else() -> None:
    (failed,) = signals("10-json-invalid-gateway")
    assert (failed.kind, failed.cause) == (K.JOB_FAILED, "INVALID_GATEWAY")


def test_the_time_is_the_switchs_own() -> None:
    told = job("+OK c1\n")
    assert told == Signal(kind=K.JOB_SUCCEEDED, call_uuid="c1", at=datetime(2026, 11, 23, 3, 5, 4, 85902, tzinfo=UTC))


def test_a_job_of_an_expanded_originate_is_ours() -> None:
    told = job("-ERR NO_ANSWER\n", "expand", "originate '{...}")
    assert told is not None
    assert (told.kind, told.cause) == (K.JOB_FAILED, "NO_ANSWER")


def test_the_refusal_after_the_deadline_is_late() -> None:
    told = job("-ERR LOSE_RACE\n", "expand", "originate x")
    assert told is not None
    assert told.cause == OwnCause.LATE


@pytest.mark.parametrize(
    "result",
    [
        "-USAGE: <call url> <exten>",
        "-ERR originate Command not found!\n",
        "-ERR Cannot execute command\n",
        "",
        "INVALID COMMAND!\n",
    ],
)
def test_a_result_that_names_no_cause_is_a_refusal(result: str) -> None:
    told = job(result)
    assert told is not None
    assert (told.kind, told.cause) == (K.JOB_FAILED, OwnCause.REFUSED)


@pytest.mark.parametrize(("command", "argument"), [("uuid_kill", "x"), ("expand", "status"), ("status", "")])
def test_jobs_of_other_commands_say_nothing(command: str, argument: str) -> None:
    assert job("+OK\n", command, argument) is None


@pytest.mark.parametrize("name", ["HEARTBEAT", "SHUTDOWN", "CHANNEL_CREATE", ""])
def test_other_events_say_nothing(name: str) -> None:
    assert signal(EslEvent({"Event-Name": name, "Unique-ID": "c1"})) is None


NEEDED = {"Unique-ID": "c1", "Job-UUID": "c1", "Job-Command": "originate", "Event-Date-Timestamp": "1763000000000000"}
LISTENED_TO = ["CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE", "BACKGROUND_JOB"]


@pytest.mark.parametrize("name", LISTENED_TO)
@pytest.mark.parametrize("damage", ["", None, "1" * 30, "-1", "soon", ["1", "2"], {"a": 1}])
def test_an_event_that_does_not_tell_when_it_was_is_unreadable(name: str, damage: object) -> None:
    assert signal(EslEvent({"Event-Name": name, **NEEDED})) is not None
    with pytest.raises(UnreadableEvent, match="Event-Date-Timestamp"):
        signal(EslEvent({"Event-Name": name, **NEEDED, "Event-Date-Timestamp": damage}))


@pytest.mark.parametrize("name", LISTENED_TO)
def test_an_event_that_does_not_tell_its_call_is_unreadable(name: str) -> None:
    with pytest.raises(UnreadableEvent, match="which call"):
        signal(EslEvent({"Event-Name": name, **NEEDED, "Unique-ID": "", "Job-UUID": ""}))


def test_figures_of_a_call_that_cannot_be_are_not_taken() -> None:
    huge = {"variable_billmsec": "9" * 15, "variable_mduration": "9" * 400, "variable_sip_term_status": "99999999999"}
    told = signal(EslEvent({"Event-Name": "CHANNEL_HANGUP_COMPLETE", **NEEDED, **huge, "variable_hangup_cause_q850": "99999"}))
    assert told is not None
    assert told.hangup is not None
    assert (told.hangup.talk_ms, told.hangup.duration_ms) == (2**31 - 1, 0)
    assert (told.hangup.sip_status, told.hangup.q850) == (None, None)


def test_every_originate_error_ever_recorded_gives_a_cause() -> None:
    causes = {told.cause for told in signals("30-originate-errors") if told.kind is K.JOB_FAILED}
    assert {"DESTINATION_OUT_OF_ORDER", "SUBSCRIBER_ABSENT", "USER_BUSY", OwnCause.REFUSED} <= causes


def test_a_shutdown_fails_ringing_jobs_and_hangs_up_all_calls() -> None:
    told = signals("43-fsctl-shutdown")
    assert {t.cause for t in told if t.kind is K.HUNG_UP} == {"SYSTEM_SHUTDOWN"}
