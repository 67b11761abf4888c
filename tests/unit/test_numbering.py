"""The identity of a number: all its spellings have one, and no two numbers have the same."""

from __future__ import annotations

import re
from collections import defaultdict

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType, national_significant_number

from dialer.emergency import EMERGENCY_NUMBERS
from dialer.errors import BadValue
from dialer.numbering import check_region, numbering

REGIONS = (
    "AD", "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "CO", "CZ", "DE", "DK", "EG", "ES", "FI", "FO", "FR", "GB",
    "GR", "HK", "ID", "IE", "IL", "IN", "IS", "IT", "JP", "KE", "KR", "MX", "NG", "NL", "NO", "NZ", "PL", "PT", "RU", "SE",
    "SG", "SM", "TH", "TR", "UA", "US", "VN", "ZA",
)  # fmt: skip
KINDS = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE)


def examples(region: str) -> list[phonenumbers.PhoneNumber]:
    found = (phonenumbers.example_number_for_type(region, kind) for kind in KINDS)
    return [each for each in found if each is not None]


def spellings(number: phonenumbers.PhoneNumber, region: str) -> set[str]:
    """Of people in the region, and of those abroad who write the whole number."""
    whole = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    spaced = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    code = f"+{number.country_code}"
    prefix = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True)
    found = {whole, "00" + whole[1:], spaced, national, f"({code}){whole.removeprefix(code)}", spaced.replace(" ", "\u00a0")}
    if prefix == "0":
        found.add(spaced.replace(code, f"{code} (0)", 1))
    return found


@pytest.mark.parametrize("region", REGIONS)
def test_all_spellings_of_a_number_have_one_identity(region: str) -> None:
    for example in examples(region):
        whole = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        identity = numbering().read(whole)[1]
        for text in spellings(example, region):
            assert numbering(region).read(text)[1] == identity, text


@pytest.mark.parametrize("region", REGIONS)
def test_two_numbers_never_have_one(region: str) -> None:
    numbers: dict[str, set[str]] = defaultdict(set)
    for other in REGIONS:
        for example in examples(other):
            whole = phonenumbers.format_number(example, PhoneNumberFormat.E164)
            numbers[numbering(region).identity(whole)].add(whole)
    assert all(len(each) == 1 for each in numbers.values())


@given(region=st.sampled_from(REGIONS), digits=st.text("0123456789", min_size=7, max_size=12))
def test_the_fast_way_tells_the_same_as_phonenumbers(region: str, digits: str) -> None:
    identity = numbering(region).identity(digits)
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return
    if not phonenumbers.is_valid_number(parsed) or phonenumbers.is_valid_number(phonenumbers.parse(f"+{identity}")):
        return
    assert identity == phonenumbers.format_number(parsed, PhoneNumberFormat.E164)[1:]


@pytest.mark.parametrize("region", ["", "US"])
@pytest.mark.parametrize("text", ["+15551230001", "15551230001", "0015551230001", "+1 (555) 123-0001", "1 (555) 123-0001"])
def test_one_person_in_several_spellings(text: str, region: str) -> None:
    assert numbering(region).read(text)[1] == "15551230001"


@pytest.mark.parametrize(
    ("text", "region", "identity"),
    [
        ("(555) 123-0001", "US", "15551230001"),
        ("(555) 123-0001", "", "5551230001"),
        ("01144 20 7946 0123", "US", "442079460123"),
        ("0 20 7946 0123", "GB", "442079460123"),
        ("442079460123", "US", "442079460123"),
        ("+44 0 20 7946 0123", "", "442079460123"),
        ("+54 11 15 2345 6789", "", "5491123456789"),
        ("4915123456789", "DE", "4915123456789"),
    ],
)
def test_a_national_number_is_one_of_its_region(text: str, region: str, identity: str) -> None:
    assert numbering(region).read(text)[1] == identity


@pytest.mark.parametrize("number", ["1", "17", "1001", "*97", "#31", "116117", "9000", "555123"])
@pytest.mark.parametrize("region", ["", "DE", "US", "FR"])
def test_short_numbers_and_extensions_are_left_alone(number: str, region: str) -> None:
    assert numbering(region).read(number) == (number, number)


def test_what_is_dialled_is_the_number_as_it_was_entered() -> None:
    assert numbering("DE").read("030 123456") == ("030123456", "4930123456")


@pytest.mark.parametrize("number", sorted(EMERGENCY_NUMBERS))
def test_an_emergency_number_is_known_without_a_region(number: str) -> None:
    assert numbering().is_emergency(number)
    assert numbering().is_emergency(f"+{number}")
    assert numbering().is_emergency(f"*{number}")


@pytest.mark.parametrize("number", ["9112", "0112", "00112", "9911", "0911", "9999", "0110"])
@pytest.mark.parametrize("region", ["", "US", "DE"])
def test_an_emergency_number_is_one_behind_the_digits_for_a_line(number: str, region: str) -> None:
    assert numbering(region).is_emergency(number)


@pytest.mark.parametrize(
    "number",
    ["1", "11", "200", "1001", "1700", "4930112", "1120", "4991199", "9000", "9008", "9190", "*97", "*981001"],
)
def test_a_code_or_extension_is_no_emergency_number_without_a_region(number: str) -> None:
    assert not numbering().is_emergency(number)


