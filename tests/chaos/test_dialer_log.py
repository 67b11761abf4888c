"""What is read out of a dialer's log."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.chaos.figures import Recovery, recoveries
from tests.harness.dialer_log import corrections, errors, parse

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()


def at(seconds: float, text: str, level: str = "INFO") -> str:
    return f"2026-11-23T12:00:{seconds:06.3f}Z {level} {text}"


def test_a_line_is_a_time_a_text_and_fields():
    (line,) = parse([at(1.5, 'dialer: cannot tell whether a call lives call=u1 reason="it\'s not there"', "WARNING")])
    assert (line.at - NOON, line.level, line.module, line.text) == (
        1.5,
        "WARNING",
        "dialer",
        "cannot tell whether a call lives",
    )
    assert line.fields == {"call": "u1", "reason": "it's not there"}


def test_corrections_are_counted_by_their_kind():
    lines = parse(
        [
            at(1, "dialer: correction kind=adopted-ringing call=u1 reason='the call lives on the switch'"),
            at(1, "dialer: correction kind=ended-unknown call=u2 reason='the call is gone'", "WARNING"),
            at(1, "dialer: correction kind=ended-unknown call=u3 reason='the call is gone'", "WARNING"),
            at(1, "dialer: attempts left open by an earlier run attempts=3", "WARNING"),
        ]
    )
    assert corrections(lines) == {"adopted-ringing": 1, "ended-unknown": 2}


def test_an_error_and_what_is_no_line_of_the_log_are_complaints():
    lines = parse(
        [at(1, "dialer: ready", "INFO"), at(1, "dialer: moves not stored attempts=2", "ERROR"), "Segmentation fault"]
    )
    assert errors(lines) == ["dialer: moves not stored {'attempts': '2'}", ": Segmentation fault"]


def test_a_recovery_lasts_from_the_connection_to_the_first_call_that_was_planned_since():
    log = list(
        parse(
            [
                at(10, "dialer.esl.inbound: connected to 127.0.0.1:8021, core c"),
                at(10.2, "dialer: correction kind=adopted-answered call=u1 reason='it lives'"),
                at(11, "dialer: correction kind=adopted-ringing call=u2 reason='it lives'"),
                at(30, "dialer.esl.inbound: connected to 127.0.0.1:8021, core c"),
                at(50, "dialer.esl.inbound: connected to 127.0.0.1:8021, core c"),
            ]
        )
    )
    made = [(NOON + planned, NOON + call) for planned, call in [(9.9, 10.1), (10.5, 10.75), (12, 13)]]
    ends = [NOON + 20, NOON + 32]
    found = list(recoveries(log, ends, made))
    assert found == [Recovery(0.75, 1.0), Recovery(2.0, None)], "one lasted to its end, and one has no end"
