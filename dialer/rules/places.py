"""Where a number is: in which places it may be, and which time zones its clock may show.

Numbers of country code 1 are told by their area codes, from a table of our own (`area_codes.toml`): the data of phonenumbers
has one zone for many an area code through which the border of two zones runs. All others are told by phonenumbers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Final

import phonenumbers
from attrs import frozen
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.numbering import country_code, has_national_prefix

NORTH_AMERICA: Final = "1"
_AREA_CODE: Final = slice(1, 4)
_LONGEST: Final = 11
"""Digits of a number of country code 1."""
_MOST_TELLING: Final = 7
"""Digits behind a country code that the patterns of phonenumbers look at to tell the kinds of numbers apart."""
_NOWHERE: Final = "001"
"""The region of phonenumbers for country codes of the whole world, such as satellites'."""


@frozen
class Whereabouts:
    """The places in which a number may be, and the zones that it may be in: none when that is not known, and then `unknown`
    says why. A state is a place of its own beside its country, which is not listed again."""

    places: tuple[str, ...]
    zones: tuple[str, ...]
    unknown: str = ""


@frozen
class Area:
    """A part of North America: its place with its name, and its zones."""

    place: str
    name: str
    zones: tuple[str, ...]


@cache
def area_codes() -> Mapping[str, Area]:
    """The areas by their codes."""
    text = resources.files("dialer.rules").joinpath("area_codes.toml").read_text(encoding="utf-8")
    found = {}
    for entry in tomllib.loads(text)["area"]:
        area = Area(entry["place"], entry["name"], tuple(entry["zones"]))
        found.update(dict.fromkeys(entry["codes"].split(), area))
    return found


@cache
def place_names() -> Mapping[str, str]:
    """The names of the places of North America."""
    return {area.place: area.name for area in area_codes().values()}


@cache
def states_in(zone: str) -> tuple[str, ...]:
    """The states of the United States, and the provinces of Canada, in which a time zone is."""
    return tuple(sorted({area.place for area in area_codes().values() if zone in area.zones and "-" in area.place}))


def telling_digits(identity: str) -> int:
    """The first digits of an identity that tell where the number is: it is where all are that begin so and are as long. Three
    behind the code of North America; none behind that of a country with one zone; else as many as tell the kind of a number
    apart, by which phonenumbers has it in a region or in the whole country."""
    if identity[:1] == NORTH_AMERICA and len(identity) == _LONGEST:
        return _AREA_CODE.stop
    code = country_code(identity)
    if not code:
        return len(identity)
    if not _is_one_place(code):
        return len(code) + _MOST_TELLING
    return len(identity) if has_national_prefix(code, identity[len(code) :]) else len(code)


@cache
def _is_one_place(code: str) -> bool:
    """Whether all numbers of a country code are in the same zones of one country."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
    prefixes = (str(prefix) for prefix in TIMEZONE_DATA)
    return len(regions) == 1 and not any(prefix.startswith(code) and prefix != code for prefix in prefixes)


def whereabouts(identity: str, time_zone: str = "") -> Whereabouts:
    """Of a number by its identity (`dialer.numbering`). `time_zone` is where the contact is known to be, "" when that is not
    known: the zone is that one, and the place still that of the number, whose rules the caller cannot tell to be void."""
    alike = (identity[: telling_digits(identity)], len(identity), time_zone)
    found = _known.get(alike)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[alike] = _whereabouts(identity, time_zone)
    return found


_known: Final[dict[tuple[str, int, str], Whereabouts]] = {}
"""By what tells it."""
_MOST_KNOWN: Final = 65_536


def _whereabouts(identity: str, time_zone: str) -> Whereabouts:
    if identity[:1] == NORTH_AMERICA and len(identity) == _LONGEST and identity.isdigit():
        found = _of_area_code(identity[_AREA_CODE], time_zone)
    else:
        found = _of_country(identity)
    return Whereabouts(found.places, (time_zone,)) if time_zone else found


@lru_cache(maxsize=4096)
def _of_area_code(code: str, time_zone: str) -> Whereabouts:
    area = area_codes().get(code)
    if area is not None:
        return Whereabouts((area.place,), area.zones)
    # It may be anywhere: all states hold in which that time zone is.
    return Whereabouts(("US", *states_in(time_zone)), (), f"area code {code} belongs to no place")


def _of_country(identity: str) -> Whereabouts:
    try:
        parsed = phonenumbers.parse(f"+{identity}")
    except phonenumbers.NumberParseException:
        return Whereabouts((), (), "its country is not known")
    if not phonenumbers.is_possible_number(parsed):
        return Whereabouts((), (), "its country is not known")
    region = phonenumbers.region_code_for_number(parsed)
    regions = (region,) if region else phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(parsed.country_code or 0, ())
    places = tuple(each for each in regions if each != _NOWHERE)
    for zones in (timezone.time_zones_for_number(parsed), timezone.time_zones_for_geographical_number(parsed)):
        known = tuple(zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE)
        if known:
            return Whereabouts(places, known)
    return Whereabouts(places, (), "no time zone is known for its prefix")
