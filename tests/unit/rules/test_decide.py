"""The ruling: open, closed until a moment, or never; and that its explanation is right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialer.model import Purpose
from dialer.rules.book import NO_RULES, RuleBook, UnknownZone, shipped_rows
from dialer.rules.decide import EarlierCall, Permission, decide, least_ring, least_ring_in, longest_memory
from dialer.rules.hours import Hours
from dialer.rules.places import whereabouts
from dialer.rules.rows import Technology, read_rows
from tests.unit.builders import campaign, candidate
from tests.unit.rules.cases import CITIES, DIAL, NUMBERS, PLAY, RAW, SHIPPED, local, ruling

moments = st.integers(0, 2 * 365 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
days = st.integers(0, 2 * 365).map(lambda ahead: date(2026, 1, 1) + timedelta(days=ahead))
feasts = st.sampled_from([date(year, *day) for year in (2026, 2027) for day in ((1, 1), (5, 1), (7, 14), (11, 11), (12, 25))])
edges = st.sampled_from([(hour, minute) for hour in (8, 9, 10, 12, 13, 14, 17, 18, 20, 21) for minute in (0, 29, 30, 59)])
known_numbers = st.sampled_from(sorted({*CITIES, *NUMBERS.values()}))
purposes = st.sampled_from(Purpose)
applications = st.sampled_from([DIAL, PLAY])


@st.composite
def numbers_at_moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A number, and a moment: any, or one beside an edge by the clock of one of its zones, perhaps on a holiday."""
    number = draw(known_numbers)
    if draw(st.booleans()):
        return number, draw(moments)
    zone = ZoneInfo(draw(st.sampled_from(whereabouts(number).zones)))
    day, (hour, minute) = draw(st.one_of(days, feasts)), draw(edges)
    return number, datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)


NEW_YORK, FLORIDA, PARIS = "12125550100", "13055550100", "33142685300"


def said_by_the_file(number: str, purpose: Purpose, technology: str, now: datetime, known: str = "") -> bool:
    """Whether a call is inside the hours of the file, as another reader of it understands them. `known` is the zone of the
    contact, where it is known."""
    found = whereabouts(number)
    (place,) = found.places
    for zone in (known,) if known else found.zones:
        clock = now.astimezone(ZoneInfo(zone))
        for row in RAW:
            if row["place"] not in (place, place.split("-")[0]):
                continue
            if purpose not in row.get("purposes", [purpose]) or row.get("technology", technology) != technology:
                continue
            if clock.date() < row.get("valid_from", date.min):
                continue
            day = ["weekday"] * 5 + ["saturday", "sunday"]
            windows = row.get(day[clock.weekday()])
            if "holidays" in row:
                country, _, state = row["holidays"].partition("-")
                if clock.date() in holidays.country_holidays(country, subdiv=state or None):
                    windows = row.get("holiday", windows)
            shown = f"{clock:%H:%M}"
            if windows is not None and not any(each[:5] <= shown < each[6:] for each in windows):
                return False
    return True


@settings(max_examples=800)
@given(numbers_at_moments(), purposes, applications)
def test_no_call_is_outside_the_hours_of_any_possible_zone_and_none_inside_them_is_refused(asked, purpose, app):
    number, now = asked
    technology = "prerecorded" if app is PLAY else "live"
    found = ruling(number, now, purpose=purpose, voip_app=app)
    assert found.is_open == said_by_the_file(number, purpose, technology, now)


@given(known_numbers, moments, purposes, applications)
@example("12125550100", local("2027-03-14 01:30", "America/New_York"), Purpose.SALES, DIAL)
@example("12125550100", local("2027-11-07 01:30", "America/New_York"), Purpose.SALES, DIAL)
@example("16715550100", local("2027-03-01 23:59", "Pacific/Guam"), Purpose.SALES, DIAL)
def test_who_is_closed_opens_at_the_moment_that_is_told_and_not_before(number, now, purpose, app):
    found = ruling(number, now, purpose=purpose, voip_app=app)
    if found.is_open:
        return
    assert found.permission is Permission.CLOSED
    assert found.until is not None
    assert found.until > now
    assert ruling(number, found.until, purpose=purpose, voip_app=app).is_open
    technology = "prerecorded" if app is PLAY else "live"
    step = max((found.until - now) / 50, timedelta(seconds=30))
    before = now
    while before < found.until:
        assert not said_by_the_file(number, purpose, technology, before)
        before += step
    assert not ruling(number, found.until - timedelta(microseconds=1), purpose=purpose, voip_app=app).is_open


