"""Numbers that reach an emergency service: they are never dialled, and never shown as a caller's.

A region's own are those of phonenumbers' short-number data; where no region is known, those of two and three digits of every
region count. Beside them are those that every mobile phone treats so, and those that an installation lists. One of them is one
behind the digits that private exchanges, carriers and service codes want before it, too.

Where further digits do not count, a number is one that only begins so, unless it is somebody's as it is dialled: in France, 17
is the police, 0171234567 is in Paris, and +17185550100 in New York. Without its trunk prefix, 171234567 reaches the police.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import phonenumbers
from attrs import define, field
from phonenumbers import PhoneMetadata
from phonenumbers.shortnumberinfo import connects_to_emergency_number

EMERGENCY_NUMBERS: Final = frozenset({"000", "08", "110", "112", "118", "119", "911", "999"})
"""The numbers that 3GPP TS 22.101 section 10.1.1 has every mobile phone treat as emergency calls, wherever it is."""

_NOT_BEHIND: Final = frozenset({"000", "08"})
_BEHIND_DIGITS: Final = EMERGENCY_NUMBERS - _NOT_BEHIND
"""Those that are refused behind the digits for a line and service codes wherever it is: 9000 is an extension of many."""

_TRUNK_DIGITS: Final = frozenset({"0", "9", "00"})
"""The digits that private exchanges want before a number outside."""
_NO_EXTENSION: Final = frozenset({"0", "00"})
"""Those of them with which no extension begins."""
_SERVICE_CODE: Final = range(1, 4)
"""Digits of a code such as *67 (caller's number withheld), behind which a number may come."""
_PLUS: Final = re.compile(r"\+")
_ABROAD: Final = re.compile(r"\+|00|011|010|810")
_LONGEST_WITH_COUNTRY: Final = 10
_LONGEST_EVERYWHERE: Final = 3
_LONGEST_LISTED: Final = 15


@lru_cache(maxsize=1)
def everywhere() -> frozenset[str]:
    """The emergency numbers of two and three digits of all regions. Longer ones are extensions in too many places. The first
    time, it takes a tenth of a second."""
    patterns = set()
    for region in phonenumbers.SUPPORTED_REGIONS:
        if pattern := _pattern(region):
            patterns.add(f"(?:{pattern})")
    is_one = re.compile("|".join(sorted(patterns))).fullmatch
    candidates = (f"{number:0{length}}" for length in (2, _LONGEST_EVERYWHERE) for number in range(10**length))
    return frozenset(filter(is_one, candidates)) | EMERGENCY_NUMBERS


def _pattern(region: str) -> str:
    metadata: Any = PhoneMetadata.short_metadata_for_region(region)
    described = None if metadata is None else metadata.emergency
    return "" if described is None else described.national_number_pattern or ""


@define(eq=False)
class Emergency:
    """The emergency numbers of a region, or with "" of all; `listed` are the installation's own."""

    region: str = ""
    listed: frozenset[str] = frozenset()
    _own: frozenset[str] = field(init=False)
    _trunks: frozenset[str] = field(default=_TRUNK_DIGITS, init=False)
    _begins: re.Pattern[str] | None = field(default=None, init=False)
    _begins_behind: re.Pattern[str] | None = field(default=None, init=False)
    """The same behind any of the trunks, or none."""
    _longest: int = field(init=False)
    _whole: re.Pattern[str] = field(default=_PLUS, init=False)
    """What a number begins with that is dialled as a whole."""

    def __attrs_post_init__(self) -> None:
        self._own = frozenset(number.lstrip("+*#") for number in self.listed)
        self._longest = max([_LONGEST_WITH_COUNTRY, *(len(number) + _SERVICE_CODE[-1] for number in self._own)])
        if not self.region:
            return
        if pattern := _pattern(self.region):
            self._begins = re.compile(pattern)
        metadata: Any = PhoneMetadata.metadata_for_region(self.region)
        if metadata.national_prefix:
            self._trunks |= {metadata.national_prefix}
        ways = (
            "00",
            metadata.international_prefix,
            metadata.national_prefix_for_parsing if metadata.national_prefix else r"\d",
        )
        self._whole = re.compile("|".join([_PLUS.pattern, *filter(None, ways)]))
        if pattern:
            self._begins_behind = re.compile(f"(?:{'|'.join(map(re.escape, self._trunks))})?(?:{pattern})")
        behind = max(map(len, self._trunks)) + max(map(len, _BEHIND_DIGITS))
        self._longest = max(self._longest, behind)

    def has(self, number: str) -> bool:
        """Whether dialling `number` (as `parse_number` gives it) would reach an emergency service."""
        digits = number.lstrip("+*#")
        if not digits or (len(digits) > self._longest and number[0] not in "*#" and not self._may_begin(digits)):
            return False
        return self._reaches(number, digits) and not self._is_somebodys(number)

    def _is_somebodys(self, number: str) -> bool:
        """Whether a number that begins as one does is a subscriber's, with all that is dialled before it. It is asked seldom,
        and takes 100 microseconds."""
        if self._begins is None or not self._whole.match(number) or number.endswith(tuple(self._own)):
            return False
        whole = f"+{number[2:]}" if number.startswith("00") else number
        try:
            return bool(phonenumbers.is_valid_number(phonenumbers.parse(whole, self.region)))
        except phonenumbers.NumberParseException:
            return False

    def _reaches(self, number: str, digits: str) -> bool:
        if digits in EMERGENCY_NUMBERS or self._is_own(digits):
            return True
        for trunk in self._trunks:
            if digits.startswith(trunk):
                rest = digits[len(trunk) :]
                if rest in _BEHIND_DIGITS or (self._is_own(rest) if trunk in _NO_EXTENSION else self._is_told(rest)):
                    return True
        if number[0] in "*#":
            rests = (digits[length:] for length in _SERVICE_CODE)
            return any(rest in _BEHIND_DIGITS or self._is_told(rest) for rest in rests)
        return len(digits) <= _LONGEST_WITH_COUNTRY and self._behind_a_country(number)

    def _may_begin(self, digits: str) -> bool:
        """Whether a long number can begin with one of the region."""
        return self._begins_behind is not None and self._begins_behind.match(digits) is not None

    def _is_own(self, digits: str) -> bool:
        """Whether it is one here."""
        if self._is_told(digits):
            return True
        return not self.region and digits not in _NOT_BEHIND and len(digits) <= _LONGEST_EVERYWHERE and digits in everywhere()

    def _is_told(self, digits: str) -> bool:
        """Whether the region or the list says so, which holds behind any digits."""
        return digits in self._own or self._connects(digits)

    def _connects(self, digits: str) -> bool:
        """In most countries further digits do not count: "911555" is one, too."""
        if self._begins is None or not self._begins.match(digits):
            return False
        return bool(connects_to_emergency_number(digits, self.region))

    def _behind_a_country(self, number: str) -> bool:
        """A subscriber's number has more than three digits behind the code of the country."""
        found = _ABROAD.match(number)
        digits = number[found.end() :] if found else ""
        if not digits.isdigit():
            return False
        for length in range(1, min(len(digits), 4)):
            if int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE and digits[0] != "0":
                return digits[length:] in everywhere() or digits[length:].removeprefix("0") in everywhere()
        return False


def listed(texts: tuple[str, ...]) -> frozenset[str]:
    """The numbers of a list in a configuration. Raises `ValueError` for what is no number."""
    for text in texts:
        if not re.fullmatch(rf"[+*#]?[0-9]{{2,{_LONGEST_LISTED}}}", text):
            raise ValueError(f"{text[:40]!r} is not a number of 2 to {_LONGEST_LISTED} digits")
    return frozenset(texts)
