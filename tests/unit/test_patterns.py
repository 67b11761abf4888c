"""Patterns of numbers, as they are entered and as the database matches them."""

from __future__ import annotations

import pytest

from dialer.errors import BadValue
from dialer.patterns import MOST_PATTERNS, like, parse_pattern, parse_patterns
from tests.grounds import new_database, rows


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
def test_a_pattern_is_the_beginning_of_a_number(database_kind, tmp_path, pattern, number, matches):
    ((found,),) = rows(new_database(tmp_path), "SELECT ltrim(?, '+') LIKE ?", number, like(parse_pattern(pattern)))
    assert bool(found) is matches


@pytest.mark.parametrize("text", ["", "=", "+", "4.", "4%", "4_", "(4+)+", "4?", "[0-9]", "4" * 33, "49 90"])
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(BadValue, match=r"blacklist: .* is not a pattern"):
        parse_pattern(text, "blacklist")


def test_patterns_are_separated_by_commas_or_white_space_and_kept_once():
    assert parse_patterns("4990, +4990\n=112,,49X") == ("4990", "=112", "49x")
    assert parse_patterns(" ") == ()


def test_a_list_has_a_limit():
    with pytest.raises(BadValue, match="at most 200"):
        parse_patterns(",".join(map(str, range(MOST_PATTERNS + 1))))
