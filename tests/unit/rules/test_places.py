"""Where numbers are."""

from __future__ import annotations

import random
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.rules.places import _whereabouts, area_codes, states_in, telling_digits, whereabouts
from tests.unit.rules.cases import CITIES


@pytest.mark.parametrize(("identity", "expected"), CITIES.items())
def test_a_number_is_in_its_place_and_may_be_in_every_zone_of_it(identity, expected):
    place, zones = expected
    found = whereabouts(identity)
    assert (found.places, set(found.zones), found.unknown) == ((place,), set(zones), "")


def test_a_contact_is_where_it_is_known_to_be_and_the_rules_of_its_number_stay():
    found = whereabouts("12125550100", "America/Los_Angeles")
    assert (found.places, found.zones) == (("US-NY",), ("America/Los_Angeles",))


@pytest.mark.parametrize("identity", ["15550000001", "18005550100", "19005550100"])
def test_an_area_code_of_no_place_may_be_anywhere_in_the_country(identity):
    found = whereabouts(identity)
    assert (found.places, found.zones, found.unknown) == (("US",), (), f"area code {identity[1:4]} belongs to no place")
    there = whereabouts(identity, "America/Denver")
    assert there.zones == ("America/Denver",)
    assert there.places == ("US", *states_in("America/Denver"))
    assert {"US-CO", "US-ND", "US-KS"} < set(there.places)
    assert "US-FL" not in there.places


@pytest.mark.parametrize("identity", ["2000", "1000", "2125551234", "*67", "8823456789", "999999999999999"])
def test_a_number_of_no_country_is_nowhere(identity):
    found = whereabouts(identity)
    assert (found.places, found.zones) == ((), ())
    assert found.unknown


def test_a_number_that_is_not_in_use_may_be_in_any_zone_of_its_country():
    found = whereabouts("447700900123")
    assert set(found.places) >= {"GB", "JE"}
    assert "Europe/London" in found.zones


TYPES = (
    "general_desc", "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip",
    "pager", "uan", "voicemail",
)  # fmt: skip


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_all_numbers_are_in_the_same_place_that_begin_with_the_same_telling_digits(code):
    chance = random.Random(code)
    nationals = [example for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code] for example in examples(code, region)]
    nationals += ["".join(chance.choices("0123456789", k=chance.choice([5, 7, 9, 10]))) for _ in range(10)]
    compared = 0
    for national in nationals:
        identity = f"{code}{national}"
        first = telling_digits(identity)
        assert first <= len(identity) or len(identity) < 10
        for _ in range(3):
            more = max(len(identity) - first, 0)
            other = identity[:first] + "".join(chance.choices("0123456789", k=more))
            if telling_digits(other) == first:  # else it is told by more
                compared += 1
                assert _whereabouts(other, "") == _whereabouts(identity, ""), (identity, other)
                assert whereabouts(other) == _whereabouts(identity, "")
    assert compared


def examples(code, region):
    """National numbers of each type."""
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    described = [getattr(metadata, name) for name in TYPES]
    return [one.example_number for one in described if one is not None and one.example_number]


def test_a_number_of_a_country_with_one_zone_is_told_by_its_country():
    assert [telling_digits(each) for each in ("493012345678", "33142685300", "442079460958", "12125550100")] == [2, 2, 9, 4]
    assert telling_digits("2000") == 4


def test_the_area_codes_agree_with_those_of_phonenumbers():
    names = {area.place: area.name for area in area_codes().values()}
    spelled = {"Washington State": "Washington", "Washington D.C.": "District of Columbia"}
    compared = 0
    for code, area in area_codes().items():
        told = GEOCODE_DATA.get(f"1{code}", {}).get("en")
        if told is None or area.place.startswith("CA-"):
            continue
        compared += 1
        state = told.rpartition(", ")[2]
        assert spelled.get(told, told) == names[area.place] or f"US-{state}" == area.place, code
    assert compared > 330


def test_every_zone_that_a_number_can_have_is_one():
    assert all(area.zones for area in area_codes().values())
    told = [zone for zones in TIMEZONE_DATA.values() for zone in zones]
    for zone in {*told, *(zone for area in area_codes().values() for zone in area.zones)}:
        ZoneInfo(zone)


def test_every_area_code_is_there_once():
    codes = [code for code in area_codes() if not (len(code) == 3 and code.isdigit())]
    assert codes == []
