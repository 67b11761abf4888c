"""Which gateway carries a call: by number, price and weight."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadValue
from dialer.gateways import chain, stages
from dialer.model import Gateway
from dialer.model.codecs import codec_list
from dialer.model.prefixes import prefix_list, prefix_table
from dialer.routing import Shares, carriers, carries, cheapest, no_carrier

# --- prefixes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("", ""),
        ("+1=0.0085", "+1=0.0085"),
        ("1=0.5, 44 = 0.012000\n+882=REFUSED", "+1=0.5,+44=0.012,+882=refused"),
        ("+44", "+44=0"),
        ("+44=allowed;+1=2", "+44=0,+1=2"),
        ("+882=refused,*=allowed", "+882=refused"),
        ("+882=refused,*=0.05", "+882=refused,*=0.05"),
        ("+1=1,*=refused", "+1=1"),
        ("*=refused", "*=refused"),
        ("+1=0.000001", "+1=0.000001"),
    ],
)
def test_prefixes_have_one_spelling_which_means_the_same(entered: str, kept: str) -> None:
    assert prefix_list(entered, "prefixes") == kept
    assert prefix_list(kept, "prefixes") == kept
    assert prefix_table(kept) == prefix_table(entered)


@pytest.mark.parametrize(
    ("entered", "named"),
    [
        ("+1=cheap", "'+1=cheap'"),
        ("+1=-1", "'+1=-1'"),
        ("+1=0.0000001", "'+1=0.0000001'"),
        ("+1=1e3", "'+1=1e3'"),
        ("one=1", "'one=1'"),
        ("+=1", "'+=1'"),
        ("+1234567890123456=1", "'+1234567890123456=1'"),
        ("+1=1,1=2", "1 is named twice"),
        ("*=1,*=2", "* is named twice"),
        ("+1=1\x00", "'+1=1\\x00'"),
    ],
)
def test_what_is_no_table_of_prefixes_is_named(entered: str, named: str) -> None:
    with pytest.raises(BadValue) as caught:
        prefix_list(entered, "prefixes")
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("table", "number", "price"),
    [
        ("", "15550001", 0),
        ("+1=0.01,+1555=0.5,+15551=refused", "14440001", 10_000),
        ("+1=0.01,+1555=0.5,+15551=refused", "15550001", 500_000),
        ("+1=0.01,+1555=0.5,+15551=refused", "15551001", None),
        ("+1=0.01", "4915550001", None),
        ("+882=refused", "88213", None),
        ("+882=refused", "15550001", 0),
        ("+882=refused", "88", 0),
        ("+1=0.01,*=2", "49155", 2_000_000),
        ("*=refused", "1", None),
    ],
)
def test_the_longest_prefix_decides(table: str, number: str, price: int | None) -> None:
    assert prefix_table(table).price(number) == price


PREFIXES = st.dictionaries(st.text("0123456789", min_size=1, max_size=4), st.none() | st.integers(0, 10**9), max_size=8)


@given(PREFIXES, st.none() | st.integers(0, 10**9), st.text("0123456789", max_size=8))
def test_a_price_is_that_of_the_longest_prefix_that_the_number_begins_with(
    rows: dict[str, int | None], otherwise: int | None, number: str
) -> None:
    def said(price: int | None) -> str:
        return "refused" if price is None else f"{price // 10**6}.{price % 10**6:06}"

    text = ",".join([*(f"{prefix}={said(price)}" for prefix, price in rows.items()), f"*={said(otherwise)}"])
    fits = [prefix for prefix in rows if number.startswith(prefix)]
    wanted = rows[max(fits, key=len)] if fits else otherwise
    assert prefix_table(text).price(number) == wanted
    assert prefix_table(prefix_list(text, "prefixes")).price(number) == wanted


# --- groups and steps -------------------------------------------------------------------------------------------------------


def gateway(key: int, **given: object) -> Gateway:
    return Gateway(id=key, name=f"g{key}", dial_string="loopback/{number}", **given)  # type: ignore[arg-type]


def by_id(*some: Gateway) -> dict[int, Gateway]:
    return {each.id: each for each in some}


def test_a_gateway_is_tried_with_its_group_and_then_those_that_take_over() -> None:
    ways = by_id(
        gateway(1, group="a", failover_id=4), gateway(2, group="a", failover_id=5), gateway(3), gateway(4, group="b"),
        gateway(5, failover_id=1), gateway(6, group="b"),
    )  # fmt: skip
    assert [[each.id for each in stage] for stage in stages(ways, 1)] == [[1, 2], [4, 6], [5]]
    assert [each.id for each in chain(ways, 2)] == [2, 1, 5, 4, 6]
    assert [each.id for each in chain(ways, 3)] == [3]


@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.none() | st.integers(1, 7)), min_size=1, max_size=6),
    st.integers(1, 7),
)
def test_each_gateway_is_tried_once_and_a_circle_ends(given_ones: list[tuple[str, int | None]], head: int) -> None:
    ways = by_id(*(gateway(key, group=group, failover_id=to) for key, (group, to) in enumerate(given_ones, start=1)))
    found = [each.id for each in chain(ways, head)]
    assert len(found) == len(set(found))
    assert found[:1] == ([head] if head in ways else [])


def test_a_number_that_no_gateway_carries_is_explained() -> None:
    ways = by_id(gateway(1, prefixes="+882=refused", failover_id=2), gateway(2, prefixes="+1=0.01"))
    assert no_carrier(ways, 1, "88213000") == "no gateway carries +88213000 (asked: g1, g2)"
    assert no_carrier(ways, 1, "15550001") == no_carrier(ways, 1, "49155") == no_carrier(ways, 7, "88213000") == ""
    assert [carries(way, "49155") for way in ways.values()] == [True, False]


def test_the_cheapest_of_a_group_is_first_and_a_cheaper_failover_is_not() -> None:
    ways = by_id(
        gateway(1, group="a", prefixes="+1=0.02,*=0.05", failover_id=3),
        gateway(2, group="a", prefixes="+1=0.01,+44=refused,*=0.05"),
        gateway(3, prefixes="+1=0.001,+44=0.001"),
    )
    assert [way.id for way in carriers(ways, 1, "15550001")] == [2, 1, 3]
    assert [way.id for way in carriers(ways, 1, "44155")] == [1, 3]
    assert [way.id for way in cheapest([ways[1], ways[2]], "15550001")] == [2]
    assert [way.id for way in cheapest([ways[1], ways[2]], "49155")] == [1, 2]


# --- weights ----------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), st.integers(0, 3000))
def test_calls_are_shared_by_weight_to_within_one_call_for_each_gateway(weights: list[int], calls: int) -> None:
    ways = [gateway(key, weight=weight) for key, weight in enumerate(weights, start=1)]
    shares = Shares()
    taken = Counter(shares.take(ways).id for _ in range(calls))
    for way in ways:
        assert abs(taken[way.id] - calls * way.weight / sum(weights)) <= len(ways)


def test_a_gateway_that_was_away_has_nothing_to_catch_up_with() -> None:
    ways = [gateway(1), gateway(2)]
    shares = Shares()
    for _ in range(1000):
        shares.take(ways[:1])
    taken = Counter(shares.take(ways).id for _ in range(100))
    assert taken == {1: 50, 2: 50}


# --- codecs -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("", ""),
        ("PCMA, PCMU", "PCMA,PCMU"),
        ("opus@48000h@20i@1c pcmu", "opus@48000h@20i@1c,pcmu"),
        ("mod_spandsp.G726-32,G722,AMR-WB,L16@8000h", "mod_spandsp.G726-32,G722,AMR-WB,L16@8000h"),
    ],
)
def test_codecs_have_one_spelling(entered: str, kept: str) -> None:
    assert codec_list(entered, "codecs") == kept


@pytest.mark.parametrize(
    "entered",
    [
        "PCMA}sofia/gateway/other/1", "PCMA'", "${system(x)}", "PCMA|PCMU", "PCMA^^", "PCMA,origination_uuid=x", "PCMA@",
        "PCMA@20", "PCMA@20x", "PC MA\\", "PCMA,pcma", "-PCMA", "A" * 40, ",".join(f"C{n}" for n in range(17)), "PCMA\x00",
        "PCMA[x]", "pcm\u00e4",
    ],
)  # fmt: skip
def test_what_is_no_list_of_codecs_is_refused(entered: str) -> None:
    with pytest.raises(BadValue, match="codecs"):
        codec_list(entered, "codecs")
