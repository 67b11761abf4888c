"""Corrections: counted by kind, and told in one line each."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from dialer.calls.corrections import NOTHING_LOST, Correction, CorrectionLog


def test_nothing_is_counted_at_the_start_and_every_kind_can_be_read() -> None:
    assert dict(CorrectionLog()) == dict.fromkeys(Correction, 0)


def test_each_kind_has_its_own_count() -> None:
    corrections = CorrectionLog()
    corrections.note(Correction.ENDED_UNKNOWN, "call-1", "it is gone")
    corrections.note(Correction.ENDED_UNKNOWN, "call-2", "it is gone")
    corrections.note(Correction.ORPHAN_HUNG_UP, "call-3", "nobody knows it")
    assert {kind: count for kind, count in corrections.items() if count} == {
        Correction.ENDED_UNKNOWN: 2,
        Correction.ORPHAN_HUNG_UP: 1,
    }


@pytest.mark.parametrize("kind", Correction)
def test_a_correction_is_one_line_with_its_kind_its_call_and_its_reason(kind: Correction) -> None:
    with capture_logs() as lines:
        CorrectionLog().note(kind, "call-1", "the switch does not know it")
    assert lines == [
        {
            "event": "correction",
            "kind": kind.value,
            "call": "call-1",
            "reason": "the switch does not know it",
            "log_level": "info" if kind in NOTHING_LOST else "warning",
        }
    ]
