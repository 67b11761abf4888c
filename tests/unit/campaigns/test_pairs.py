"""Which gateway carries a call and which caller id it shows: one choice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from dialer.campaigns.caller_ids import PooledNumber
from dialer.campaigns.pairs import Lack, first_pair, may_choose, pair_wait, with_routes
from dialer.campaigns.planning import Routes
from dialer.gateways import Backoff
from dialer.model import CallRoute, Gateway, GatewayStatus, Plan
from dialer.model.caller_id import CallerId, CallerIdPool, ShownCaller
from dialer.numbering import numbering
from tests.unit.builders import NOON, campaign, candidate, gateway

POOL = CallerIdPool(id=1, user_id=1, name="sales")


@frozen
class Usage:
    gateways: dict[int, int]
    campaigns: dict[int, int]


def routes(*gateways: Gateway, in_use: dict[int, int] | None = None, backoffs: dict[int, Backoff] | None = None) -> Routes:
    """Each gateway takes over from the one before it."""
    behind = [*(each.id for each in gateways[1:]), None]
    chained = {each.id: evolve(each, failover_id=key) for each, key in zip(gateways, behind, strict=True)}
    return Routes(chained, Usage(in_use or {}, {}), backoffs or {})


def plan(number: str = "4930555001", way: Gateway | None = None) -> Plan:
    found = way or gateway()
    who = candidate(number=number, identity=numbering().identity(number))
    return Plan(
        call_uuid="call-1", candidate=who, campaign=campaign(), gateway=found, dial_string="x", due_at=NOON, switch="fs1"
    )


def routed(
    some: list[Gateway], out: Routes, number: str = "4930555001", switches: Mapping[int, str | None] = MappingProxyType({})
) -> Plan:
    def beside(name: str, other: Gateway) -> str | None:
        return switches.get(other.id, name)

    return with_routes(plan(number, some[0]), out, NOON, numbering(), beside)


def number(key: int, *gateways: int, **more: object) -> PooledNumber:
    caller = CallerId(id=key, pool_id=1, number=f"+1212555{key:04}", identity=f"1212555{key:04}", country="US", **more)
    return PooledNumber(caller, frozenset(gateways), 0)


def shown(key: int) -> ShownCaller:
    return ShownCaller(number=str(key), name="", id=key)


def test_only_a_campaign_that_may_show_a_number_of_a_pool_has_a_choice() -> None:
    assert not may_choose(campaign())
    assert may_choose(campaign(caller_id="+4930555"))
    assert may_choose(campaign(caller_id_pool_id=1))


def test_a_plan_knows_the_gateways_that_can_carry_its_call_in_their_order() -> None:
    some = [
        gateway(id=1),
        gateway(id=2, addprefix="00"),
        gateway(id=3, maximum_call=1),
        gateway(id=4, status=GatewayStatus.INACTIVE),
    ]
    found = routed(some, routes(*some, in_use={3: 1}))
    assert [each.gateway.id for each in found.routes] == [1, 2]
    assert found.routes[0] == plan(way=some[0]).route
    assert found.routes[1].dial_string == "sofia/gateway/carrier/004930555001"
    assert found.routes[1].also == ()
    assert found.busy == (3, 4)


def test_the_gateway_that_was_planned_is_the_first() -> None:
    some = [gateway(id=key) for key in (1, 2, 3)]
    found = with_routes(plan(way=some[1]), routes(*some), NOON, numbering(), lambda name, _: name)
    assert [each.gateway.id for each in found.routes] == [2, 1, 3]


def test_a_gateway_that_no_switch_has_room_for_is_busy_and_another_switch_is_named() -> None:
    some = [gateway(id=1), gateway(id=2), gateway(id=3)]
    found = routed(some, routes(*some), switches={2: None, 3: "fs2"})
    assert [(each.gateway.id, each.switch) for each in found.routes] == [(1, "fs1"), (3, "fs2")]
    assert found.busy == (2,)


def test_a_gateway_that_would_make_an_emergency_number_is_no_route() -> None:
    some = [gateway(id=1), gateway(id=2, addprefix="9")]
    assert routed(some, routes(*some), number="11").routes == ()


def test_a_gateway_that_does_not_carry_the_number_is_no_route_and_the_cheapest_is_tried_first() -> None:
    some = [gateway(id=1), gateway(id=2, prefixes="+44=allowed"), gateway(id=3)]
    assert [each.gateway.id for each in routed(some, routes(*some)).routes] == [1, 3]
    prices = ("", "+49=0.03", "+49=0.02")
    group = [gateway(id=key, group="a", prefixes=each) for key, each in enumerate(prices, start=1)]
    assert [each.gateway.id for each in routed(group, routes(*group)).routes] == [1, 3, 2]


def test_with_one_route_there_is_no_choice() -> None:
    some = [gateway(id=1), gateway(id=2)]
    out = routes(*some, backoffs={2: Backoff(3, NOON + timedelta(seconds=5))})
    assert (routed(some, out).routes, routed(some, out).busy) == ((), (2,))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_the_first_gateway_with_room_and_a_number_is_taken(facts: list[tuple[bool, bool]]) -> None:
    """Each gateway by whether it has room, and whether it has a number."""
    ways = [gateway(id=key) for key in range(1, len(facts) + 1)]
    wanted = evolve(plan(), routes=tuple(CallRoute(gateway=way, dial_string=f"way {way.id}", switch="fs1") for way in ways))
    asked: list[int] = []

    def shows(way: Gateway) -> ShownCaller | None:
        asked.append(way.id)
        return shown(way.id) if facts[way.id - 1][1] else None

    later = NOON + timedelta(seconds=1)
    found = first_pair(wanted, lambda way: later if facts[way.id - 1][0] else None, shows)
    free = [key for key, (room, has_number) in enumerate(facts, start=1) if room and has_number]
    if free:
        assert isinstance(found, Plan)
        assert (found.gateway.id, found.dial_string, found.shown.id, found.due_at) == (
            free[0],
            f"way {free[0]}",
            free[0],
            later,
        )
    else:
        assert found is (Lack.CALLER_ID if any(room for room, _ in facts) else Lack.ROOM)
    assert asked == [key for key, (room, _) in enumerate(facts, start=1) if room and (not free or key <= free[0])]


def test_which_of_both_is_lacking_is_told_of_each_gateway() -> None:
    some = [gateway(id=1, name="a"), gateway(id=2, name="b", maximum_call=3), gateway(id=3, name="c")]
    numbers = [number(1, 1, rest_until=NOON + timedelta(hours=1)), number(2, 2)]
    found = pair_wait(some, routes(*some, in_use={2: 3}), POOL, numbers, NOON)
    assert found is not None
    assert found.for_all
    assert found.until == NOON + timedelta(hours=1)
    assert found.text == (
        "no gateway is free that may show a free caller id of the pool sales: gateway a has no caller id (resting: 1); "
        "gateway b has caller ids and is full (3 calls); gateway c has no caller id that it may show"
    )
    assert pair_wait(some, routes(*some, in_use={2: 2}), POOL, numbers, NOON) is None
