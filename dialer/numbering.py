"""The identity of a number: its canonical digits, by which numbers are compared.

`+15551230001`, `0015551230001` and `+1 (555) 123-0001` reach one person. Their identity is the number as it is known in the
whole world, country code first and without `+` (ITU-T E.164). A number without a prefix for calls abroad is a national one of
the *region* (ISO 3166, such as "US"), when it can be one there; without a region, its digits are its identity. So are those of
extensions, short numbers and service codes. The identity is for comparing: what is dialled is the number as it was entered.

The rules of the regions are those of phonenumbers. To ask it takes 40 microseconds a number; most numbers need no more than
two of its patterns, which is ten times as fast, and gives the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import phonenumbers
from attrs import define, field
from phonenumbers import PhoneMetadata, ValidationResult
from phonenumbers.shortnumberinfo import is_valid_short_number_for_region

from dialer.emergency import Emergency
from dialer.errors import BadValue
from dialer.numbers import parse_number

_ABROAD: Final = re.compile("00")
"""ITU-T E.164's prefix for calls abroad. No number of any region begins with it."""
_LONGEST_COUNTRY_CODE: Final = 3
_SHORTEST_NATIONAL: Final = 7
"""Digits: a shorter number is a national one only where it is in use (`is_valid_number`)."""
_SHORTEST_ABROAD: Final = 10
_WORLD: Final = "001"
"""Of phonenumbers: a number of no country, such as that of a satellite phone."""


class _Country:
    """The national numbers of a country code, or of a region in it."""

    def __init__(self, code: int, metadata: Any) -> None:
        self.code = str(code)
        general = metadata.general_desc
        self._lengths = frozenset(general.possible_length)
        self._fits = re.compile(general.national_number_pattern).fullmatch
        prefix = metadata.national_prefix_for_parsing
        self._prefixed = re.compile(prefix).match if prefix else None
        self.prefix = metadata.national_prefix or ""
        self.is_simple = bool(prefix) and not metadata.national_prefix_transform_rule and "(" not in prefix

    def viable(self, national: str) -> bool:
        """Whether a number without any prefix can be a national one."""
        return len(national) in self._lengths and self._fits(national) is not None

    def has_prefix(self, national: str) -> bool:
        """Whether it begins with what may be a prefix."""
        found = self._prefixed(national) if self._prefixed is not None else None
        return found is not None and found.end() > 0


