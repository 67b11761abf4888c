"""Whose fault it is that a call does not get through a gateway: what becomes of the others tells."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from dialer.calls.causes import Fault
from dialer.calls.verdict import Health
from dialer.model import Plan
from tests.unit.builders import NOON, campaign, candidate, gateway

SECOND = timedelta(seconds=1)


def plan(subscriber_id: int) -> Plan:
    return Plan(
        call_uuid=f"c-{subscriber_id}",
        candidate=candidate(subscriber_id=subscriber_id),
        campaign=campaign(),
        gateway=gateway(),
        dial_string="x",
        due_at=NOON,
    )


def test_a_contact_fails_alone_when_others_got_through_since_and_nobody_else_fails() -> None:
    health = Health()
    assert not health.fails_alone(plan(1), NOON)
    health.ended(plan(2), Fault.NONE, NOON + SECOND, NOON + SECOND)
    assert health.fails_alone(plan(1), NOON)
    assert not health.fails_alone(plan(1), NOON + 2 * SECOND)
    health.ended(plan(1), Fault.GATEWAY, None, NOON + 2 * SECOND)
    assert health.fails_alone(plan(1), NOON)
    health.ended(plan(3), Fault.GATEWAY, None, NOON + 3 * SECOND)
    assert not health.fails_alone(plan(1), NOON)
    health.got_through(plan(2), NOON + 4 * SECOND)
    assert health.fails_alone(plan(1), NOON)


def test_of_those_that_fail_no_more_are_remembered_than_tell_something() -> None:
    health = Health()
    for number in range(1000):
        health.ended(plan(number), Fault.GATEWAY, None, NOON)
    assert len(health.failing[gateway().id]) == 2


@pytest.mark.parametrize(("sent_after", "is_free"), [(SECOND, True), (-SECOND, False)])
def test_a_trial_that_showed_nothing_makes_room_for_another_and_no_other_call_does(
    sent_after: timedelta, is_free: bool
) -> None:
    health = Health()
    for number in range(3):
        health.ended(plan(number), Fault.GATEWAY, None, NOON)
    until = health.gateways[gateway().id].until
    assert until is not None
    trial = evolve(plan(4), due_at=until + SECOND)
    health.begun(trial, until + SECOND)
    assert health.gateways[gateway().id].blocks(until + 2 * SECOND)
    health.ended(evolve(trial, due_at=until + sent_after), Fault.NONE, None, until + 2 * SECOND)
    assert health.gateways[gateway().id].is_on_trial(until + 2 * SECOND) is is_free
