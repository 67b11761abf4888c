"""Which calls may be begun under the limits that hold over all nodes, and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from dialer.campaigns.limits import AHEAD, Admission, Limit, pace_of, per_minute
from dialer.model import Candidate, Plan
from tests.fakes.flow import CAMPAIGN, GATEWAY, START

UNTIL = START + timedelta(seconds=1)
OTHER_GATEWAY = evolve(GATEWAY, id=2, name="other")
OTHER_CAMPAIGN = evolve(CAMPAIGN, id=2, name="winter")


def plans(*due: float, campaign=CAMPAIGN, gateway=GATEWAY) -> list[Plan]:
    return [
        Plan(
            call_uuid=f"{campaign.id}-{gateway.id}-{index}",
            candidate=Candidate(subscriber_id=index, contact_id=index, campaign_id=campaign.id, number=str(index)),
            campaign=campaign,
            gateway=gateway,
            dial_string="x",
            due_at=START + timedelta(seconds=after),
        )
        for index, after in enumerate(due)
    ]


def due(admitted: list[Plan]) -> list[float]:
    return [(plan.due_at - START).total_seconds() for plan in admitted]


def admit(
    wanted: list[Plan], campaigns: dict[int, Limit], gateways: dict[int, Limit], now: datetime, until: datetime
) -> list[Plan]:
    admission = Admission.of(campaigns, gateways, now, until)
    return [admitted for plan in wanted if (admitted := admission.admitted(plan)) is not None]


FREE = Limit()


def test_without_limits_all_are_begun_as_planned() -> None:
    wanted = plans(0, 0, 0.5)
    assert admit(wanted, {1: FREE}, {1: FREE}, START, UNTIL) == wanted


def test_what_is_not_listed_is_not_called() -> None:
    assert admit(plans(0), {}, {1: FREE}, START, UNTIL) == []
    assert admit(plans(0), {1: FREE}, {}, START, UNTIL) == []


def test_a_campaign_goes_on_where_another_node_has_stopped() -> None:
    campaign = Limit(frequency=600, next_call_at=START + timedelta(seconds=0.3))
    assert due(admit(plans(0, 0.1, 0.2), {1: campaign}, {1: FREE}, START, UNTIL)) == pytest.approx([0.3, 0.4, 0.5])


def test_what_would_be_due_too_late_is_left_out() -> None:
    campaign = Limit(frequency=600, next_call_at=START + timedelta(seconds=0.85))
    assert due(admit(plans(0, 0, 0), {1: campaign}, {1: FREE}, START, UNTIL)) == pytest.approx([0.85, 0.95])


def test_a_call_that_comes_late_is_not_brought_forward() -> None:
    campaign = Limit(frequency=600, next_call_at=START - timedelta(seconds=30))
    assert due(admit(plans(0.5, 0.9), {1: campaign}, {1: FREE}, START, UNTIL)) == [0.5, 0.9]


def test_room_is_shared_by_the_calls_of_all_campaigns_through_a_gateway() -> None:
    wanted = plans(0, 0) + plans(0, 0, campaign=OTHER_CAMPAIGN) + plans(0, gateway=OTHER_GATEWAY)
    admitted = admit(wanted, {1: FREE, 2: FREE}, {1: Limit(headroom=3), 2: FREE}, START, UNTIL)
    assert [plan.call_uuid for plan in admitted] == ["1-1-0", "1-1-1", "2-1-0", "1-2-0"]
    assert admit(wanted, {1: Limit(headroom=0), 2: FREE}, {1: FREE, 2: FREE}, START, UNTIL) == wanted[2:4]


def test_a_gateway_that_is_slower_than_the_campaign_sets_the_pace() -> None:
    gateway = Limit(frequency=per_minute(2))
    assert due(admit(plans(0, 0, 0, 0), {1: Limit(frequency=600)}, {1: gateway}, START, UNTIL)) == [0.0, 0.5, 1.0]


def test_a_call_that_was_left_out_takes_nobody_elses_turn() -> None:
    wanted = plans(0, 0, 0) + plans(0, gateway=OTHER_GATEWAY)
    gateway = Limit(frequency=per_minute(1), next_call_at=START + timedelta(seconds=1.5))
    admitted = admit(wanted, {1: Limit(frequency=60)}, {1: gateway, 2: FREE}, START, UNTIL)
    assert [plan.call_uuid for plan in admitted] == ["1-2-0"]
    assert due(admitted) == [0.0]


def test_a_campaign_whose_frequency_is_zero_calls_nobody() -> None:
    assert admit(plans(0), {1: Limit(frequency=0)}, {1: FREE}, START, UNTIL) == []


@pytest.mark.parametrize(("ahead", "waits"), [(0.25, 0.25), (0.9, 0.9), (50.0, 0.1)])
def test_a_moment_that_another_frequency_has_set_is_not_waited_for(ahead: float, waits: float) -> None:
    limit = Limit(frequency=600, next_call_at=START + timedelta(seconds=ahead))
    assert pace_of(limit, START).next_at(600) == START + timedelta(seconds=waits)


@given(
    st.lists(st.floats(0, 1), max_size=20).map(sorted),
    st.integers(1, 6000),
    st.integers(1, 50) | st.none(),
    st.floats(-5, 1),
    st.integers(0, 20) | st.none(),
)
def test_no_two_calls_are_closer_than_a_limit_allows(times, frequency, rate, next_call, headroom) -> None:
    campaign = Limit(frequency=frequency, next_call_at=START + timedelta(seconds=next_call), headroom=headroom)
    admitted = admit(plans(*times), {1: campaign}, {1: Limit(frequency=per_minute(rate))}, START, UNTIL)
    moments = [plan.due_at for plan in admitted]
    closest = max(60 / frequency, 1 / rate if rate else 0)
    for earlier, later in pairwise(moments):
        assert (later - earlier).total_seconds() >= closest - 1e-5
    assert all(START + timedelta(seconds=next_call) <= moment <= UNTIL for moment in moments)
    assert headroom is None or len(admitted) <= headroom


def test_no_node_is_ever_so_far_ahead_as_a_stale_moment() -> None:
    from dialer.campaigns.scheduler import HORIZON

    assert HORIZON * 2 < AHEAD
