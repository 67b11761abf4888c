"""The rows that are shipped, and how rows of a file are read."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest

from dialer.errors import BadValue
from dialer.model import Purpose
from dialer.rules.book import RuleBook, replaced, shipped_rows
from dialer.rules.hours import windows_on
from dialer.rules.rows import ALL_DAY, Replacement, RuleRow, Technology, read_rows, span_text
from tests.unit.rules.cases import CITIES, DIAL, NUMBERS, PLAY, RAW, ruling

ROW = """
[[row]]
place = "US-TX"
name = "Texas"
source = "a statute"
read_on = 2026-11-27
confidence = "high"
"""

ZONES = {place: zones[0] for place, zones in CITIES.values()} | {
    "US": "America/New_York", "US-AL": "America/Chicago", "US-CT": "America/New_York", "US-LA": "America/Chicago",
    "US-ME": "America/New_York", "US-MD": "America/New_York", "US-MA": "America/New_York", "US-MN": "America/Chicago",
    "US-MS": "America/Chicago", "US-NM": "America/Denver", "US-NV": "America/Los_Angeles", "US-OK": "America/Chicago",
    "US-PA": "America/New_York", "US-RI": "America/New_York", "US-UT": "America/Denver", "US-WA": "America/Los_Angeles",
    "US-WY": "America/Denver", "CA": "America/Toronto",
}  # fmt: skip
MONDAY = date(2027, 3, 1)
"""No holiday anywhere here."""
DAYS = {"weekday": MONDAY, "saturday": MONDAY + timedelta(days=5), "sunday": MONDAY + timedelta(days=6)}


def id_of(row: RuleRow) -> str:
    return row.name


@pytest.mark.parametrize("row", shipped_rows(), ids=id_of)
def test_every_shipped_row_has_a_source_and_the_day_on_which_it_was_read(row):
    assert len(row.source) > 3
    assert row.read_on <= date(2026, 11, 27)
    assert row.confidence in ("high", "medium", "low")


def moments_of(row: RuleRow):
    """Moments beside the edges of a row's windows, and whether it is open there, as the file has them; on a holiday, too."""
    (raw,) = (each for each in RAW if each["name"] == row.name)
    days = dict(DAYS)
    if "holiday" in raw:
        country, _, state = raw["holidays"].partition("-")
        listed = holidays.country_holidays(country, subdiv=state or None, years=2027)
        days["holiday"] = min(day for day in listed if day.weekday() < 5)
    zone = ZoneInfo(ZONES[row.place])
    for name, day in days.items():
        for window in raw[name]:
            first, last = (datetime.combine(day, time.fromisoformat(edge), zone) for edge in window.split("-"))
            minute = timedelta(minutes=1)
            yield from ((first - minute, False), (first, True), (last - minute, True), (last, False))
        if not raw[name]:
            yield datetime.combine(day, time(12), zone), False


@pytest.mark.parametrize("row", [row for row in shipped_rows() if row.limits_hours], ids=id_of)
def test_the_edges_of_every_shipped_row(row):
    purpose = row.purposes[0] if row.purposes else Purpose.INFORMATIONAL
    app = PLAY if row.technology is Technology.PRERECORDED else DIAL
    cases = list(moments_of(row))
    assert len(cases) >= 5
    for moment, inside in cases:
        now, number = moment.astimezone(UTC), NUMBERS[row.place]
        found = ruling(number, now, (), RuleBook((row,)), zone=ZONES[row.place], purpose=purpose, voip_app=app)
        assert found.is_open == inside, moment
        if not inside:
            assert row.name in found.text


@pytest.mark.parametrize("row", [row for row in shipped_rows() if not row.limits_hours], ids=id_of)
def test_a_row_without_hours_is_open_at_any_hour(row):
    for hour in range(24):
        assert windows_on(row, MONDAY) == ALL_DAY
        assert ruling("493012345678", datetime(2027, 3, 1, hour, tzinfo=UTC), (), RuleBook((row,))).is_open


def test_a_row_holds_from_its_first_to_its_last_day():
    (row,), _ = read_rows(ROW + "valid_from = 2027-03-02\nvalid_to = 2027-03-03\nweekday = []\n", "rules.toml")
    assert [windows_on(row, MONDAY + timedelta(days=ahead)) for ahead in range(4)] == [ALL_DAY, (), (), ALL_DAY]


def test_a_day_of_ones_own_is_a_holiday():
    text = 'weekday = ["09:00-20:00"]\nholiday = []\nmore_holidays = [2027-03-02]\n'
    (row,), _ = read_rows(ROW + text, "rules.toml")
    assert [windows_on(row, MONDAY + timedelta(days=ahead)) for ahead in range(2)] == [((540, 1200),), ()]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("row = 3", "row: Input should be a valid list"),
        ("[[row", "rules.toml: is not TOML"),
        (ROW.replace('source = "a statute"', ""), r"row.1.source \(Texas\) is missing"),
        (ROW.replace("US-TX", "US-TEXAS"), r"row.1.place \(Texas\): 'US-TEXAS' is not a place; expected a country such as FR"),
        (ROW.replace("US-TX", "XX"), "'XX' is not a place: there is no country XX"),
        (ROW + 'weekday = ["8-20"]', "'8-20' is not a window; expected one such as 09:00-20:00"),
        (ROW + 'weekday = ["20:00-08:00"]', "'20:00-08:00' does not end after its start, on the same day"),
        (ROW + 'weekday = "09:00-20:00"', "expected a list of windows such as"),
        (ROW + "holiday = []", "has hours for holidays, and does not say which days these are"),
        (ROW + 'holidays = "US-QQ"', "'US-QQ' is not a list of holidays"),
        (ROW + "attempts = [{ most = 0, seconds = 60 }]", r"row.1.attempts.1.most \(Texas\)"),
        (ROW + "hours = []", r"row.1.hours \(Texas\) is nothing that a row has"),
        (ROW + 'purposes = ["fun"]', r"row.1.purposes.1 \(Texas\)"),
        ('[[replace]]\nplace = "US-TX"\nreason = "so"', "replace.1.reason"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_what_was_expected(text, problem):
    with pytest.raises(BadValue, match=problem):
        read_rows(text, "rules.toml")


def test_replaced_rows_are_those_of_the_very_place():
    rows = replaced(shipped_rows(), [Replacement(place="US-FL", reason="counsel has read the statute")])
    assert {row.place for row in shipped_rows()} - {row.place for row in rows} == {"US-FL"}


def test_a_book_that_rules_otherwise_has_another_fingerprint():
    rows = shipped_rows()
    assert RuleBook(rows).fingerprint == RuleBook(shipped_rows()).fingerprint
    assert len({RuleBook(rows).fingerprint, RuleBook(rows[:-1]).fingerprint, RuleBook().fingerprint}) == 3


def test_spans_are_told_in_their_unit():
    spans = (90, 600, 28_800, 86_400, 604_800, 2_592_000)
    assert [span_text(span) for span in spans] == ["90 s", "10 min", "8 h", "24 h", "7 d", "30 d"]
