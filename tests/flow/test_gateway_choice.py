"""Which gateway carries a call, on doubles and a stepped clock: by weight, by number, by price."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve

from dialer.gateways import Backoff
from dialer.model import Gateway, SubscriberStatus
from tests.fakes.flow import CAMPAIGN, GATEWAY
from tests.flow.test_scheduler import Ticking


def gateway(key: int, name: str, **given: object) -> Gateway:
    return Gateway(id=key, name=name, dial_string=f"sofia/gateway/{name}/{{number}}", **given)  # type: ignore[arg-type]


def through(ticking: Ticking) -> Counter[str]:
    found = Counter(call.dial_string.split("/")[2] for call in ticking.switch.submitted)
    ticking.switch.submitted.clear()
    return found


def numbers(ticking: Ticking) -> dict[str, set[str]]:
    """The numbers that were called, by gateway."""
    found: dict[str, set[str]] = {}
    for call in ticking.switch.submitted:
        _, _, name, number = call.dial_string.split("/")
        found.setdefault(name, set()).add(number)
    return found


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


def grouped(ticking: Ticking, **spare: object) -> None:
    ticking.store.gateways |= {
        1: evolve(GATEWAY, group="out", weight=3),
        2: gateway(2, "spare", group="out", **{"weight": 1, **spare}),
    }


def test_the_gateways_of_a_group_share_the_calls_by_weight(ticking: Ticking) -> None:
    grouped(ticking)
    ticking.contacts(500)
    ticking.run(20, 0.05)
    found = through(ticking)
    assert sum(found.values()) >= 190
    assert abs(found["carrier"] - 3 * found["spare"]) <= 6


def test_campaigns_that_call_through_any_of_a_group_share_it(ticking: Ticking) -> None:
    grouped(ticking)
    ticking.change(gateway_id=2)
    ticking.contacts(500)
    ticking.run(20, 0.05)
    found = through(ticking)
    assert abs(found["carrier"] - 3 * found["spare"]) <= 6


def test_the_others_take_all_while_one_is_away_and_it_does_not_catch_up(ticking: Ticking) -> None:
    grouped(ticking)
    ticking.contacts(2000)
    ticking.run(1)
    ticking.health.gateways[1] = Backoff(faults=9, until=ticking.now() + ticking.health.switch.longest, cause="SIP 503")
    ticking.run(0.5)  # what was planned before
    through(ticking)
    ticking.run(20, 0.05)
    assert through(ticking).keys() == {"spare"}
    del ticking.health.gateways[1]
    ticking.run(0.5)
    through(ticking)
    ticking.run(10, 0.05)
    found = through(ticking)
    assert abs(found["carrier"] - 3 * found["spare"]) <= 6


def test_a_full_gateway_leaves_its_share_to_the_others(ticking: Ticking) -> None:
    grouped(ticking)
    ticking.store.gateways[1] = evolve(ticking.store.gateways[1], maximum_call=5)
    ticking.contacts(200)
    ticking.run(10, 0.05)
    assert through(ticking)["carrier"] == 5
    assert len(ticking.sent) >= 95


def test_a_gateway_at_its_calls_per_second_leaves_its_share_to_the_others_and_is_given_no_more(ticking: Ticking) -> None:
    grouped(ticking)
    ticking.store.gateways[1] = evolve(ticking.store.gateways[1], calls_per_second=2)
    ticking.contacts(300)
    ticking.run(10, 0.05)
    found = through(ticking)
    assert 18 <= found["carrier"] <= 21
    assert sum(found.values()) >= 90


def test_the_failover_is_for_when_none_of_a_group_can_serve(ticking: Ticking) -> None:
    grouped(ticking, maximum_call=2)
    ticking.store.gateways[1] = evolve(ticking.store.gateways[1], maximum_call=3, failover_id=3)
    ticking.store.gateways[3] = gateway(3, "last")
    ticking.contacts(100)
    ticking.run(5)
    found = through(ticking)
    assert (found["carrier"], found["spare"]) == (3, 2)
    assert found["last"] > 30


def test_nobody_is_called_through_another_gateway_because_the_callee_was_busy(ticking: Ticking) -> None:
    grouped(ticking)
    ticking.store.gateways[1] = evolve(ticking.store.gateways[1], failover_id=3)
    ticking.store.gateways[3] = gateway(3, "last")
    ticking.switch.on_submit = lambda call: ticking.clock.callLater(
        0.05, ticking.hang_up, call.call_uuid, "USER_BUSY", sip_status=486, q850=17, rang=True
    )
    ticking.contacts(100)
    ticking.run(20, 0.05)
    called = Counter(call.dial_string.rpartition("/")[2] for call in ticking.switch.submitted)
    assert set(called.values()) == {1}
    assert through(ticking)["last"] == 0


# --- numbers and prices -----------------------------------------------------------------------------------------------------


def add(ticking: Ticking, *some: str) -> None:
    for number in some:
        ticking.store.add(CAMPAIGN, number, ticking.now())


def test_a_number_goes_through_a_gateway_that_carries_it(ticking: Ticking) -> None:
    ticking.store.gateways |= {
        1: evolve(GATEWAY, prefixes="+1=0.01,+49=0.02", failover_id=2),
        2: gateway(2, "spare", prefixes="+44=0.01"),
    }
    add(ticking, "15550001", "4915550002", "4415550003", "15550004")
    ticking.run(2)
    assert numbers(ticking) == {"carrier": {"15550001", "4915550002", "15550004"}, "spare": {"4415550003"}}


def test_a_number_that_no_gateway_carries_is_not_dialled_and_not_charged_and_keeps_nobody_waiting(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, prefixes="+882=refused")
    add(ticking, *(f"88213{n:03}" for n in range(50)), "15550001", "15550002")
    ticking.run(8)
    assert numbers(ticking) == {"carrier": {"15550001", "15550002"}}
    refused = [row for row in ticking.store.rows.values() if row.candidate.number.startswith("882")]
    assert {row.status for row in refused} == {SubscriberStatus.NOT_AUTHORISED}
    assert {row.candidate.count_attempt for row in refused} == {0}


def test_the_cheapest_of_a_group_carries_a_call_as_long_as_it_can(ticking: Ticking) -> None:
    grouped(ticking, prefixes="+1=0.01,+44=0.09", maximum_call=5)
    ticking.store.gateways[1] = evolve(ticking.store.gateways[1], prefixes="+1=0.02,+44=0.03")
    add(ticking, *(f"1555{n:04}" for n in range(8)), *(f"44155{n:04}" for n in range(4)))
    ticking.run(5)
    found = numbers(ticking)
    assert len(found["spare"]) == 5
    assert all(number.startswith("1555") for number in found["spare"])
    assert {number for number in found["carrier"] if number.startswith("44")} == {f"44155{n:04}" for n in range(4)}


def test_a_number_whose_carrier_is_away_waits_and_others_are_called_meanwhile(ticking: Ticking) -> None:
    ticking.store.gateways |= {
        1: evolve(GATEWAY, prefixes="+1=0.01", failover_id=2),
        2: gateway(2, "spare", prefixes="+44=0.01", maximum_call=0),
    }
    add(ticking, *(f"44155{n:04}" for n in range(60)), *(f"1555{n:04}" for n in range(20)))
    ticking.run(20, 0.05)
    assert len(numbers(ticking)["carrier"]) == 20
    ticking.store.gateways[2] = evolve(ticking.store.gateways[2], maximum_call=None)
    ticking.run(20, 0.05)
    assert len(numbers(ticking)["spare"]) == 60