@given(known_numbers, moments, purposes, applications)
def test_what_the_explanation_names_is_all_that_stands_in_the_way(number, now, purpose, app):
    history = [EarlierCall(at=now - timedelta(hours=hours), answered=hours == 5) for hours in (1, 5, 20)]
    found = ruling(number, now, history, purpose=purpose, voip_app=app)
    named = {row.name for obstacle in found.obstacles for row in obstacle.rows}
    assert bool(named) is not found.is_open
    for name in named:
        assert name in found.text
        kept = RuleBook(tuple(row for row in shipped_rows() if row.name == name or row.name not in named))
        assert not ruling(number, now, history, kept, purpose=purpose, voip_app=app).is_open
    without = RuleBook(tuple(row for row in shipped_rows() if row.name not in named))
    assert ruling(number, now, history, without, purpose=purpose, voip_app=app).is_open


@given(st.sampled_from([FLORIDA, PARIS, "12075550100", "14055550100"]), moments, st.lists(st.integers(0, 90_000), max_size=60))
def test_no_number_is_called_past_a_cap_in_any_span_of_time(number, now, waits):
    """A campaign that calls as soon as it is let, and sometimes a while later."""
    calls: list[datetime] = []
    for wait in waits:
        found = ruling(number, now, [EarlierCall(at=at) for at in calls])
        if not found.is_open:
            assert found.until is not None
            assert found.until > now
            now = found.until
            assert ruling(number, now, [EarlierCall(at=at) for at in calls]).is_open
        calls.append(now)
        now += timedelta(seconds=wait)
    for row in SHIPPED.applying(candidate(identity=number), campaign(voip_app=DIAL)).rows:
        for cap in row.attempts:
            span = timedelta(seconds=cap.seconds)
            assert all(sum(last - span < at <= last for at in calls) <= cap.most for last in calls)


@given(known_numbers, st.lists(moments, min_size=2, max_size=8))
def test_what_is_remembered_changes_no_answer_however_the_clock_steps(number, asked):
    found = SHIPPED.applying(candidate(identity=number), campaign(voip_app=DIAL))
    remembering = Hours(found.rows, found.where.zones)
    for now in asked:
        for moment in (now, now + timedelta(seconds=59), now - timedelta(hours=1), now):
            assert remembering.opening(moment) == Hours(found.rows, found.where.zones).opening(moment)


# --- by example -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "now", "text"),
    [
        (
            "13035550100",
            local("2027-03-01 07:59", "America/Denver"),
            "outside the hours of United States, federal in America/Denver: opens 08:00 America/Denver on Monday 2027-03-01",
        ),
        (
            "12055550100",
            local("2027-02-28 12:00", "America/Chicago"),
            "outside the hours of Alabama in America/Chicago: opens 08:00 America/Chicago on Monday 2027-03-01",
        ),
        (
            "18505550100",
            local("2027-03-01 08:30", "America/New_York"),
            "outside the hours of United States, federal and Florida in America/Chicago: "
            "opens 08:00 America/Chicago on Monday 2027-03-01",
        ),
        (
            PARIS,
            local("2027-07-14 11:00", "Europe/Paris"),
            "outside the hours of France in Europe/Paris: opens 10:00 Europe/Paris on Thursday 2027-07-15",
        ),
    ],
)
def test_the_sentence_tells_which_rows_where_and_when_it_opens(number, now, text):
    assert ruling(number, now).text == text


def test_the_sentence_tells_of_attempts_and_rests():
    now = local("2027-03-01 12:00", "America/New_York")
    three = [EarlierCall(at=now - timedelta(hours=hours)) for hours in (1, 2, 23)]
    assert ruling(FLORIDA, now, three).text == (
        "3 attempts in 24 h reached: Florida; the next is free on 2027-03-01 at 18:00:00 UTC"
    )
    assert ruling(FLORIDA, now, three[:2]).is_open
    talked = [EarlierCall(at=now - timedelta(days=1), answered=True)]
    found = ruling(FLORIDA, now, talked, purpose=Purpose.DEBT)
    assert found.text == (
        "rests for 7 d after an answered call: United States, federal: debts; until 2027-03-07 at 17:00:00 UTC"
    )
    assert found.until == now + timedelta(days=6)


def test_a_rest_that_ends_at_night_is_over_in_the_morning():
    now = local("2027-03-02 12:00", "America/New_York")
    calls = [EarlierCall(at=local(f"2027-03-01 {hour}:30", "America/New_York")) for hour in (21, 22, 23)]
    found = ruling(FLORIDA, now, calls)
    assert found.until == local("2027-03-03 08:00", "America/New_York")


def test_an_attempt_counts_until_the_very_end_of_the_span():
    now = local("2027-03-02 12:00", "America/New_York")
    calls = [EarlierCall(at=now - timedelta(hours=24))] * 3
    assert ruling(FLORIDA, now, calls).is_open
    assert not ruling(FLORIDA, now - timedelta(microseconds=1), calls).is_open


