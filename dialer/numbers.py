"""Telephone numbers as people write them.

A number is digits with at most one leading `+`, `*` or `#`: nothing that could be syntax for the switch, and no letters. It
need not be a public number: extensions and service codes are dialled as well. Separators that people write between digits
(spaces, dots, hyphens, parentheses, a slash behind the area code) do not count, and neither does a trunk zero in brackets.
Text that is no number, or cannot be one number, is refused: no number is dialled that nobody wrote.

Two texts may mean one number: `dialer.numbering` tells.
"""

from __future__ import annotations

import re
from typing import Final

from dialer.errors import BadValue

LONGEST_NUMBER: Final = 15
"""Digits, by ITU-T E.164 section 6.2.1; a prefix for calls abroad may come on top."""

ABROAD: Final = ("00", "010", "011", "810")
"""Prefixes of calls abroad (E.164's recommendation, and those of Japan, North America and Russia), behind which as many
digits may come; longer ones such as 0011 begin with one of them."""
_LONGEST_ABROAD: Final = LONGEST_NUMBER + 5

_PLAIN = re.compile(r"[+*#]?[0-9]+")
_MARKS = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u2066\u2068\u2069\ufeff"))
"""Invisible characters that address books and spreadsheets put around numbers."""
_BLANKS = "[ \t\u00a0\u2007\u2009\u202f]"
_HYPHENS = "[-\u2010\u2011\u2012\u2013\u2212]"
_SEPARATORS = re.compile(rf"{_BLANKS}|{_HYPHENS}|[.()/]")
_GROUPS = re.compile(r"[0-9]+")
_TRUNK_ZERO = re.compile(rf"(?<=[0-9)])({_BLANKS}*)\({_BLANKS}*0{_BLANKS}*\)")
ZERO_STAYS: Final = frozenset({"39", "225", "229", "241", "242", "378"})
"""Country codes whose national numbers begin with a zero that is part of them (Italy, Ivory Coast, Benin, Gabon, Congo, San
Marino)."""
_EDGES = re.compile(r"[(+*#0-9].*[)0-9]|[0-9]", re.DOTALL)

_FRACTION = re.compile(r"[+-]?(?:[0-9]+\.0+|[0-9]{1,2}\.[0-9]{1,2}|[0-9]{5,}\.[0-9]{1,2})")
_EXPONENT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_DAY_OR_MONTH = "([0-9]{1,2})"
_IN_A_DATE = rf"(?:[./]|{_HYPHENS}|{_BLANKS})"
_DAY_FIRST = re.compile(rf"{_DAY_OR_MONTH}{_IN_A_DATE}{_DAY_OR_MONTH}{_IN_A_DATE}([0-9]{{2}}|(?:19|20)[0-9]{{2}})")
_YEAR_FIRST = re.compile(rf"(?:19|20)[0-9]{{2}}{_IN_A_DATE}{_DAY_OR_MONTH}{_IN_A_DATE}{_DAY_OR_MONTH}")
_BETWEEN_NUMBERS = re.compile(r"[,;|&\n\r]|\bor\b|\band\b")
_PLACEHOLDER: Final = "1234567890"

SHORTEST_ALONE: Final = 7
"""Digits: two groups of so many are two numbers, and so many times the same digit is no number."""
LONGEST_AREA: Final = 6
"""Digits of an area code, which a slash may follow."""


def parse_number(text: str, field: str = "contact") -> str:
    """`text` as it is dialled: digits, with one leading `+`, `*` or `#` at most. Raises `BadValue` naming `field`, and what
    the text is in place of one number."""
    number = text.strip()
    if not _PLAIN.fullmatch(number):
        number = _without_separators(text, field)
    digits = number.lstrip("+*#")
    if len(digits) > LONGEST_NUMBER and not _is_long_call_abroad(number):
        raise BadValue(field, f"{_shown(text)} has {len(digits)} digits; {_EXPECTED}")
    if (len(set(digits)) == 1 and (digits[0] == "0" or len(digits) >= SHORTEST_ALONE)) or digits == _PLACEHOLDER:
        raise BadValue(field, f"{_shown(text)} stands in the place of a number; {_EXPECTED}")
    return number


def caller_number(text: str, field: str) -> str:
    """The number that the callee sees, "" for none. Raises `BadValue`."""
    return parse_number(text, field) if text else ""


def _is_long_call_abroad(number: str) -> bool:
    return number.startswith(ABROAD) and len(number) <= _LONGEST_ABROAD


def _without_separators(text: str, field: str) -> str:
    """Only the digits and their sign, when the text is one number."""
    shown = text.translate(_MARKS).strip()
    if not shown:
        raise BadValue(field, f"is empty; {_EXPECTED}")
    _refuse_what_only_looks_like_one(text, shown, field)
    shown = _TRUNK_ZERO.sub(_without_trunk_zero, shown)
    number = _SEPARATORS.sub("", shown)
    if not _PLAIN.fullmatch(number) or not _EDGES.fullmatch(shown):
        raise BadValue(field, f"{_shown(text)} is not a number; {_EXPECTED}")
    if _is_two(shown):
        raise BadValue(field, f"{_shown(text)} is more than one number; {_EXPECTED}")
    return number


def _without_trunk_zero(found: re.Match[str]) -> str:
    before = _SEPARATORS.sub("", found.string[: found.start()]).removeprefix("+").removeprefix("00")
    return f"{found[1]}0" if before in ZERO_STAYS else found[1]


def _refuse_what_only_looks_like_one(text: str, shown: str, field: str) -> None:
    if _EXPONENT.fullmatch(shown):
        raise BadValue(field, f"{_shown(text)} is a number that a spreadsheet has rounded: its digits are lost; {_EXPECTED}")
    if _FRACTION.fullmatch(shown):
        raise BadValue(field, f"{_shown(text)} is a fraction; {_EXPECTED}")
    if _is_date(shown):
        raise BadValue(field, f"{_shown(text)} is a date; {_EXPECTED}")
    parts = [part for part in _BETWEEN_NUMBERS.split(shown) if part.strip()]
    if len(parts) > 1 and all(_PLAIN.fullmatch(_SEPARATORS.sub("", part)) for part in parts):
        raise BadValue(field, f"{_shown(text)} is more than one number; {_EXPECTED}")


def _is_date(shown: str) -> bool:
    if found := _YEAR_FIRST.fullmatch(shown):
        month, day = int(found[1]), int(found[2])
    elif found := _DAY_FIRST.fullmatch(shown):
        day, month = sorted((int(found[1]), int(found[2])), reverse=True)
        if re.search(_BLANKS, shown) and len(found[3]) == 2:
            return False  # three pairs of digits: the end of a number in the French way
    else:
        return False
    return 1 <= month <= 12 and 1 <= day <= 31


def _is_two(shown: str) -> bool:
    """Two groups that are long enough to be dialled alone, or a slash that does not stand behind an area code."""
    if sum(len(group) >= SHORTEST_ALONE for group in _GROUPS.findall(shown)) > 1:
        return True
    before, slash, after = shown.partition("/")
    if not slash:
        return False
    area = _SEPARATORS.sub("", before)
    abroad = area.startswith(("+", "00"))
    longest = LONGEST_AREA + 4 if abroad else LONGEST_AREA if area.startswith("0") else LONGEST_AREA - 1
    return "/" in after or len(area.lstrip("+")) > longest


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


_EXPECTED: Final = f"expected one number of 1 to {LONGEST_NUMBER} digits, with one leading +, * or # at most"