@pytest.mark.parametrize("number", ["17", "15", "18", "190", "117", "120", "*911", "#911", "0911", "017", "0190", "00117"])
def test_without_a_region_the_emergency_numbers_of_all_regions_are_known(number: str) -> None:
    assert numbering().is_emergency(number)


@pytest.mark.parametrize("region", ["", "US", "DE", "JP"])
@pytest.mark.parametrize("number", ["*67911", "*31112", "#31112", "*9911", "+1911", "+49112", "0049112", "0111911", "+440999"])
def test_an_emergency_number_is_one_behind_a_service_code_and_the_code_of_a_country(number: str, region: str) -> None:
    assert numbering(region).is_emergency(number)


@pytest.mark.parametrize(("number", "region"), [("1911", "US"), ("06112", "HU"), ("8112", "RU")])
def test_an_emergency_number_is_one_behind_the_trunk_prefix_of_its_region(number: str, region: str) -> None:
    assert numbering(region).is_emergency(number)


def test_an_installation_has_emergency_numbers_of_its_own() -> None:
    rules = numbering("DE", frozenset({"0800555"}))
    assert [rules.is_emergency(number) for number in ("0800555", "00800555", "*0800555", "0800556")] == [True] * 3 + [False]
    assert rules.of_region("FR").is_emergency("0800555")
    assert not numbering("DE").is_emergency("0800555")


@given(st.sampled_from(["", "DE", "GB", "US"]), st.from_regex(r"[2-8][0-9]{3}", fullmatch=True))
def test_extensions_of_four_digits_stay_possible(region: str, number: str) -> None:
    assert not numbering(region).is_emergency(number)


@pytest.mark.parametrize(
    ("number", "region"),
    [("115", "IT"), ("190", "BR"), ("17", "FR"), ("017", "FR"), ("911555", "US"), ("110", "DE"), ("9000", "AU")],
)
def test_a_countrys_emergency_numbers_are_known_by_region(number: str, region: str) -> None:
    assert numbering(region).is_emergency(number)


def test_a_national_number_is_no_emergency_number_in_its_region() -> None:
    assert not numbering("DE").is_emergency("030112345")


def test_a_number_behind_its_trunk_prefix_is_somebodys_whatever_it_begins_with() -> None:
    assert not numbering("FR").is_emergency("0171234567")
    assert numbering("FR").is_emergency("017")
    assert numbering("FR").is_emergency("171234567"), "without its trunk prefix, it reaches the police"
    assert not numbering("SA").is_emergency("0112345678")
    assert not numbering("FR").is_emergency("+17185550100")
    assert not numbering("FR").is_emergency("0017185550100")
    assert numbering("FR", frozenset({"0171234567"})).is_emergency("0171234567"), "the installation says so"


SOMEBODYS = [
    (region, example)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    if (example := phonenumbers.example_number_for_type(region, kind)) is not None
]
"""Numbers of each region."""
ABROAD = [
    f"{prefix}{example.country_code}{national_significant_number(example)}"
    for _, example in SOMEBODYS
    for prefix in ("+", "00")
]


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_no_number_that_is_somebodys_is_an_emergency_number(region: str) -> None:
    rules = numbering(region)
    has_trunk = bool(PhoneMetadata.metadata_for_region(region).national_prefix)
    for example in (example for home, example in SOMEBODYS if home == region):
        national = phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL)
        bare = national_significant_number(example)
        spelled = {"".join(filter(str.isdigit, national)), f"{example.country_code}{bare}"}
        for number in spelled if has_trunk else {*spelled, bare}:
            assert not rules.is_emergency(number), number
    assert [number for number in ABROAD if rules.is_emergency(number)] == []


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_emergency_number_of_a_region_is_one_in_every_spelling(region: str) -> None:
    metadata = PhoneMetadata.short_metadata_for_region(region)
    described = metadata and metadata.emergency
    known = re.compile((described and described.national_number_pattern) or "-").fullmatch
    trunk = PhoneMetadata.metadata_for_region(region).national_prefix or ""
    rules = numbering(region)
    for number in (f"{digits:0{length}}" for length in (2, 3, 4) for digits in range(10**length)):
        if known(number):
            for before in ("", "0", "00", "9", trunk, "*", "#", "+", "*67"):
                assert rules.is_emergency(f"{before}{number}"), f"{before}{number}"


def test_a_region_is_two_letters_of_either_case() -> None:
    assert numbering(check_region(" de ", "region")).region == "DE"
    for wrong in ("XX", "DEU", "49"):
        with pytest.raises(BadValue, match=r"region: .* is not a region; expected two letters such as DE"):
            check_region(wrong, "region")


@pytest.mark.parametrize(
    ("identity", "region", "country"),
    [
        ("12125550100", "", "US"),
        ("14165550100", "", "CA"),
        ("18765550100", "", "JM"),
        ("15551230001", "", "US"),  # no area code of any country: the main one of the code
        ("442079460123", "", "GB"),
        ("33155550001", "", "FR"),
        ("74951234567", "", "RU"),
        ("77172123456", "", "KZ"),
        ("881612345678", "DE", "DE"),  # a satellite phone is of no country
        ("1001", "DE", "DE"),
        ("1001", "", ""),
        ("*97", "US", "US"),
    ],
)
def test_a_number_has_a_country_and_an_extension_that_of_the_installation(identity, region, country):
    assert numbering(region).country(identity) == country
