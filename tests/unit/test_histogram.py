"""Histograms of the hot path."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.histogram import FAST, Histogram


def test_a_time_counts_up_to_the_first_bound_that_it_does_not_exceed() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.1, 0.2, 1.0, 7.0):
        histogram.observe(seconds)
    assert list(histogram.cumulative()) == [1, 3, 4]
    assert histogram.sum == 8.3


def test_a_time_before_its_beginning_is_none() -> None:
    histogram = Histogram((0.1,))
    histogram.observe(-3600.0)
    assert (list(histogram.cumulative()), histogram.sum) == ([1, 1], 0.0)


@given(st.lists(st.floats(min_value=0, max_value=10)))
def test_every_time_is_counted_once_and_under_every_bound_that_holds(times: list[float]) -> None:
    histogram = Histogram()
    for seconds in times:
        histogram.observe(seconds)
    counted = dict(zip((*FAST, float("inf")), histogram.cumulative(), strict=True))
    assert counted == {bound: sum(seconds <= bound for seconds in times) for bound in counted}
    assert histogram.count == len(times)
