"""Figures of a running dialer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dialer.pace_meter import AchievedPace, PaceMeter

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def pace(*seconds: float, idle_after: float = 5.0) -> AchievedPace:
    meter = PaceMeter(idle_after)
    for moment in seconds:
        meter.note(NOON + timedelta(seconds=moment))
    return meter.pace()


def test_two_calls_a_second_apart_are_sixty_a_minute() -> None:
    assert pace(0, 1).achieved == 60


def test_the_worst_second_is_that_of_the_clock() -> None:
    assert pace(0.1, 0.2, 1.1, 1.2, 1.3, 2.0).worst_second == 3


def test_a_pause_does_not_slow_the_achieved_pace() -> None:
    found = pace(0, 1, 2, 60, 61)
    assert (found.calls, found.seconds, found.achieved) == (5, 3, 60)


def test_without_calls_there_is_no_pace() -> None:
    assert pace() == AchievedPace(calls=0, seconds=0.0, achieved=0.0, worst_second=0)
