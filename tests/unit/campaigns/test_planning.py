"""Planning: due times, limits, failover, numbers that are never dialled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from dialer.campaigns.planning import Planned, Routes, plan
from dialer.esl import commands
from dialer.gateways import Backoff
from dialer.model import Campaign, Candidate, Gateway, GatewayStatus, Origination
from dialer.numbering import numbering
from tests.unit.builders import NOON, campaign, candidate, gateway

SPARED = Backoff(3, NOON + timedelta(seconds=1))


@frozen
class Usage:
    gateways: Mapping[int, int] = {}
    campaigns: Mapping[int, int] = {}


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"call-{next(numbers)}"


def routes(*gateways: Gateway, in_use: Usage | None = None, spared: tuple[int, ...] = ()) -> Routes:
    return Routes({way.id: way for way in gateways}, in_use or Usage(), dict.fromkeys(spared, SPARED))


def people(how_many: int) -> list[Candidate]:
    return [candidate(subscriber_id=n, contact_id=n, number=f"49301{n:04}") for n in range(how_many)]


def due(how_many: int) -> list[datetime]:
    return [NOON + timedelta(milliseconds=10 * n) for n in range(how_many)]


def planned(who: list[Candidate], out: Routes, times: int, rules: Campaign | None = None) -> Planned:
    return plan(who, rules or campaign(), out, due(times), NOON, ids=ids(), numbering=numbering())


def used(result: Planned) -> list[int]:
    return [each.gateway.id for each in result.plans]


def test_each_candidate_gets_its_due_time_in_order_and_an_id() -> None:
    result = planned(people(2), routes(gateway()), 2)
    assert [each.due_at for each in result.plans] == due(2)
    assert [each.call_uuid for each in result.plans] == ["call-1", "call-2"]
    assert [each.candidate.subscriber_id for each in result.plans] == [0, 1]
    assert result.plans[0].dial_string == "sofia/gateway/carrier/493010000"
    assert result.refused == ()


def test_there_are_no_more_calls_than_due_times_or_candidates() -> None:
    assert len(planned(people(5), routes(gateway()), 2).plans) == 2
    assert len(planned(people(2), routes(gateway()), 5).plans) == 2
    assert planned(people(2), routes(gateway()), 0) == Planned((), ())


def test_a_full_gateway_hands_over_to_its_failover() -> None:
    out = routes(gateway(maximum_call=3, failover_id=2), gateway(id=2), in_use=Usage(gateways={1: 1}))
    assert used(planned(people(4), out, 4)) == [1, 1, 2, 2]


def test_an_inactive_gateway_hands_over_to_its_failover() -> None:
    out = routes(gateway(status=GatewayStatus.INACTIVE, failover_id=2), gateway(id=2))
    assert used(planned(people(1), out, 1)) == [2]


def test_a_spared_gateway_hands_over_until_its_pause_is_over() -> None:
    out = routes(gateway(failover_id=2), gateway(id=2), spared=(1,))
    assert used(planned(people(1), out, 1)) == [2]
    later = plan(people(1), campaign(), out, due(1), NOON + timedelta(seconds=1), ids=ids(), numbering=numbering())
    assert used(later) == [1]


def test_without_a_usable_gateway_nothing_is_planned() -> None:
    full = routes(gateway(maximum_call=0, failover_id=2), gateway(id=2, status=GatewayStatus.INACTIVE, failover_id=1))
    assert planned(people(2), full, 2) == Planned((), ())
    assert planned(people(2), routes(), 2) == Planned((), ())


def test_the_campaigns_own_limit_holds() -> None:
    out = routes(gateway(), in_use=Usage(campaigns={1: 3}))
    assert len(planned(people(5), out, 5, campaign(max_concurrent=4)).plans) == 1
    assert len(planned(people(5), out, 5, campaign(max_concurrent=2)).plans) == 0


def test_an_emergency_number_is_refused_and_takes_no_due_time() -> None:
    who = [candidate(number="112"), candidate(number="4930123")]
    result = planned(who, routes(gateway()), 1)
    assert [each.candidate.number for each in result.plans] == ["4930123"]
    assert [(each.candidate.number, each.reason) for each in result.refused] == [
        ("112", "112 is an emergency number, which is never dialled")
    ]


def test_a_prefix_cannot_make_an_emergency_number() -> None:
    result = planned([candidate(number="11")], routes(gateway(addprefix="9")), 1)
    assert not result.plans
    assert result.refused[0].reason == "911 is an emergency number, which is never dialled"


def test_an_emergency_number_behind_a_prefix_that_is_taken_off_is_refused() -> None:
    result = planned([candidate(number="77112")], routes(gateway(removeprefix="77", addprefix="00")), 1)
    assert not result.plans
    assert result.refused[0].reason == "112 is an emergency number, which is never dialled"


def test_capacity_is_the_room_of_the_chain_within_the_campaigns_limit() -> None:
    out = routes(gateway(maximum_call=3, failover_id=2), gateway(id=2, maximum_call=2), in_use=Usage({1: 1}, {1: 1}))
    assert out.capacity(campaign(), NOON, 10) == 4
    assert out.capacity(campaign(max_concurrent=3), NOON, 10) == 2
    assert out.capacity(campaign(), NOON, 1) == 1
    assert routes(gateway()).capacity(campaign(), NOON, 10) == 10
    assert routes().capacity(campaign(), NOON, 10) == 0


limits = st.one_of(st.none(), st.integers(0, 5))
fleets = st.lists(
    st.tuples(
        limits, st.sampled_from(GatewayStatus), st.booleans(), st.integers(0, 5), st.one_of(st.none(), st.integers(1, 5))
    ),
    max_size=4,
)


@given(fleet=fleets, wanted=st.integers(0, 12), times=st.integers(0, 12), own=limits, busy=st.integers(0, 5))
def test_no_limit_is_passed_and_no_unusable_gateway_is_used(
    fleet: list[tuple[int | None, GatewayStatus, bool, int, int | None]], wanted: int, times: int, own: int | None, busy: int
) -> None:
    gateways = [
        gateway(id=n, maximum_call=most, status=status, failover_id=failover)
        for n, (most, status, _, _, failover) in enumerate(fleet, start=1)
    ]
    live = {n: each[3] for n, each in enumerate(fleet, start=1)}
    spared = tuple(n for n, each in enumerate(fleet, start=1) if each[2])
    out = routes(*gateways, in_use=Usage(live, {1: busy}), spared=spared)
    rules = campaign(max_concurrent=own)
    result = planned(people(wanted), out, times, rules)
    for gateway_id, calls in Counter(used(result)).items():
        way = out.gateways[gateway_id]
        assert way.status is GatewayStatus.ACTIVE
        assert gateway_id not in spared
        assert way.maximum_call is None or live[gateway_id] + calls <= way.maximum_call
    assert own is None or not result.plans or busy + len(result.plans) <= own
    assert len(result.plans) == min(wanted, out.capacity(rules, NOON, times))


@given(
    st.lists(st.one_of(st.from_regex(r"[+*#]?[0-9]{1,12}", fullmatch=True), st.sampled_from(["911", "*117", "990112"]))),
    st.from_regex(r"[0-9]{0,3}", fullmatch=True),
    st.from_regex(r"[+*#]?[0-9]{0,3}", fullmatch=True),
    st.sampled_from(["", "DE", "US"]),
)
def test_every_form_of_a_number_in_an_originate_is_one_that_was_asked_for(
    numbers: list[str], remove: str, add: str, region: str
) -> None:
    """None is an emergency number, and the claim asks the lists for each."""
    rules = numbering(region)
    out = routes(gateway(removeprefix=remove, addprefix=add))
    who = [candidate(number=number, identity=rules.identity(number)) for number in numbers]
    result = plan(who, campaign(), out, due(len(who)), NOON, ids=ids(), numbering=rules)
    assert len(result.plans) + len(result.refused) == len(who)
    for each in result.plans:
        call = Origination(
            call_uuid=each.call_uuid,
            dial_string=each.dial_string,
            account_code="dialer-x",
            timeout=30,
            max_duration=60,
            deadline=NOON,
            outbound="127.0.0.1:8084",
        )
        written = commands.originate(call, timedelta()).payload.decode()
        dialled = written.partition("sofia/gateway/carrier/")[2].partition(")")[0]
        assert not any(rules.is_emergency(form) for form in (each.candidate.number, dialled) if form)
        plain = dialled[:1] + dialled[1:].replace("+", "")
        assert not plain or rules.identity(plain) in {each.candidate.identity, *each.also}
