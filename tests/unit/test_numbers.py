"""Numbers: what is taken, what is refused and how the refusal reads."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadValue
from dialer.numbers import EMERGENCY_NUMBERS, LONGEST_NUMBER, is_emergency, parse_number

ALLOWED = re.compile(r"[+*#]?[0-9]{1,32}", re.ASCII)


@pytest.mark.parametrize("text", ["4930123456", "+4930123456", "*97", "#31", "1", "1" * LONGEST_NUMBER])
def test_a_number_is_taken_as_it_is(text: str) -> None:
    assert parse_number(text) == text


def test_white_space_around_a_number_does_not_count() -> None:
    assert parse_number("  4930123456\r\n") == "4930123456"


@pytest.mark.parametrize("text", ["(030) 123-456", "030.123.456", "030/123 456", "030\u00a0123\u2011456"])
def test_separators_are_removed_when_asked(text: str) -> None:
    assert parse_number(text, separators=True) == "030123456"
    with pytest.raises(BadValue):
        parse_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "abc",
        "12a",
        "++49",
        "4+9",
        "1" * (LONGEST_NUMBER + 1),
        "٠١٢٣",
        "１２３",
        "1,2",
        "${x}",
        "1|2",
        "12\n34",
        "a@b",
    ],
)
def test_what_is_not_a_number_is_refused_with_the_field_and_what_was_expected(text: str) -> None:
    with pytest.raises(BadValue, match=r"phone: .*expected 1 to 32 digits") as caught:
        parse_number(text, "phone")
    assert caught.value.field == "phone"


def test_a_refusal_shows_no_more_than_the_beginning_of_the_text() -> None:
    with pytest.raises(BadValue) as caught:
        parse_number("x" * 100_000)
    assert len(str(caught.value)) < 200


@given(text=st.text(), separators=st.booleans())
def test_whatever_is_entered_a_number_is_digits_or_an_error(text: str, separators: bool) -> None:
    try:
        number = parse_number(text, separators=separators)
    except BadValue:
        return
    assert ALLOWED.fullmatch(number)
    assert parse_number(number) == number


@pytest.mark.parametrize("number", sorted(EMERGENCY_NUMBERS))
def test_an_emergency_number_is_known_without_a_region(number: str) -> None:
    assert is_emergency(number)
    assert is_emergency(f"+{number}")


@pytest.mark.parametrize("number", ["115", "190", "17", "100", "4930112", "1120", "4991199"])
def test_a_short_code_is_no_emergency_number_without_a_region(number: str) -> None:
    assert not is_emergency(number)


@pytest.mark.parametrize(("number", "region"), [("115", "IT"), ("190", "BR"), ("17", "FR"), ("911555", "US"), ("110", "DE")])
def test_a_countrys_emergency_numbers_are_known_by_region(number: str, region: str) -> None:
    assert is_emergency(number, region, refused=())


def test_a_national_number_is_no_emergency_number_in_its_region() -> None:
    assert not is_emergency("030112345", "DE")


def test_an_installation_may_refuse_a_list_of_its_own() -> None:
    assert is_emergency("144", refused={"144"})
    assert not is_emergency("110", refused={"144"})


def test_an_unknown_region_is_an_error() -> None:
    with pytest.raises(BadValue, match="region: 'XX'"):
        is_emergency("123", "XX")
