"""Patterns of numbers: which numbers a user may call (a whitelist) and may not (a blacklist).

A pattern is the beginning of a number: `4990` stands for every number that begins with it. `x` stands for any one character
(`49x55`), and a leading `=` makes the pattern the whole number (`=112`, `=xxx` for all of three). It is compared with the
identity of a number (`dialer.numbering`), which begins with the country code; so a leading `+` or `00` does not count.
There is nothing else to it: a pattern can neither fail nor take long, as a regular expression could.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from dialer.errors import BadValue

MOST_PATTERNS: Final = 200
"""In one list of a user: they are compared one after the other, 3 microseconds each."""

_PATTERN = re.compile(r"(=?)(?:\+|00(?=[1-9x]))?([0-9x*#]{1,32})")


def parse_pattern(text: str, name: str = "pattern") -> str:
    """A pattern in its usual form: lower case, without `+` or `00`. Raises `BadValue` naming `name`."""
    found = _PATTERN.fullmatch(text.strip().lower())
    if found is None:
        raise BadValue(
            name,
            f"{text[:40]!r} is not a pattern; expected the beginning of a number, x for any one digit, = for a whole number",
        )
    return found[1] + found[2]


def parse_patterns(text: str, name: str = "pattern") -> tuple[str, ...]:
    """Patterns separated by commas or white space, each once, in order. Raises `BadValue`."""
    patterns = tuple(dict.fromkeys(parse_pattern(item, name) for item in re.split(r"[\s,]+", text) if item))
    if len(patterns) > MOST_PATTERNS:
        raise BadValue(name, f"has {len(patterns)} patterns; at most {MOST_PATTERNS} are allowed")
    return patterns


def like(pattern: str) -> str:
    """The operand of SQL's LIKE that matches what `pattern` does, for a number without its leading `+`."""
    whole = pattern.startswith("=")
    return pattern.removeprefix("=").replace("x", "_") + ("" if whole else "%")


@lru_cache(maxsize=256)
def matcher(patterns: frozenset[str]) -> Callable[[str], object]:
    """Tells whether any of the patterns matches a number without a leading `+`. Made once for each set."""
    parts = (f"{re.escape(each.removeprefix('=')).replace('x', '.')}{'$' if each[0] == '=' else ''}" for each in patterns)
    return re.compile("|".join(parts) or "(?!)").match
