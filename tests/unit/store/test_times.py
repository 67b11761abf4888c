from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.store.times import WIDTH, from_column, from_column_or_none, to_column, to_column_or_none, to_entity
from tests.unit.store.support import NOW

MOMENTS = st.datetimes(
    min_value=NOW.replace(tzinfo=None, year=1000),
    max_value=NOW.replace(tzinfo=None, year=9998),
    timezones=st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-1439, 1439)),
)


@given(MOMENTS)
def test_a_moment_comes_back_from_its_column_as_the_same_moment_in_utc(moment):
    back = from_column(to_column(moment))
    assert back == moment
    assert back.tzinfo is UTC


@given(MOMENTS, MOMENTS)
def test_columns_sort_as_moments_do(one, other):
    assert (to_column(one) < to_column(other)) == (one < other)
    assert len(to_column(one)) == WIDTH


@given(MOMENTS)
def test_entities_get_the_same_moment_without_its_zone(moment):
    naive = to_entity(moment)
    assert naive.tzinfo is None
    assert naive.replace(tzinfo=UTC) == moment


def test_a_naive_time_is_refused():
    naive = NOW.replace(tzinfo=None)
    for convert in (to_column, to_entity):
        with pytest.raises(ValueError, match="naive"):
            convert(naive)


def test_an_absent_time_stays_absent():
    assert to_column_or_none(None) is None
    assert from_column_or_none(None) is None
