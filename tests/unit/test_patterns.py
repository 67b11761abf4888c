"""Patterns of numbers, in Python and in SQL."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadValue
from dialer.patterns import MOST_PATTERNS, NumberRules, like, parse_pattern, parse_patterns

NUMBERS = st.from_regex(r"[+*#]?[0-9*#]{1,12}", fullmatch=True)
PATTERNS = st.from_regex(r"=?\+?[0-9xX*#]{1,8}", fullmatch=True).map(parse_pattern)


@pytest.mark.parametrize(
    ("pattern", "number", "matches"),
    [
        ("4990", "49901234", True),
        ("4990", "+49901234", True),
        ("+4990", "49901234", True),
        ("4990", "4980", False),
        ("4990", "14990", False),
        ("=112", "112", True),
        ("=112", "1123", False),
        ("49x55", "491551", True),
        ("49X55", "491551", True),
        ("=xxx", "123", True),
        ("=xxx", "1234", False),
        ("*31", "*3155", True),
        ("*31", "031", False),
    ],
)
def test_a_pattern_is_the_beginning_of_a_number(pattern, number, matches):
    rules = NumberRules(blacklist=(parse_pattern(pattern),))
    assert (rules.refusal(number) == "is on the blacklist") is matches


@pytest.mark.parametrize("text", ["", "=", "+", "4.", "4%", "4_", "(4+)+", "4?", "[0-9]", "4" * 33, "49 90"])
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(BadValue, match=r"blacklist: .* is not a pattern"):
        parse_pattern(text, "blacklist")


def test_patterns_are_separated_by_commas_or_white_space_and_kept_once():
    assert parse_patterns("4990, +4990\n=112,,49X") == ("4990", "=112", "49x")
    assert parse_patterns(" ") == ()


def test_a_list_has_a_limit():
    with pytest.raises(BadValue, match="at most 1000"):
        parse_patterns(",".join(map(str, range(MOST_PATTERNS + 1))))


def test_a_whitelist_refuses_every_other_number_and_the_blacklist_wins():
    rules = NumberRules(blacklist=("4990",), whitelist=("49", "43"))
    assert rules.refusal("4930") is None
    assert rules.refusal("4990") == "is on the blacklist"
    assert rules.refusal("4130") == "is not on the whitelist"


def test_without_rules_everybody_may_be_called():
    assert NumberRules().refusal("1") is None


@given(PATTERNS, NUMBERS)
def test_the_database_and_python_agree_on_what_a_pattern_matches(pattern, number):
    with sqlite3.connect(":memory:") as connection:
        (found,) = connection.execute("SELECT ltrim(?, '+') LIKE ?", (number, like(pattern))).fetchone()
    assert bool(found) is (NumberRules(blacklist=(pattern,)).refusal(number) is not None)
