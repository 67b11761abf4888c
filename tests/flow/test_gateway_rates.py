"""A gateway's calls per second, on doubles and a stepped clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from attrs import evolve

from dialer.model import Gateway
from tests.fakes.flow import CAMPAIGN, GATEWAY
from tests.flow.test_scheduler import Ticking

SPARE = Gateway(id=2, name="spare", dial_string="sofia/gateway/spare/{number}")


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


def gaps(ticking: Ticking) -> list[float]:
    return [after - before for (before, _), (after, _) in pairwise(ticking.sent)]


def test_a_gateway_is_given_no_more_calls_per_second_than_it_takes(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, calls_per_second=4)
    ticking.contacts(100)
    ticking.run(5)
    assert 19 <= len(ticking.sent) <= 21
    assert min(gaps(ticking)) >= 0.24  # steps of the clock are 0.01 s


def test_campaigns_share_the_rate_of_their_gateway(ticking: Ticking) -> None:
    other = evolve(CAMPAIGN, id=2, name="winter")
    ticking.store.gateways[1] = evolve(GATEWAY, calls_per_second=5)
    ticking.contacts(50)
    ticking.contacts(50, other)
    ticking.run(4)
    assert 19 <= len(ticking.sent) <= 21
    of_the_first = sum(number <= "15550000049" for _, number in ticking.sent)
    assert 5 <= of_the_first <= 15


def test_a_call_waits_for_the_rate_of_its_gateway_and_does_not_go_over_to_the_failover(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, calls_per_second=2, failover_id=2)
    ticking.store.gateways[2] = SPARE
    ticking.contacts(50)
    ticking.run(3)
    assert {call.dial_string.split("/")[2] for call in ticking.switch.submitted} == {"carrier"}
    assert 6 <= len(ticking.sent) <= 7


def test_a_gateway_without_a_rate_follows_the_campaign(ticking: Ticking) -> None:
    ticking.contacts(100)
    ticking.run(3)
    assert 28 <= len(ticking.sent) <= 32


def test_a_raised_rate_acts_at_once(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, calls_per_second=1)
    ticking.contacts(100)
    ticking.run(2.5)
    before = len(ticking.sent)
    ticking.store.gateways[1] = evolve(GATEWAY, calls_per_second=10)
    ticking.run(1)
    assert before == 3
    assert 8 <= len(ticking.sent) - before <= 11


def test_the_slower_of_two_paces_rules(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, calls_per_second=100)
    ticking.contacts(100)
    ticking.run(3)
    assert min(gaps(ticking)) > 0.07