def test_a_number_without_a_zone_is_refused_where_there_are_hours():
    now = local("2027-03-01 12:00", "America/New_York")
    found = ruling("18005550100", now)
    assert found.permission is Permission.NEVER
    assert found.text == ("its time zone is not known: area code 800 belongs to no place; set the time zone of the contact")
    assert ruling("18005550100", now, zone="America/New_York").is_open
    assert ruling("2000", now).is_open
    assert ruling("18005550100", now, override="counsel has agreed").is_open


def test_a_number_without_a_zone_may_be_taken_to_be_where_the_campaign_is():
    book = RuleBook(shipped_rows(), UnknownZone.CAMPAIGN)
    for hour, is_open in ((9, False), (10, True), (16, True), (17, False)):  # Kentucky's begin late, Maine's end early
        now = local(f"2027-03-01 {hour:02}:00", "America/New_York")
        assert ruling("18005550100", now, (), book, time_zone="America/New_York").is_open is is_open


def test_zones_that_have_no_hour_in_common_are_never_open():
    (row,), _ = read_rows(
        '[[row]]\nplace = "US"\nname = "Short"\nweekday = ["09:00-10:00"]\nsource = "test"\nread_on = 2026-11-27\n'
        'confidence = "low"\nsaturday = []\nsunday = []',
        "rules.toml",
    )
    found = ruling("18505550100", local("2027-03-01 09:30", "America/New_York"), (), RuleBook((row,)))
    assert found.permission is Permission.NEVER
    assert "the hours of Short leave no moment in 21 days that is open in America/Chicago" in found.text


def test_a_campaign_that_overrides_is_let_and_one_without_rules_is():
    night = local("2027-03-01 03:00", "America/New_York")
    assert not ruling(NEW_YORK, night).is_open
    assert ruling(NEW_YORK, night, override="emergency notice of the water works").is_open
    assert ruling(NEW_YORK, night, (), NO_RULES).is_open


def test_hours_at_a_change_of_clocks():
    (row,), _ = read_rows(
        '[[row]]\nplace = "US"\nname = "Night"\nsunday = ["02:30-04:00"]\nsource = "test"\nread_on = 2026-11-27\n'
        'confidence = "low"\nweekday = []\nsaturday = []',
        "rules.toml",
    )
    book = RuleBook((row,))
    spring, autumn = local("2027-03-14 00:00", "America/New_York"), local("2027-11-07 00:00", "America/New_York")
    # 02:30 does not come: clocks jump into the window at 03:00.
    assert ruling(NEW_YORK, spring, (), book).until == datetime(2027, 3, 14, 7, 0, tzinfo=UTC)
    assert ruling(NEW_YORK, autumn, (), book).until == datetime(2027, 11, 7, 7, 30, tzinfo=UTC)


def test_the_ring_is_that_of_the_rows_that_hold():
    now = local("2027-03-01 12:00", "America/New_York")
    someone = candidate(identity=NEW_YORK)
    assert least_ring(SHIPPED, someone, campaign(voip_app=DIAL), now) == 15
    assert least_ring(SHIPPED, someone, campaign(voip_app=DIAL, purpose=Purpose.RESEARCH), now) == 0
    assert least_ring(SHIPPED, someone, campaign(voip_app=DIAL, override="counsel has agreed"), now) == 0
    assert least_ring(SHIPPED, candidate(identity=PARIS), campaign(voip_app=DIAL), now) == 0
    assert least_ring_in(SHIPPED, "US", Purpose.SALES, now).min_ring == 15
    assert least_ring_in(SHIPPED, "DE", Purpose.SALES, now) is None


def test_as_much_is_remembered_as_the_rows_count():
    someone = candidate(identity=FLORIDA)
    assert longest_memory(SHIPPED, someone, campaign(voip_app=DIAL)) == 86_400
    assert longest_memory(SHIPPED, candidate(identity=PARIS), campaign(voip_app=DIAL)) == 2_592_000
    assert longest_memory(SHIPPED, candidate(identity=NEW_YORK), campaign(voip_app=DIAL)) == 0
    assert longest_memory(SHIPPED, someone, campaign(voip_app=DIAL, purpose=Purpose.DEBT)) == 604_800


@pytest.mark.parametrize(("app", "expected"), [(DIAL, Technology.LIVE), (PLAY, Technology.PRERECORDED)])
def test_what_plays_is_a_recording(app, expected):
    decided = decide(
        SHIPPED, candidate(identity="14025550100"), campaign(voip_app=app), (), local("2027-02-28 12:00", "America/Chicago")
    )
    assert decided.is_open is (expected is Technology.LIVE)  # Nebraska's Sunday begins at 13:00 for recordings
