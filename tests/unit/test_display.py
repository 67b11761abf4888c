"""What a terminal shows."""

from __future__ import annotations

import io

from rich.console import Console

from dialer.cli.display import ProgressDisplay, View, pacing_line, report
from dialer.model import AttemptState, Disposition, OwnCause, Progress, SubscriberStatus
from dialer.model.statistics import Sums
from dialer.pace_meter import AchievedPace

PROGRESS = Progress(subscribers={SubscriberStatus.COMPLETE: 6, SubscriberStatus.FAIL: 1, SubscriberStatus.START: 3})
PACE = AchievedPace(calls=12, seconds=10.0, achieved=61.0, worst_second=2)
VIEW = View(elapsed=65.0, progress=PROGRESS, states={AttemptState.RINGING: 2}, pace=PACE, note="outside hours")


def shown(terminal: bool, *views: View) -> str:
    output = io.StringIO()
    display = ProgressDisplay(Console(file=output, force_terminal=terminal, width=100, color_system=None))
    display.start()
    for view in views:
        display.show(view)
    display.stop()
    return output.getvalue()


def test_a_terminal_shows_progress_states_and_why_nothing_is_called() -> None:
    lines = [line.rstrip() for line in shown(True, VIEW).splitlines()]
    assert any("7 of 10 contacts done   1:05   12 calls sent" in line for line in lines)
    assert any(line.startswith("planned 0   submitted 0   ringing 2") for line in lines)
    assert "outside hours" in lines


def test_elsewhere_a_line_is_printed_every_few_seconds() -> None:
    views = [View(elapsed=second / 4, progress=PROGRESS, states={}, pace=PACE) for second in range(44)]
    assert len(shown(False, *views).splitlines()) == 3


def test_the_report_adds_up_attempts_and_talk_time() -> None:
    output = io.StringIO()
    rows = {
        (Disposition.ANSWERED, "NORMAL_CLEARING"): Sums(attempts=5, counted=5, answered=5, talk_ms=61_000),
        (Disposition.BUSY, "USER_BUSY"): Sums(attempts=2, counted=2),
    }
    report(Console(file=output, width=100), rows, PROGRESS)
    total = next(line for line in output.getvalue().splitlines() if "│ all" in line)
    assert [cell.strip() for cell in total.split("│")[1:-1]] == ["all", "", "7", "7", "1:01"]
    assert "Contacts: 6 complete, 1 failed, 3 to be called again" in output.getvalue()


def test_what_was_not_sent_is_no_failure_and_is_told_in_plain_words() -> None:
    output = io.StringIO()
    rows = {
        (Disposition.FAILED, str(OwnCause.NOT_SENT)): Sums(attempts=4),
        (Disposition.BUSY, "USER_BUSY"): Sums(attempts=2, counted=2),
    }
    progress = Progress(subscribers={SubscriberStatus.START: 195, SubscriberStatus.IN_PROCESS: 1})
    report(Console(file=output, width=100), rows, progress, untouched=193)
    said = output.getvalue()
    assert "FAILED" not in said
    assert "NOT_SENT" not in said
    total = next(line for line in said.splitlines() if "│ all" in line)
    assert [cell.strip() for cell in total.split("│")[1:-1]] == ["all", "", "2", "2", "0:00"]
    assert "Contacts: 1 being called, 2 to be called again, 193 not called yet\n" in said
    assert "4 calls were planned and not sent: nothing has happened to their contacts." in said


def test_the_pacing_line_tells_asked_achieved_and_the_worst_second() -> None:
    assert pacing_line(PACE, 60) == (
        "Pacing: asked 60 calls/min, achieved 61 calls/min in 10 s of calling, worst second 2 calls (asked 1.0/s)"
    )
