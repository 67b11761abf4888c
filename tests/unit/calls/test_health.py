"""Whose fault it is that a call does not get through a gateway: what becomes of the others tells."""

from __future__ import annotations

from datetime import timedelta

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
