"""Calling rules in the flow: in the instant in which an originate would be written, and while many have to wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve
from twisted.internet.defer import Deferred, succeed

from dialer.model import Candidate, OwnCause, SignalKind, SubscriberStatus
from dialer.rules.book import RuleBook
from tests.fakes.flow import CAMPAIGN, START, Flow
from tests.fakes.store import MemoryStore
from tests.flow.test_scheduler import Ticking
from tests.unit.rules.cases import DIAL, SHIPPED, local

LONDON, PARIS, BERLIN = "442079460958", "33142685300", "493012345678"
"""At `START`, a Monday, it is 13:00 in Paris, where the pause of noon has begun."""


def ruled(book: RuleBook = SHIPPED, **changes: object) -> Flow:
    flow = Flow(campaign=evolve(CAMPAIGN, voip_app=DIAL, **changes))
    flow.lifecycle.rules = book
    return flow


def plan(flow: Flow, number: str, after: float = 0.0):
    found = flow.plan(number, after=after)
    return evolve(found, candidate=evolve(found.candidate, identity=number))


def test_a_call_whose_hours_are_over_is_not_written_and_does_not_count() -> None:
    flow = ruled()
    flow.begin(plan(flow, PARIS), plan(flow, BERLIN))
    flow.clock.advance(0)
    assert [call.dial_string for call in flow.switch.submitted] == [f"sofia/gateway/carrier/{BERLIN}"]
    (ended,) = flow.finished
    assert ended.outcome.cause == OwnCause.NOT_SENT
    assert ended.decision.status is SubscriberStatus.START
    assert not ended.decision.counts_as_attempt


def test_hours_that_end_between_the_begin_and_the_due_moment_are_over() -> None:
    flow = ruled()
    assert local("2026-11-23 20:00", "Europe/Paris") == START + timedelta(hours=7)
    flow.clock.advance(7 * 3600 - 1)
    flow.begin(plan(flow, PARIS, after=0.5), plan(flow, "33142685301", after=1.5))
    flow.clock.advance(0.5)
    assert len(flow.switch.submitted) == 1
    flow.clock.advance(1.0)
    assert len(flow.switch.submitted) == 1


def test_the_switch_is_told_when_the_hours_end() -> None:
    flow = ruled()
    flow.clock.advance(7 * 3600 - 4)  # four seconds before eight in the evening
    flow.begin(plan(flow, PARIS), plan(flow, LONDON))
    flow.clock.advance(0)
    paris, london = flow.switch.submitted
    assert paris.deadline == START + timedelta(hours=7)
    assert london.deadline > paris.deadline


def test_a_switch_that_is_late_because_the_hours_end_is_not_to_blame() -> None:
    flow = ruled()
    flow.clock.advance(7 * 3600 - 1)
    flow.begin(*(plan(flow, f"3314268530{index}") for index in range(5)))
    flow.clock.advance(0)
    for call in flow.switch.submitted:
        flow.tell(call.call_uuid, SignalKind.JOB_FAILED, OwnCause.LATE)
    assert [each.outcome.cause for each in flow.finished] == [OwnCause.LATE] * 5
    assert not any(each.decision.counts_as_attempt for each in flow.finished)
    assert not flow.health.switch.faults


def test_a_campaign_that_overrides_the_rules_is_written() -> None:
    flow = ruled(override="notice of a broken dam")
    flow.begin(plan(flow, PARIS))
    flow.clock.advance(0)
    assert len(flow.switch.submitted) == 1


@pytest.mark.parametrize(("timeout", "expected"), [(5, 15), (15, 15), (40, 40)])
def test_a_call_rings_for_as_long_as_its_place_asks(timeout: int, expected: int) -> None:
    flow = ruled(call_timeout=timeout)
    flow.clock.advance(6 * 3600)
    flow.begin(plan(flow, "12125550100"), plan(flow, LONDON))
    flow.clock.advance(0)
    assert [call.timeout for call in flow.switch.submitted] == [expected, timeout]


@define(eq=False)
class Empty(MemoryStore):
    """Has nobody who may be called, and knows how often it was asked."""

    asked: int = 0

    def candidates(self, campaign_id: int, now: datetime, limit: int, *more: Any) -> Deferred[list[Candidate]]:
        self.asked += 1
        return succeed([])


@pytest.mark.parametrize(("cut_short", "least", "most"), [({CAMPAIGN.id}, 15, 25), (set(), 3, 5)])
def test_a_campaign_with_many_to_set_aside_does_not_rest(cut_short: set[int], least: int, most: int) -> None:
    store = Empty(cut_short=cut_short)
    ticking = Ticking(store=store)
    ticking.contacts(1)
    ticking.run(2)
    assert least <= store.asked <= most
