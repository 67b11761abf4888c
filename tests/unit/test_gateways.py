"""Gateways: addresses, parameters, the failover chain and the back-off."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadValue
from dialer.gateways import (
    FAULTS_BEFORE_PAUSE,
    LONGEST_PAUSE,
    Backoff,
    chain,
    dial_string,
    dialled_number,
    headroom,
    through,
)
from dialer.model.gateway import dial_string_from, parse_dial_string, parse_parameters, parse_prefix
from tests.unit.builders import NOON, gateway

LATER = NOON + timedelta(hours=1)


def spared(faults: int) -> Backoff:
    """After so many faults, each as soon as the gateway is tried again."""
    backoff, now = Backoff(), NOON
    for _ in range(faults):
        now = backoff.until or now
        backoff = backoff.after_fault(now)
    return backoff


@pytest.mark.parametrize(
    ("remove", "add", "number", "dialled"),
    [
        ("", "", "4930123", "4930123"),
        ("49", "0", "4930123", "030123"),
        ("+49", "0", "4930123", "04930123"),
        ("49", "", "4949123", "49123"),
        ("", "9", "+4930123", "9+4930123"),
        ("+", "00", "+4930123", "004930123"),
    ],
)
def test_prefixes_are_taken_off_then_put_on(remove: str, add: str, number: str, dialled: str) -> None:
    way = gateway(removeprefix=remove, addprefix=add)
    assert dialled_number(way, number) == dialled
    assert dial_string(way, number) == f"sofia/gateway/carrier/{dialled}"


@pytest.mark.parametrize(
    "text",
    [
        "sofia/gateway/carrier/{number}",
        "loopback/{number}/default",
        "sofia/external/{number}@sip.example.com:5060;transport=tcp",
    ],
)
def test_a_dial_string_is_taken_as_it_is(text: str) -> None:
    assert parse_dial_string(f" {text} ") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sofia/gateway/carrier/123",
        "{number}",
        "{number}/x",
        "{a=b}sofia/gateway/carrier/{number}",
        "[a=b]sofia/gateway/carrier/{number}",
        "sofia/gateway/a/{number},sofia/gateway/b/1",
        "sofia/gateway/a/{number}|sofia/gateway/b/{number}",
        "sofia/gateway/a/{number}:_:sofia/gateway/b/1",
        "sofia/gateway/${x}/{number}",
        "sofia/gateway/a b/{number}",
        "sofia/gateway/a/{number}\nshutdown",
        "sofia/gateway/a'/{number}",
        "söfia/gateway/a/{number}",
    ],
)
def test_a_dial_string_that_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match=r"^dial_string: "):
        parse_dial_string(text)


def test_protocol_and_hostname_make_a_dial_string() -> None:
    assert dial_string_from("SIP", "sip.example.com") == "sofia/external/{number}@sip.example.com"
    assert dial_string_from(" sip ", "192.0.2.1:5070") == "sofia/external/{number}@192.0.2.1:5070"
    assert dial_string_from("LOCAL", "") == "loopback/{number}"


@pytest.mark.parametrize(
    ("protocol", "hostname", "field"),
    [
        ("SIP", "", "hostname"),
        ("SIP", "a b", "hostname"),
        ("SIP", "a@b", "hostname"),
        ("SIP", "-a", "hostname"),
        ("IAX2", "a", "protocol"),
    ],
)
def test_a_protocol_or_hostname_that_cannot_be_dialled_is_refused(protocol: str, hostname: str, field: str) -> None:
    with pytest.raises(BadValue) as caught:
        dial_string_from(protocol, hostname)
    assert caught.value.field == field


@given(protocol=st.sampled_from(["SIP", "LOCAL"]), hostname=st.text(max_size=40))
def test_a_dial_string_made_of_a_hostname_passes_the_check_of_dial_strings(protocol: str, hostname: str) -> None:
    try:
        text = dial_string_from(protocol, hostname)
    except BadValue:
        return
    assert parse_dial_string(text) == text


def test_a_prefix_is_digits_and_signs() -> None:
    assert parse_prefix(" +49 ", "addprefix") == "+49"
    assert parse_prefix("", "addprefix") == ""
    for text in ("a", "4 9", "1" * 33, "٤"):
        with pytest.raises(BadValue, match=r"^addprefix: "):
            parse_prefix(text, "addprefix")


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ()),
        ("a=b", (("a", "b"),)),
        ("a=b,c=d", (("a", "b"), ("c", "d"))),
        (" a = b \r\n\r\n c = d e \n", (("a", "b"), ("c", "d e"))),
        (
            "absolute_codec_string=PCMA,PCMU,hangup_after_bridge=true",
            (("absolute_codec_string", "PCMA,PCMU"), ("hangup_after_bridge", "true")),
        ),
        ("sip_h_X-Account=a=b", (("sip_h_X-Account", "a=b"),)),
        ("a=", (("a", ""),)),
        ("a=b,c=d,", (("a", "b"), ("c", "d"))),
        ("a=b,\nc=d", (("a", "b"), ("c", "d"))),
    ],
)
def test_parameters_are_pairs_separated_by_commas_or_lines(text: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert parse_parameters(text) == pairs


@pytest.mark.parametrize(
    "text", ["a", "=b", "a b=c", "a.b=c", "a=${x}", "a={b}", "a=[b]", "a='b'", 'a="b"', "a=b\\c", "a=b\0", "a=b|c", "ä=b"]
)
def test_a_parameter_that_could_be_syntax_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match=r"^addparameter: "):
        parse_parameters(text)


def test_a_parameter_is_given_once_and_never_one_of_the_dialers_own() -> None:
    with pytest.raises(BadValue, match="A is given twice"):
        parse_parameters("a=1,A=2")
    with pytest.raises(BadValue, match="Park_Timeout is set by the dialer"):
        parse_parameters("Park_Timeout=1", reserved={"park_timeout"})


@given(text=st.text(alphabet="ab_=,-$\n\r {}'\\1é", max_size=40))
def test_whatever_is_entered_parameters_hold_no_syntax(text: str) -> None:
    try:
        pairs = parse_parameters(text)
    except BadValue:
        return
    for name, value in pairs:
        assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
        assert not set(value) & set("${}[]<>'\"\\|^\r\n\0")
    assert parse_parameters("\n".join(f"{name}={value}" for name, value in pairs)) == pairs


def test_a_gateway_has_room_up_to_its_maximum() -> None:
    assert headroom(gateway(maximum_call=3), 1) == 2
    assert headroom(gateway(maximum_call=3), 4) == 0
    assert headroom(gateway(maximum_call=None), 1000) is None


def test_the_chain_follows_the_failover_and_ends() -> None:
    ways = {1: gateway(id=1, failover_id=2), 2: gateway(id=2, failover_id=3), 3: gateway(id=3)}
    assert [way.id for way in chain(ways, 1)] == [1, 2, 3]
    assert [way.id for way in chain(ways, 3)] == [3]


def test_a_chain_that_bites_its_tail_ends() -> None:
    ways = {1: gateway(id=1, failover_id=2), 2: gateway(id=2, failover_id=1)}
    assert [way.id for way in chain(ways, 1)] == [1, 2]
    assert [way.id for way in chain({1: gateway(id=1, failover_id=1)}, 1)] == [1]


def test_a_chain_ends_at_a_gateway_that_does_not_exist() -> None:
    assert [way.id for way in chain({1: gateway(id=1, failover_id=9)}, 1)] == [1]
    assert list(chain({}, 1)) == []


def test_single_faults_do_not_stop_a_gateway() -> None:
    assert not spared(FAULTS_BEFORE_PAUSE - 1).blocks(NOON)
    assert not spared(FAULTS_BEFORE_PAUSE - 1).after_success(LATER).after_fault(LATER).blocks(LATER)


@pytest.mark.parametrize(("faults", "pause"), [(3, 1), (4, 2), (5, 4), (6, 8), (7, 16), (8, 32), (9, 60), (50, 60)])
def test_faults_in_a_row_spare_the_gateway_for_a_growing_time(faults: int, pause: int) -> None:
    before, after = spared(faults - 1), spared(faults)
    tried_at = before.until or NOON
    assert after.until == tried_at + timedelta(seconds=pause)
    assert after.blocks(tried_at)
    assert not after.blocks(after.until)


def test_faults_of_calls_that_were_on_their_way_do_not_lengthen_the_pause() -> None:
    backoff = spared(3)
    for _ in range(30):
        backoff = backoff.after_fault(NOON + timedelta(milliseconds=500))
    assert (backoff.faults, backoff.until) == (3, spared(3).until)


def test_a_success_lifts_the_pause() -> None:
    assert spared(9).after_success(LATER) == Backoff()


def test_a_call_that_got_through_before_the_last_fault_lifts_nothing() -> None:
    backoff = Backoff().after_fault(NOON).after_fault(NOON).after_fault(NOON)
    assert backoff.after_success(NOON - timedelta(seconds=30)) == backoff
    on_its_way = backoff.after_fault(NOON + timedelta(milliseconds=500))
    assert on_its_way.after_success(NOON + timedelta(milliseconds=400)).blocks(NOON + timedelta(milliseconds=600))


@given(steps=st.lists(st.tuples(st.booleans(), st.floats(0, 200))))
def test_a_pause_is_never_longer_than_a_minute(steps: list[tuple[bool, float]]) -> None:
    backoff, now = Backoff(), NOON
    for fault, wait in steps:
        now += timedelta(seconds=wait)
        backoff = backoff.after_fault(now) if fault else backoff.after_success(now)
        assert backoff.until is None or backoff.until <= now + LONGEST_PAUSE


def test_commas_at_the_end_of_a_value_do_not_belong_to_it() -> None:
    assert parse_parameters("a=,,\nb=PCMA,PCMU,,") == (("a", ""), ("b", "PCMA,PCMU"))


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("sofia/gateway/a/4930", "a"),
        ("Sofia/Gateway/A/4930", "a"),
        ("sofia/gateway/a/99930", "prefixed"),
        ("sofia/external/4930@host", "host"),
        ("sofia/external/@host", None),
        ("sofia/gateway/b/4930", None),
        ("loopback/9000", None),
    ],
)
def test_the_gateway_of_an_address_is_told_from_its_dial_string(address: str, name: str | None) -> None:
    known = [
        gateway(id=1, name="a", dial_string="sofia/gateway/a/{number}"),
        gateway(id=2, name="prefixed", dial_string="sofia/gateway/a/{number}", addprefix="999"),
        gateway(id=3, name="host", dial_string="sofia/external/{number}@host"),
    ]
    found = through(known, address)
    assert (found and found.name) == name
