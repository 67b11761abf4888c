"""Pacing: even spacing, bounded catching up, changes of frequency that act at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.limiter import MOST_KEYS, PER_SECOND, SLACK, Limiter, Pace, due_times, resume, spread
from tests.unit.builders import NOON

NO_TIME = timedelta(0)
ROUNDING = timedelta(microseconds=2)
frequencies = st.integers(1, 60_000)


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def dial(
    ticks: list[tuple[datetime, float]], horizon: timedelta = NO_TIME, pace: Pace | None = None
) -> list[tuple[datetime, datetime]]:
    """(due, sent) of each call of a campaign that is asked at `ticks`, each with the frequency of that moment."""
    calls: list[tuple[datetime, datetime]] = []
    pace = pace or Pace()
    for now, frequency in ticks:
        times = due_times(pace, frequency, now, horizon, 100_000)
        if times:
            pace = Pace(times[-1])
        calls += [(due, max(due, now)) for due in times]
    return calls


def jittered(random: Random, period: float, jitter: float, length: float) -> list[datetime]:
    ticks, at = [], 0.0
    while at < length:
        ticks.append(NOON + seconds(at))
        at += period + random.uniform(0, jitter)
    return ticks


def most_within(moments: list[datetime], window: timedelta) -> int:
    """The largest number of moments in any window (closed on both sides)."""
    most = start = 0
    for end, moment in enumerate(moments):
        while moment - moments[start] > window:
            start += 1
        most = max(most, end - start + 1)
    return most


def test_the_first_call_is_due_at_once() -> None:
    assert due_times(Pace(), 60, NOON, NO_TIME, 10) == [NOON]


def test_the_calls_of_a_horizon_are_evenly_spaced() -> None:
    times = due_times(Pace(NOON), 600, NOON, seconds(0.35), 10)
    assert times == [NOON + seconds(0.1 * n) for n in (1, 2, 3)]


def test_nothing_is_due_before_the_interval_is_over() -> None:
    assert due_times(Pace(NOON), 1, NOON + seconds(59.9), NO_TIME, 10) == []
    assert due_times(Pace(NOON), 1, NOON + seconds(60), NO_TIME, 10) == [NOON + seconds(60)]


@pytest.mark.parametrize(("frequency", "limit"), [(0, 10), (-1, 10), (60, 0), (60, -1)])
def test_without_frequency_or_room_nothing_is_due(frequency: int, limit: int) -> None:
    assert due_times(Pace(), frequency, NOON, seconds(60), limit) == []


def test_the_limit_cuts_the_offer_and_the_rest_is_offered_again() -> None:
    first = due_times(Pace(NOON), 6000, NOON, seconds(0.1), 3)
    assert len(first) == 3
    assert due_times(Pace(first[-1]), 6000, NOON, seconds(0.1), 1) == [NOON + seconds(0.04)]


def test_after_an_hour_without_calls_only_the_slack_is_caught_up() -> None:
    now = NOON + timedelta(hours=1)
    assert due_times(Pace(NOON), 60, now, NO_TIME, 1000) == [now - SLACK]
    assert len(due_times(Pace(NOON), 6000, now, NO_TIME, 1000)) == 11


def test_a_higher_frequency_acts_at_once() -> None:
    assert due_times(Pace(NOON), 600, NOON + seconds(1), NO_TIME, 1) == [NOON + seconds(0.9)]
    assert Pace(NOON).next_at(600) == NOON + seconds(0.1)


def test_a_lower_frequency_acts_at_once() -> None:
    assert Pace(NOON).next_at(1) == NOON + seconds(60)


def test_a_resumed_campaign_goes_on_where_it_was() -> None:
    assert resume(NOON + seconds(20), 1, NOON).next_at(1) == NOON + seconds(20)
    assert resume(None, 1, NOON) == Pace()


def test_a_resumed_campaign_does_not_wait_an_old_interval_out() -> None:
    assert resume(NOON + seconds(59), 600, NOON).next_at(600) == NOON + seconds(0.1)


def test_throttled_calls_are_moved_apart() -> None:
    due = [NOON, NOON, NOON + seconds(0.15)]
    moved = spread(Pace(), 10 * PER_SECOND, due, NOON + seconds(1))
    assert moved == [NOON, NOON + seconds(0.1), NOON + seconds(0.2)]


def test_what_a_throttle_would_move_too_far_is_left_out() -> None:
    assert spread(Pace(NOON), PER_SECOND, [NOON, NOON], NOON + seconds(1)) == [NOON + seconds(1)]
    assert spread(Pace(), 0, [NOON], NOON + seconds(1)) == []


@given(frequency=st.integers(1, 6000), seed=st.integers(0, 2**32), window=st.floats(0.001, 20), horizon=st.floats(0, 0.3))
def test_no_window_holds_more_calls_than_its_length_allows(frequency: int, seed: int, window: float, horizon: float) -> None:
    ticks = [(now, float(frequency)) for now in jittered(Random(seed), 0.02, 0.3, 5)]
    calls = dial(ticks, seconds(horizon))
    most_due = most_within([due for due, _ in calls], seconds(window))
    assert most_due <= window * frequency / 60 + 1 + 0.001
    most_sent = most_within(sorted(sent for _, sent in calls), seconds(window))
    assert most_sent <= (window + SLACK.total_seconds()) * frequency / 60 + 1 + 0.001


@pytest.mark.parametrize("horizon", [0.0, 0.1])
@pytest.mark.parametrize("frequency", [1_200, 18_000])
def test_the_asked_rate_is_reached_with_late_ticks(frequency: int, horizon: float) -> None:
    ticks = [(now, float(frequency)) for now in jittered(Random(7), 0.02, 0.08, 60)]
    calls = dial(ticks, seconds(horizon))
    length = (calls[-1][0] - calls[0][0]).total_seconds()
    assert (len(calls) - 1) / length * 60 == pytest.approx(frequency, rel=0.01)
    assert len(calls) == pytest.approx(frequency, rel=0.01)


@given(
    changes=st.lists(st.tuples(st.floats(0, 2), frequencies), min_size=1, max_size=30),
    horizon=st.floats(0, 0.5),
)
def test_two_calls_are_never_closer_than_the_interval_of_the_later_ones_frequency(
    changes: list[tuple[float, int]], horizon: float
) -> None:
    now, pace = NOON, Pace()
    for wait, frequency in changes:
        now += seconds(wait)
        times = due_times(pace, frequency, now, seconds(horizon), 500)
        chain = [pace.last_at, *times] if pace.last_at else times
        for before, after in pairwise(chain):
            assert after - before >= seconds(60 / frequency) - ROUNDING
        assert all(now - SLACK <= at <= now + seconds(horizon) + ROUNDING for at in times)
        pace = Pace(times[-1]) if times else pace


@given(gap=st.floats(0, 100_000), frequency=frequencies)
def test_catching_up_is_bounded_by_the_slack(gap: float, frequency: int) -> None:
    times = due_times(Pace(NOON), frequency, NOON + seconds(gap), NO_TIME, 100_000)
    assert len(times) <= SLACK.total_seconds() * frequency / 60 + 1


@given(stored=st.floats(-1000, 1000), frequency=frequencies)
def test_a_resumed_campaign_waits_at_most_one_interval_and_never_less_than_stored(stored: float, frequency: int) -> None:
    next_call_at = NOON + seconds(stored)
    next_at = resume(next_call_at, frequency, NOON).next_at(frequency)
    assert next_at is not None
    assert next_at <= NOON + seconds(60 / frequency) + ROUNDING
    assert next_at >= min(next_call_at, NOON) - ROUNDING


@given(
    gaps=st.lists(st.floats(0, 0.5), max_size=50),
    per_second=st.integers(1, 100),
    last=st.one_of(st.none(), st.floats(-1, 1)),
)
def test_a_throttle_keeps_the_order_and_its_own_spacing(gaps: list[float], per_second: int, last: float | None) -> None:
    due = [NOON]
    for gap in gaps:
        due.append(due[-1] + seconds(gap))
    pace = Pace() if last is None else Pace(NOON + seconds(last))
    moved = spread(pace, per_second * PER_SECOND, due, NOON + seconds(10))
    assert all(at >= wanted for at, wanted in zip(moved, due, strict=False))
    chain = [pace.last_at, *moved] if pace.last_at else moved
    assert all(b - a >= seconds(1 / per_second) - ROUNDING for a, b in pairwise(chain))


def test_a_limiter_of_nothing_never_waits() -> None:
    limiter = Limiter.per_minute(0)
    assert [limiter.take("a", 0.0) for _ in range(5000)] == [0.0] * 5000


def test_a_limiter_remembers_a_bounded_number_of_names() -> None:
    limiter = Limiter.per_minute(1)
    for number in range(MOST_KEYS + 500):
        limiter.charge(number, 0.0)
    assert len(limiter._used_until) == MOST_KEYS
    assert limiter.wait(MOST_KEYS + 499, 0.0) > 0


def test_a_limiter_allows_no_more_than_its_number_in_any_minute() -> None:
    limiter = Limiter.per_minute(10)
    taken = [second for second in range(600) for _ in range(3) if not limiter.take("a", float(second))]
    for start in range(600):
        assert len([second for second in taken if start <= second < start + 60]) <= 20
    assert len(taken) <= 10 * 11
