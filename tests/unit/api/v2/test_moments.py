"""Moments in answers: in UTC, to the millisecond, always of one width."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.v2.shapes import shown_moment


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 11, 23, 10, tzinfo=UTC), "2026-11-23T10:00:00.000Z"),
        (datetime(2026, 11, 23, 10, 0, 0, 999_999, tzinfo=UTC), "2026-11-23T10:00:00.999Z"),
        (datetime(2026, 11, 23, 10, 0, 0, 7_000, tzinfo=UTC), "2026-11-23T10:00:00.007Z"),
        (datetime.min.replace(tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_is_shown_to_the_millisecond_and_never_rounded_up(moment: datetime, shown: str) -> None:
    assert shown_moment(moment) == shown


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_moment_is_shown_as_in_rfc_3339(moment: datetime) -> None:
    assert shown_moment(moment) == f"{moment.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
