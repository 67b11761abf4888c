"""Where numbers are."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.rules.places import area_codes, states_in, whereabouts
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
