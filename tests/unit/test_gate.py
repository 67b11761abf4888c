"""The gate: what would be dialled, and whether it may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer import gate, gateways
from dialer.errors import BadValue
from dialer.gate import GatedLeg
from dialer.model import CallRules
from dialer.numbering import numbering
from tests.unit import builders

NUMBER = st.from_regex(r"[+*#]?[0-9]{1,15}", fullmatch=True)
PREFIX = st.from_regex(r"[0-9]{0,4}", fullmatch=True)


@pytest.mark.parametrize(
    ("addresses", "numbers"),
    [
        ("sofia/gateway/x/0900666777", ["0900666777"]),
        ("sofia/external/0900666777@10.0.0.1:5060", ["0900666777"]),
        ("sofia/external/sip:+49123@carrier;transport=tcp", ["+49123"]),
        ("sofia/external/tel:911", ["911"]),
        ("loopback/911/default/XML", ["911"]),
        ("LOOPBACK/911", ["911"]),
        ("user/1000", []),
        ("sofia/external/alice@example.org", []),
        ("sofia/external/10.0.0.1:5080", []),
        ("sofia/external/9-1-1@x", ["911"]),
        ("sofia/gateway/x/911#", ["911"]),
        ("sofia/external/%3911@x", ["911"]),
        ("freetdm/1/a/911", ["911"]),
        ("user/1,sofia/gateway/x/0900|loopback/911:_:sofia/gateway/y/17", ["0900", "911", "17"]),
    ],
)
def test_the_numbers_of_addresses_are_known(addresses: str, numbers: list[str]) -> None:
    assert [leg.number for leg in gate.legs_of(addresses, "bridge")] == numbers


@pytest.mark.parametrize(
    "addresses",
    [
        "{origination_caller_id_number=911}sofia/gateway/x/1",
        "[leg_timeout=1]sofia/gateway/x/1",
        "<enterprise>sofia/gateway/x/1",
        "${x}",
        "sofia/gateway/x/'911'",
        "sofia/gateway/x/9\\11",
        "sofia/gateway/x/1 911",
        "loopback/app=bridge:sofia",
        "loopback/bridge:x/default/inline",
        "Loopback/bridge:x",
        "911",
        "",
        "user/1,,user/2",
        "^^:a",
    ],
)
def test_what_hides_a_number_is_refused(addresses: str) -> None:
    with pytest.raises(BadValue, match=r"^bridge: "):
        gate.legs_of(addresses, "bridge")


def test_an_encoded_character_is_read_both_ways() -> None:
    (leg,) = gate.legs_of("sofia/internal/112%30.example", "bridge")
    assert "112" in leg.forms


@pytest.mark.parametrize(
    ("number", "rules", "reason"),
    [
        ("0900666777", CallRules(whitelist=frozenset({"49"})), "0900666777 is not on the whitelist of this user"),
        ("+49900666777", CallRules(whitelist=frozenset({"49"})), ""),
        ("0900666777", CallRules(blacklist=frozenset({"0900"})), "0900666777 is on the blacklist of this user"),
        ("+4930123", CallRules(do_not_call=frozenset({"4930123"})), "+4930123 is on the do-not-call list"),
        ("117", CallRules(), "117 is an emergency number, which is never dialled"),
        ("990900666777", CallRules(blacklist=frozenset({"0900"})), "0900666777 is on the blacklist of this user"),
        ("9900493012345", CallRules(do_not_call=frozenset({"493012345"})), "00493012345 is on the do-not-call list"),
        ("99911", CallRules(), "911 is an emergency number, which is never dialled"),
    ],
)
def test_every_rule_holds_for_every_form(number: str, rules: CallRules, reason: str) -> None:
    leg = gate.leg_through(builders.gateway(removeprefix="99"), number)
    assert gate.refusal(leg, numbering(), rules) == reason


def test_rules_hold_by_identity_in_the_region() -> None:
    leg, german = GatedLeg("0900666777", ("0900666777",)), numbering("DE")
    assert gate.refusal(leg, german, CallRules(whitelist=frozenset({"49"}))) == ""
    assert "blacklist" in gate.refusal(leg, german, CallRules(blacklist=frozenset({"49900"})))
    assert "do-not-call" in gate.refusal(leg, german, CallRules(do_not_call=frozenset({"49900666777"})))


@given(NUMBER, PREFIX, PREFIX, st.sampled_from(["", "DE", "US"]), st.data())
def test_no_form_that_a_rule_forbids_passes(number: str, remove: str, add: str, region: str, data: st.DataObject) -> None:
    """Whichever form is forbidden, and by whichever rule: the dial string that would have it is not let pass."""
    rules_of = numbering(region)
    through = builders.gateway(dial_string="sofia/gateway/x/{number}", removeprefix=remove, addprefix=add)
    leg = gate.leg_through(through, number)
    (dialled,) = gate.legs_of(gateways.dial_string(through, number), "bridge") or (leg,)
    forbidden = data.draw(st.sampled_from(leg.forms))
    identity = rules_of.identity(forbidden)
    assert gate.refusal(leg, rules_of, CallRules(do_not_call=frozenset({identity})))
    if identity[0] != "+":
        assert gate.refusal(leg, rules_of, CallRules(blacklist=frozenset({f"={identity}"})))
    if any(rules_of.is_emergency(form) for form in (*leg.forms, dialled.number)):
        assert gate.refusal(leg, rules_of, CallRules())


@pytest.mark.parametrize(
    ("number", "allowed", "refused"),
    [
        ("", "", False),
        ("", "4930", False),
        ("4930123", "", False),
        ("+4930123", "4930123,43", False),
        ("4930124", "4930123,43", True),
        ("911", "", True),
        ("117", "117", True),
        ("a~b", "4930", True),
    ],
)
def test_a_caller_id_is_one_of_those_allowed_and_no_emergency_number(number: str, allowed: str, refused: bool) -> None:
    assert bool(gate.caller_id_refusal(number, allowed, numbering())) is refused


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("effective_caller_id_number", "911", True),
        ("SIP_From_User", "4930", False),
        ("sip_from_user", "carrier-account", False),
        ("sip_h_P-Asserted-Identity", "<sip:117@example.org>", True),
        ("sip_h_P-Asserted-Identity", "<sip:+4930@example.org>", False),
        ("sip_h_X-Contact", "911", False),
    ],
)
def test_a_variable_that_shows_a_number_shows_no_emergency_number(name: str, value: str, refused: bool) -> None:
    assert bool(gate.variables_refusal(((name, value),), "", numbering())) is refused
