"""Numbers: what is taken, what is refused and how the refusal reads."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberType

from dialer.errors import BadValue
from dialer.numbers import LONGEST_NUMBER, ZERO_STAYS, parse_number

ALLOWED = re.compile(r"[+*#]?[0-9]{1,20}", re.ASCII)


@pytest.mark.parametrize("text", ["4930123456", "+4930123456", "*97", "#31", "1", "12" * 7, "00" + "1234567" * 2, "1001"])
def test_a_number_is_taken_as_it_is(text: str) -> None:
    assert parse_number(text) == text


@pytest.mark.parametrize("text", ["  4930123456\r\n", "\u202a4930123456\u202c", "\ufeff4930123456", "4930\u200b123456"])
def test_what_cannot_be_seen_around_a_number_does_not_count(text: str) -> None:
    assert parse_number(text) == "4930123456"


@pytest.mark.parametrize(
    "text",
    [
        "(030) 123-456",
        "030.123.456",
        "030/123 456",
        "030\u00a0123\u2011456",
        "030 \u2013 123456",
        "03 01 23 45 6",
        "0\t30123456",
    ],
)
def test_what_people_write_between_digits_does_not_count(text: str) -> None:
    assert parse_number(text) == "030123456"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 (0)20 7946 0123", "+442079460123"),
        ("+44(0) 20 7946 0123", "+442079460123"),
        ("0044 (0)20 7946 0123", "00442079460123"),
        ("(+49) (0)30 123456", "+4930123456"),
        ("+49 ( 0 ) 30/123456", "+4930123456"),
        ("(0)30 123456", "030123456"),
        ("+39 (0)6 12345678", "+390612345678"),
        ("+378 (0)549 123456", "+3780549123456"),
    ],
)
def test_a_trunk_zero_in_brackets_is_not_dialled_where_it_is_none(text: str, number: str) -> None:
    assert parse_number(text) == number


def test_the_zero_stays_where_national_numbers_begin_with_one() -> None:
    found = set()
    for code, (region, *_) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None and phonenumbers.national_significant_number(example).startswith("0"):
                metadata = PhoneMetadata.metadata_for_region(region)
                assert metadata is not None
                assert metadata.national_prefix is None
                found.add(str(code))
    assert found == ZERO_STAYS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" ", "is empty"),
        ("+", "is not a number"),
        ("abc", "is not a number"),
        ("12a", "is not a number"),
        ("++49", "is not a number"),
        ("4+9", "is not a number"),
        ("٠١٢٣", "is not a number"),
        ("１２３", "is not a number"),
        ("${x}", "is not a number"),
        ("a@b", "is not a number"),
        ("n/a", "is not a number"),
        ("-5551230001", "is not a number"),
        ("5551230001-", "is not a number"),
        ("tel:+15551230001", "is not a number"),
        ("555 123 0001 ext 5", "is not a number"),
        ("12:30", "is not a number"),
        ("1" * (LONGEST_NUMBER + 1), "has 16 digits"),
        ("+" + "12" * 8, "has 16 digits"),
        ("555123000155512300", "has 18 digits"),
        ("00" + "12" * 10, "has 22 digits"),
        ("5551230001 / 5551230002", "is more than one number"),
        ("5551230001/02", "is more than one number"),
        ("5551234/5551235", "is more than one number"),
        ("555123/555124", "is more than one number"),
        ("030/123/456", "is more than one number"),
        ("5551230001, 5551230002", "is more than one number"),
        ("5551230001;5551230002", "is more than one number"),
        ("5551230001 or 5551230002", "is more than one number"),
        ("5551234 5551235", "is more than one number"),
        ("12\n34", "is more than one number"),
        ("1|2", "is more than one number"),
        ("1,2", "is more than one number"),
        ("14/06/2011", "is a date"),
        ("6/14/2011", "is a date"),
        ("2011-06-14", "is a date"),
        ("2011/6/14", "is a date"),
        ("14.06.11", "is a date"),
        ("14-06-2011", "is a date"),
        ("14 06 2011", "is a date"),
        ("4.47E+11", "a spreadsheet has rounded"),
        ("1e9", "a spreadsheet has rounded"),
        ("4,47E+11", "a spreadsheet has rounded"),
        ("5551230001.0", "is a fraction"),
        ("5551230001.5", "is a fraction"),
        ("12.5", "is a fraction"),
        ("0", "stands in the place of a number"),
        ("0000000000", "stands in the place of a number"),
        ("+0000000", "stands in the place of a number"),
        ("1111111", "stands in the place of a number"),
        ("999-999-9999", "stands in the place of a number"),
        ("1234567890", "stands in the place of a number"),
    ],
)
def test_what_is_not_one_number_is_refused_with_the_field_and_what_was_expected(text: str, reason: str) -> None:
    with pytest.raises(BadValue, match=rf"phone: .*{reason}.*expected one number of 1 to 15 digits") as caught:
        parse_number(text, "phone")
    assert caught.value.field == "phone"


@pytest.mark.parametrize("text", ["01 23 45 67 89", "12-34-56", "06 12 34", "030/1234567", "+49 30/1234567", "20.79.46.12"])
def test_a_number_that_looks_a_little_like_something_else_is_taken(text: str) -> None:
    assert parse_number(text) == re.sub("[^0-9+]", "", text)


def test_a_refusal_shows_no_more_than_the_beginning_of_the_text() -> None:
    with pytest.raises(BadValue) as caught:
        parse_number("x" * 100_000)
    assert len(str(caught.value)) < 200


@given(text=st.text() | st.text(alphabet="0123456789 +-()./#*"))
def test_whatever_is_entered_a_number_is_digits_of_the_text_in_their_order_or_an_error(text: str) -> None:
    try:
        number = parse_number(text)
    except BadValue:
        return
    assert ALLOWED.fullmatch(number)
    assert parse_number(number) == number
    written = iter(text)
    assert all(any(digit == each for each in written) for digit in number.lstrip("+*#"))