@lru_cache(maxsize=1024)
def _country(code: str) -> _Country | None:
    """By its code, or None."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code.isdigit() else None
    if not regions:
        return None
    return _Country(int(code), PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0]))


def _country_of(digits: str) -> _Country | None:
    """The country of an international number. No code is the beginning of another."""
    for length in range(1, _LONGEST_COUNTRY_CODE + 1):
        found = _country(digits[:length]) if digits[0] != "0" else None
        if found is not None:
            return found
    return None


def _international(digits: str) -> str:
    """The identity of an international number, without its `+`."""
    country = _country_of(digits) if digits else None
    if country is None or not country.has_prefix(digits[len(country.code) :]):
        return digits
    try:
        return _canonical(phonenumbers.parse("+" + digits))
    except phonenumbers.NumberParseException:
        return digits


def _is_international(digits: str) -> bool:
    country = _country_of(digits) if digits else None
    if country is None:
        return False
    national = digits[len(country.code) :]
    if country.viable(national):
        return True
    try:
        parsed = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return False
    return country.has_prefix(national) and _is_possible(parsed)


def _canonical(parsed: Any) -> str:
    return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"


def _is_possible(parsed: Any) -> bool:
    return bool(phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE)


@lru_cache(maxsize=16384)
def _region_of(identity: str) -> str:
    """The country of an international number, as phonenumbers knows it: of a country code that several countries share, the
    main one where no other is told by the number. "" for what is no international number."""
    country = _country_of(identity) if identity.isdigit() else None
    if country is None or not country.viable(identity[len(country.code) :]):
        return ""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(country.code)]
    if len(regions) > 1:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{identity}"))
        if found is not None:
            return str(found)
    return str(regions[0]) if regions[0] != _WORLD else ""


def country_code(identity: str) -> str:
    """The country code with which an identity begins; "" for what is no international number."""
    country = _country_of(identity) if identity.isdigit() else None
    return "" if country is None else country.code


def has_national_prefix(code: str, national: str) -> bool:
    """Whether what stands behind a country code begins with what may be the prefix of a call within the country."""
    country = _country(code)
    return country is not None and country.has_prefix(national)


@define(eq=False)
class Numbering:
    """The numbers of a region, or with "" of none in particular; `emergency` are the installation's own emergency numbers."""

    region: str = ""
    emergency: frozenset[str] = frozenset()
    _country: _Country | None = field(default=None, init=False)
    _abroad: re.Pattern[str] = field(default=_ABROAD, init=False)
    _emergency: Emergency = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._emergency = Emergency(self.region, self.emergency)
        if not self.region:
            return
        metadata: Any = PhoneMetadata.metadata_for_region(self.region)
        self._country = _Country(metadata.country_code, metadata)
        self._abroad = re.compile(metadata.international_prefix or _ABROAD.pattern)

    def identity(self, number: str) -> str:
        """Of a number as `parse_number` gives it."""
        first = number[0]
        if first == "+":
            return _international(number[1:])
        if first in "*#":
            return number
        for prefix in (_ABROAD, self._abroad) if first in "018" else ():
            found = prefix.match(number)
            if found is not None and _is_international(number[found.end() :]):
                return _international(number[found.end() :])
        return number if self._country is None else self._national(self._country, number)

    def _national(self, country: _Country, number: str) -> str:
        if len(number) < _SHORTEST_NATIONAL:
            return self._short(country, number)
        prefix, rest = country.prefix, number.removeprefix(country.code)
        has_code = rest != number and country.viable(rest) and not country.has_prefix(rest)
        if has_code and country.viable(number):
            return self._with_or_without_code(country, number)
        if not country.has_prefix(number):
            if has_code:
                return number
            if country.viable(number):
                return country.code + number
        elif country.is_simple and number.startswith(prefix) and country.viable(number[len(prefix) :]):
            return country.code + number[len(prefix) :]
        return self._asked(number)

    def _with_or_without_code(self, country: _Country, number: str) -> str:
        """Of a number whose first digits are either the country code or an area code like it: as it is in use."""
        with_code, without = (phonenumbers.parse(f"+{code}{number}") for code in ("", country.code))
        if not phonenumbers.is_valid_number(with_code):
            return country.code + number
        # Both are: where national numbers have a trunk prefix, people write it, so what has none has the country code.
        return number if country.prefix or not phonenumbers.is_valid_number(without) else country.code + number

    def _asked(self, number: str) -> str:
        """By phonenumbers itself."""
        try:
            parsed = phonenumbers.parse(number, self.region)
        except phonenumbers.NumberParseException:
            return number
        if _is_possible(parsed):
            return _canonical(parsed)
        return _international(number) if len(number) >= _SHORTEST_ABROAD and _is_international(number) else number

    def _short(self, country: _Country, number: str) -> str:
        """An extension, a short number, or in a small country a national number: where these have a trunk prefix, with it."""
        if not number.startswith(country.prefix):
            return number
        try:
            parsed = phonenumbers.parse(number, self.region)
        except phonenumbers.NumberParseException:
            return number
        if is_valid_short_number_for_region(parsed, self.region) or not phonenumbers.is_valid_number(parsed):
            return number
        return _canonical(parsed)

    def country(self, identity: str) -> str:
        """The country of the number of that identity, two letters; that of the installation for an extension or a number
        without a country code, "" where none is known."""
        return _region_of(identity) or self.region

    def read(self, text: str, field: str = "contact") -> tuple[str, str]:
        """A number as it is dialled, and its identity. Raises `BadValue` naming `field`."""
        number = parse_number(text, field)
        return number, self.identity(number)

    def is_emergency(self, number: str) -> bool:
        """Whether dialling `number` would reach an emergency service (see `dialer.emergency`), by itself or behind the digits
        for a line, a service code or the code of a country.

        With a region, everything that connects to an emergency service there is one, which in some countries includes longer
        numbers that begin with one ("911555").
        """
        return self._emergency.has(number)

    def of_region(self, region: str) -> Numbering:
        """The numbers of another region in the same installation."""
        return numbering(region, self.emergency)


@lru_cache(maxsize=512)
def numbering(region: str = "", emergency: frozenset[str] = frozenset()) -> Numbering:
    """The numbers of a region, with an installation's own emergency numbers; made once."""
    return Numbering(check_region(region, "region"), emergency)


def check_region(region: str, field: str) -> str:
    """A region in upper case, or "" for none. Raises `BadValue` naming `field`."""
    wanted = region.strip().upper()
    if wanted and wanted not in phonenumbers.SUPPORTED_REGIONS:
        raise BadValue(field, f"{region[:40]!r} is not a region; expected two letters such as DE")
    return wanted
