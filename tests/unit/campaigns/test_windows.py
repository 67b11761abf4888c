"""Calling hours: dates, weekdays, windows over midnight, changes of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.campaigns.windows import closing, in_daily_window, next_opening, open_now, open_until, time_zone
from dialer.errors import BadValue
from dialer.model import Campaign
from tests.unit.builders import NOON, campaign

BERLIN = ZoneInfo("Europe/Berlin")
ALWAYS = (True,) * 7
MONDAY_ONLY = (True, *(False,) * 6)
FRIDAY_ONLY = (False,) * 4 + (True, False, False)
SECOND = timedelta(seconds=1)


def window(start: str, stop: str, **changes: object) -> Campaign:
    values: dict[str, object] = {
        "daily_start": time.fromisoformat(start),
        "daily_stop": time.fromisoformat(stop),
        "time_zone": "Europe/Berlin",
        "starting_at": datetime(2020, 1, 1, tzinfo=UTC),
        "expires_at": datetime(2030, 1, 1, tzinfo=UTC),
    }
    return campaign(**{**values, **changes})


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "is_open"), [("08:59:59", False), ("09:00", True), ("17:59:59.999999", True), ("18:00", False), ("23:59", False)]
)
def test_a_window_includes_its_start_and_excludes_its_stop(clock: str, is_open: bool) -> None:
    assert open_now(window("09:00", "18:00"), berlin(f"2027-03-01T{clock}")) is is_open


def test_the_window_is_local_to_the_campaigns_time_zone() -> None:
    assert not open_now(window("09:00", "18:00"), datetime(2027, 3, 1, 7, 59, tzinfo=UTC))
    assert open_now(window("09:00", "18:00"), datetime(2027, 3, 1, 8, 0, tzinfo=UTC))
    assert open_now(window("09:00", "18:00"), datetime(2027, 7, 1, 7, 0, tzinfo=UTC))


def test_the_weekday_is_local_to_the_campaigns_time_zone() -> None:
    late_sunday_in_utc = datetime(2027, 2, 28, 23, 30, tzinfo=UTC)
    assert open_now(window("00:00", "23:59:59", weekdays=MONDAY_ONLY), late_sunday_in_utc)


def test_the_whole_day_has_no_hole_before_midnight() -> None:
    assert open_now(window("00:00:00", "23:59:59"), berlin("2027-03-01T23:59:59.5"))


def test_a_window_over_midnight_belongs_to_the_weekday_on_which_it_began() -> None:
    rules = window("22:00", "02:00", weekdays=FRIDAY_ONLY)
    assert open_now(rules, berlin("2027-03-05T22:00"))
    assert open_now(rules, berlin("2027-03-06T01:59"))
    assert not open_now(rules, berlin("2027-03-05T01:00"))
    assert not open_now(rules, berlin("2027-03-06T02:00"))
    assert not open_now(rules, berlin("2027-03-06T22:00"))


def test_a_window_over_midnight_that_began_on_sunday_lasts_into_monday() -> None:
    rules = window("22:00", "02:00", weekdays=(False,) * 6 + (True,))
    assert open_now(rules, berlin("2027-03-01T01:00"))


def test_a_start_equal_to_the_stop_lasts_24_hours() -> None:
    rules = window("09:00", "09:00", weekdays=MONDAY_ONLY)
    assert not open_now(rules, berlin("2027-03-01T08:59"))
    assert open_now(rules, berlin("2027-03-01T09:00"))
    assert open_now(rules, berlin("2027-03-02T08:59"))
    assert not open_now(rules, berlin("2027-03-02T09:00"))


def test_a_campaign_is_closed_before_its_start_and_from_its_expiry_on() -> None:
    rules = campaign(starting_at=NOON, expires_at=NOON + timedelta(days=1))
    assert not open_now(rules, NOON - SECOND)
    assert open_now(rules, NOON)
    assert open_now(rules, NOON + timedelta(days=1) - SECOND)
    assert not open_now(rules, NOON + timedelta(days=1))


def test_the_next_opening_of_an_open_campaign_is_now() -> None:
    assert next_opening(campaign(), NOON) == NOON


def test_the_next_opening_is_the_next_start_on_an_allowed_weekday() -> None:
    rules = window("09:00", "18:00", weekdays=FRIDAY_ONLY)
    assert next_opening(rules, berlin("2027-03-01T12:00")) == berlin("2027-03-05T09:00")
    assert next_opening(rules, berlin("2027-03-05T18:00")) == berlin("2027-03-12T09:00")


def test_the_next_opening_waits_for_the_campaigns_start() -> None:
    rules = window("09:00", "18:00", starting_at=berlin("2027-04-01T20:00"))
    assert next_opening(rules, berlin("2027-03-01T12:00")) == berlin("2027-04-02T09:00")


def test_there_is_no_next_opening_without_weekdays_or_after_the_expiry() -> None:
    assert next_opening(window("09:00", "18:00", weekdays=(False,) * 7), NOON) is None
    assert next_opening(window("09:00", "18:00", expires_at=berlin("2027-03-02T09:00")), berlin("2027-03-01T18:00")) is None
    assert next_opening(campaign(expires_at=NOON), NOON) is None


def test_a_start_that_the_clocks_skip_is_the_moment_of_the_change() -> None:
    rules = window("02:30", "10:00")
    opening = next_opening(rules, berlin("2027-03-28T01:00"))
    assert opening == berlin("2027-03-28T03:00")
    assert not open_now(rules, opening - SECOND)


def test_a_window_that_the_clocks_skip_whole_does_not_open_that_day() -> None:
    rules = window("02:15", "02:45")
    assert next_opening(rules, berlin("2027-03-28T00:00")) == berlin("2027-03-29T02:15")


def test_an_hour_that_comes_twice_is_inside_twice() -> None:
    rules = window("02:15", "02:30")
    assert open_now(rules, berlin("2027-10-31T02:15", fold=0))
    assert not open_now(rules, berlin("2027-10-31T02:45", fold=0))
    assert open_now(rules, berlin("2027-10-31T02:15", fold=1))
    assert next_opening(rules, berlin("2027-10-31T02:45", fold=0)) == berlin("2027-10-31T02:15", fold=1)


def test_clocks_that_go_back_into_a_window_open_it_again() -> None:
    rules = window("01:00", "02:45")
    assert next_opening(rules, berlin("2027-10-31T02:50", fold=0)) == berlin("2027-10-31T02:00", fold=1)


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    assert time_zone("Europe/Berlin").key == "Europe/Berlin"
    for name in ("Europe/Atlantis", "", "../etc/passwd", "Europe", "a\0b"):
        with pytest.raises(BadValue, match="time_zone: "):
            time_zone(name)


campaigns = st.builds(
    lambda start, stop, weekdays, zone: window(
        "00:00", "00:00", daily_start=start, daily_stop=stop, weekdays=weekdays, time_zone=zone
    ),
    start=st.times().map(lambda at: at.replace(microsecond=0)),
    stop=st.times().map(lambda at: at.replace(microsecond=0)),
    weekdays=st.tuples(*[st.booleans()] * 7),
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
    ),
)
moments = st.integers(0, 365 * 86_400).map(lambda second: datetime(2027, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
changes = st.builds(
    lambda base, hours: base + timedelta(hours=hours),
    base=st.sampled_from(
        [datetime(2027, 3, 14, 5, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)]
    ),
    hours=st.floats(-30, 30),
)


@given(rules=campaigns, now=st.one_of(moments, changes))
def test_the_next_opening_is_open_and_nothing_before_it_is(rules: Campaign, now: datetime) -> None:
    opening = next_opening(rules, now)
    if opening is None:
        assert not any(rules.weekdays)
        return
    assert opening >= now
    assert open_now(rules, opening)
    step = max((opening - now) / 97, SECOND)
    at = now
    while at < opening:
        assert not open_now(rules, at)
        at += step
    if opening > now:
        assert not open_now(rules, opening - timedelta(microseconds=1))


@given(rules=campaigns, now=moments)
def test_a_campaign_with_all_weekdays_opens_within_two_days(rules: Campaign, now: datetime) -> None:
    opening = next_opening(window("00:00", "00:00", daily_start=rules.daily_start, daily_stop=rules.daily_stop), now)
    assert opening is not None
    assert opening - now <= timedelta(days=2, hours=2)


@given(rules=campaigns, now=moments)
def test_the_daily_window_depends_on_nothing_but_the_wall_clock_and_the_weekday(rules: Campaign, now: datetime) -> None:
    later = now + timedelta(days=7)
    zone = ZoneInfo(rules.time_zone)
    if now.astimezone(zone).utcoffset() == later.astimezone(zone).utcoffset():
        assert in_daily_window(rules, now) == in_daily_window(rules, later)


@given(rules=campaigns, now=st.one_of(moments, changes))
def test_the_closing_is_closed_and_nothing_before_it_is(rules: Campaign, now: datetime) -> None:
    opening = next_opening(rules, now)
    if opening is None:
        return
    closes = closing(rules, opening)
    until = opening + timedelta(days=9) if closes is None else closes
    at, step = opening, max((until - opening) / 97, SECOND)
    while at < until:
        assert in_daily_window(rules, at)
        at += step
    if closes is not None:
        assert not in_daily_window(rules, closes)
        assert in_daily_window(rules, closes - timedelta(microseconds=1))


def test_a_window_of_every_hour_never_closes() -> None:
    assert closing(window("00:00", "23:59:59"), NOON) is None
    assert closing(window("18:00", "18:00"), NOON) is None
    assert closing(window("18:00", "18:00", weekdays=MONDAY_ONLY), berlin("2027-03-01T20:00")) == berlin("2027-03-02T18:00")


@given(
    start=st.integers(0, 86_399),
    stop=st.integers(0, 86_399),
    second=st.integers(0, 7 * 86_400),
    ahead=st.integers(0, 40),
    days=st.lists(st.booleans(), min_size=7, max_size=7),
)
def test_a_campaign_is_open_until_the_first_second_at_which_it_is_not(
    start: int, stop: int, second: int, ahead: int, days: list[bool]
) -> None:
    midnight = datetime(2027, 3, 1, tzinfo=UTC)
    start_at, stop_at = ((midnight + timedelta(seconds=each)).time().isoformat() for each in (start, stop))
    rules = window(start_at, stop_at, weekdays=tuple(days), expires_at=datetime(2027, 3, 5, 12, tzinfo=UTC))
    now = datetime(2027, 3, 1, tzinfo=UTC) + second * SECOND
    seconds = [now + each * SECOND for each in range(ahead + 1)]
    closed = [at for at in seconds if not open_now(rules, at)]
    expected = None if closed[:1] == [now] else min([*closed, seconds[-1]])
    assert open_until(rules, now, seconds[-1]) == expected


def test_a_pause_of_seconds_is_one() -> None:
    rules = window("12:00:20", "12:00:10")
    assert open_until(rules, berlin("2027-03-01T12:00:05"), berlin("2027-03-01T12:00:30")) == berlin("2027-03-01T12:00:10")
