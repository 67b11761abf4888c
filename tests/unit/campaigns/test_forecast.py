"""When a campaign may come to its end: calls left, pace, calling hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.campaigns.forecast import Course, after_calling, forecast
from dialer.campaigns.windows import open_now
from dialer.model import CampaignStatus, Progress, SubscriberStatus
from dialer.model.statistics import Forecast, NoEnd
from tests.unit.builders import NOON, campaign

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OFFICE_HOURS = {"daily_start": time(9), "daily_stop": time(17), "weekdays": (True,) * 5 + (False, False)}
A_MOMENT_A_WEEK = {"daily_start": time(9), "daily_stop": time(9, 0, 1), "weekdays": (True,) + (False,) * 6}


def expected(
    *,
    pending: int = 0,
    called: int = 0,
    complete: int = 0,
    failed: int = 0,
    waiting: int = 0,
    course: Any = None,
    **rules: Any,
) -> Forecast:
    subscribers = {
        SubscriberStatus.START: pending,
        SubscriberStatus.IN_PROCESS: called,
        SubscriberStatus.COMPLETE: complete,
        SubscriberStatus.FAIL: failed,
    }
    progress = Progress(subscribers=subscribers, waiting=waiting)
    return forecast(campaign(**rules), progress, Course(**{**COURSE, **(course or {})}), NOON)


COURSE = {"ended": 0, "recent_calls": 0, "recent_since": None, "last_ready_at": None}


def test_before_the_first_call_each_contact_takes_one_at_the_frequency_of_the_campaign() -> None:
    found = expected(pending=120, frequency=60)
    assert (found.contacts_left, found.calls_left, found.calls_per_minute) == (120, 120, 60.0)
    assert (found.ends_at, found.reason) == (NOON + 2 * MINUTE, None)


def test_retries_are_expected_as_often_as_they_were_needed() -> None:
    found = expected(pending=100, complete=40, failed=10, course={"ended": 100}, max_retry=9)
    assert found.calls_left == pytest.approx(200, abs=1), "every second call settled a contact"


def test_a_contact_takes_no_more_calls_than_it_may_have() -> None:
    assert expected(pending=100, course={"ended": 1000}, max_retry=2).calls_left == 300
    assert expected(pending=100, complete=500, course={"ended": 1000}, max_retry=1).calls_left == 150


def test_a_call_under_way_is_not_left_to_be_made() -> None:
    found = expected(called=10, complete=20, course={"ended": 20})
    assert (found.contacts_left, found.calls_left, found.ends_at) == (10, 0, NOON)


def test_the_pace_is_that_of_the_last_minutes_where_the_campaign_was_held_up() -> None:
    late = {"recent_calls": 100, "recent_since": NOON - 10 * MINUTE}
    assert expected(pending=100, frequency=60, course=late).calls_per_minute == 10.0
    assert expected(pending=100, frequency=60, course=late).ends_at == NOON + 10 * MINUTE
    assert expected(pending=100, frequency=5, course=late).calls_per_minute == 5.0, "it was made slower since"


@pytest.mark.parametrize(
    "rules",
    [
        {"waiting": 100, "course": {"recent_calls": 100, "recent_since": NOON - 10 * MINUTE}},
        {"course": {"recent_calls": 3, "recent_since": NOON - timedelta(seconds=59)}},
        {"daily_stop": time(11, 55), "course": {"recent_calls": 100, "recent_since": NOON - 10 * MINUTE}},
    ],
    ids=["nobody was ready", "it has just begun", "it is closed now"],
)
def test_a_pace_that_says_nothing_is_not_taken(rules: dict[str, Any]) -> None:
    assert expected(pending=100, frequency=60, **rules).calls_per_minute == 60.0


def test_it_does_not_end_before_the_last_contact_is_due_and_may_be_called() -> None:
    last = {"last_ready_at": NOON + 3 * HOUR}
    assert expected(pending=60, frequency=60, course=last).ends_at == NOON + 3 * HOUR
    tomorrow = NOON + 21 * HOUR
    assert expected(pending=60, frequency=60, course={"last_ready_at": NOON + 6 * HOUR}, **OFFICE_HOURS).ends_at == tomorrow


def test_calls_are_made_within_the_calling_hours() -> None:
    rules = {"frequency": 1, **OFFICE_HOURS}
    assert expected(pending=5 * 60, **rules).ends_at == NOON + 5 * HOUR, "this afternoon"
    assert expected(pending=6 * 60, **rules).ends_at == NOON + 22 * HOUR, "an hour of tomorrow"
    assert expected(pending=(5 + 4 * 8 + 1) * 60, **rules).ends_at == NOON + 7 * DAY - 2 * HOUR, "behind the weekend"
    months = expected(pending=10 * 40 * 60, expires_at=NOON + 100 * DAY, **rules)
    assert months.ends_at == NOON + 70 * DAY, "forty hours are a week"


def test_no_end_is_expected_of_what_is_done_or_not_started_or_expires_before() -> None:
    assert expected(complete=5).reason is NoEnd.DONE
    assert expected(pending=5, status=CampaignStatus.PAUSE).reason is NoEnd.NOT_STARTED
    for rules in (
        {"pending": 61, "frequency": 1, "expires_at": NOON + HOUR},
        {"pending": 6 * 60, "frequency": 1, "expires_at": NOON + 12 * HOUR, **OFFICE_HOURS},
        {"pending": 5_000_000, "frequency": 1, "max_retry": 1000, "course": {"ended": 1}},
        {"pending": 1, "weekdays": (False,) * 7},
        {"pending": 500_000, "frequency": 10, "expires_at": NOON + 90 * DAY, **A_MOMENT_A_WEEK},
        {"pending": 1, "course": {"last_ready_at": NOON + 31 * DAY}},
    ):
        found = expected(**rules)
        assert (found.ends_at, found.reason) == (None, NoEnd.EXPIRES), rules


@given(
    hours=st.tuples(st.integers(0, 23), st.integers(0, 23)),
    days=st.lists(st.booleans(), min_size=7, max_size=7).filter(any),
    minutes=st.integers(1, 60 * 24 * 20),
)
def test_it_has_been_open_for_as_long_as_it_called(hours: tuple[int, int], days: list[bool], minutes: int) -> None:
    start, expires_at = datetime(2027, 6, 1, tzinfo=UTC), datetime(2037, 6, 1, tzinfo=UTC)
    rules = campaign(daily_start=time(hours[0]), daily_stop=time(hours[1]), weekdays=tuple(days), expires_at=expires_at)
    found = after_calling(rules, start, minutes * 60.0)
    assert found is not None
    whole = int((found - start) / HOUR)
    open_hours = sum(open_now(rules, start + step * HOUR) for step in range(whole))
    rest = found - (start + whole * HOUR) if open_now(rules, found - timedelta(seconds=1)) else timedelta()
    assert open_hours * HOUR + rest == minutes * MINUTE
