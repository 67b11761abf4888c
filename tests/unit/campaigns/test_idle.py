"""Why a campaign is not calling: each reason by example, and their order."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from dialer.campaigns.idle import Situation, explain
from dialer.campaigns.planning import Routes
from dialer.gateways import Backoff
from dialer.model import Campaign, CampaignStatus, GatewayStatus, IdleCode, IdleReason, Progress, SubscriberStatus
from tests.unit.builders import NOON, campaign, gateway
from tests.unit.campaigns.test_planning import Usage, routes

START, COMPLETE, IN_PROCESS = SubscriberStatus.START, SubscriberStatus.COMPLETE, SubscriberStatus.IN_PROCESS
LATER = NOON + timedelta(minutes=5)
MONDAY_OFF = (False, *(True,) * 6)
UNUSABLE = {
    "inactive": routes(gateway(status=GatewayStatus.INACTIVE)),
    "paused": routes(gateway(), spared=(1,)),
    "full": routes(gateway(maximum_call=2), in_use=Usage({1: 2})),
    "missing": routes(),
}


def situation(rules: Campaign | None = None, **changes: Any) -> Situation:
    """A campaign that is calling."""
    values = {
        "campaign": rules or campaign(),
        "now": NOON,
        "routes": routes(gateway()),
        "switch_ready": True,
        "progress": Progress(subscribers={START: 5, COMPLETE: 2}),
        "next_call_at": NOON,
    }
    return Situation(**{**values, **changes})


def reason(rules: Campaign | None = None, **changes: Any) -> IdleReason:
    found = explain(situation(rules, **changes))
    assert found is not None
    return found


def test_a_campaign_that_may_call_has_no_reason() -> None:
    assert explain(situation()) is None
    assert explain(situation(progress=None, next_call_at=None)) is None


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (campaign(status=CampaignStatus.PAUSE), IdleCode.PAUSED),
        (campaign(status=CampaignStatus.ABORT), IdleCode.ABORTED),
        (campaign(status=CampaignStatus.END), IdleCode.ENDED),
        (campaign(starting_at=LATER, expires_at=NOON), IdleCode.EXPIRES_BEFORE_START),
        (campaign(expires_at=NOON), IdleCode.EXPIRED),
        (campaign(starting_at=LATER), IdleCode.NOT_STARTED),
        (campaign(weekdays=(False,) * 7), IdleCode.NO_WEEKDAYS),
        (campaign(weekdays=MONDAY_OFF), IdleCode.WEEKDAY_OFF),
        (campaign(daily_start=time(9), daily_stop=time(12)), IdleCode.OUTSIDE_HOURS),
        (campaign(frequency=0), IdleCode.FREQUENCY_ZERO),
    ],
)
def test_a_rule_of_the_campaign_is_named(rules: Campaign, code: IdleCode) -> None:
    assert reason(rules).code is code


@pytest.mark.parametrize(
    ("progress", "code"),
    [
        (Progress(subscribers={}), IdleCode.NO_CONTACTS),
        (Progress(subscribers={COMPLETE: 7}), IdleCode.ALL_DONE),
        (Progress(subscribers={COMPLETE: 7, IN_PROCESS: 1}), IdleCode.LAST_CALLS),
        (Progress(subscribers={START: 3}, waiting=3, next_ready_at=LATER), IdleCode.RETRIES_LATER),
    ],
)
def test_the_state_of_the_contacts_is_named(progress: Progress, code: IdleCode) -> None:
    assert reason(progress=progress).code is code


def test_contacts_that_are_ready_beside_waiting_ones_are_called() -> None:
    assert explain(situation(progress=Progress(subscribers={START: 4}, waiting=3, next_ready_at=LATER))) is None


def test_a_missing_switch_is_named() -> None:
    assert reason(switch_ready=False).code is IdleCode.NO_SWITCH


def test_a_database_that_does_not_serve_is_told_of() -> None:
    found = reason(database="the database does not serve: it is locked")
    assert (found.code, found.text) == (IdleCode.NO_DATABASE, "the database does not serve: it is locked")


@pytest.mark.parametrize("word", sorted(UNUSABLE))
def test_an_unusable_gateway_is_named(word: str) -> None:
    assert reason(routes=UNUSABLE[word]).code == f"gateway-{word}"


def test_every_gateway_of_the_chain_is_told_of_and_the_earliest_end_of_a_pause() -> None:
    out = routes(gateway(maximum_call=0, failover_id=2), gateway(id=2, name="backup"), spared=(2,))
    found = reason(routes=out)
    assert found.code is IdleCode.GATEWAY_FULL
    assert found.text == "gateway carrier is full (0 calls), gateway backup is backed off from after 3 faults in a row"
    assert found.until == NOON + timedelta(seconds=1)


def test_a_gateway_that_its_failover_stands_in_for_is_no_reason() -> None:
    out = routes(gateway(status=GatewayStatus.INACTIVE, failover_id=2), gateway(id=2))
    assert explain(situation(routes=out)) is None


def test_a_campaign_at_its_own_limit_is_told() -> None:
    out = routes(gateway(), in_use=Usage(campaigns={1: 4}))
    assert reason(campaign(max_concurrent=4), routes=out).code is IdleCode.CAMPAIGN_FULL


def test_the_wait_for_the_next_call_is_told_in_seconds() -> None:
    found = reason(campaign(frequency=10), next_call_at=NOON + timedelta(seconds=3.25))
    assert found.code is IdleCode.NEXT_CALL_LATER
    assert found.text == "the next call is due in 3.2 s (10 calls per minute)"
    assert found.until == NOON + timedelta(seconds=3.25)


def test_a_campaign_whose_next_call_is_due_within_a_second_is_calling() -> None:
    assert explain(situation(next_call_at=NOON + timedelta(seconds=0.9))) is None


def test_the_next_opening_is_told_in_the_campaigns_time_zone() -> None:
    rules = campaign(daily_start=time(9), daily_stop=time(12), time_zone="Europe/Berlin")
    found = reason(rules)
    assert found.until == datetime(2027, 3, 2, 8, 0, tzinfo=UTC)
    assert found.text == (
        "the campaign calls from 09:00:00 to 12:00:00 (Europe/Berlin); it may call again on 2027-03-02 at 09:00:00 CET"
    )


def test_a_window_that_does_not_come_again_before_the_expiry_is_told() -> None:
    found = reason(campaign(daily_start=time(9), daily_stop=time(12), expires_at=NOON + timedelta(hours=1)))
    assert (found.until, found.text.endswith("it expires before it may call again")) == (None, True)


def test_the_reason_that_a_user_would_remove_first_is_told_first() -> None:
    everything: dict[str, Any] = {
        "switch_ready": False,
        "routes": routes(),
        "next_call_at": LATER,
        "progress": Progress(subscribers={}),
    }
    closed: dict[str, Any] = {"weekdays": MONDAY_OFF, "frequency": 0}
    assert reason(campaign(status=CampaignStatus.PAUSE, expires_at=NOON, **closed), **everything).code is IdleCode.PAUSED
    assert reason(campaign(expires_at=NOON, **closed), **everything).code is IdleCode.EXPIRED
    assert reason(campaign(**closed), **everything).code is IdleCode.WEEKDAY_OFF
    assert reason(campaign(frequency=0), **everything).code is IdleCode.FREQUENCY_ZERO
    assert reason(**everything).code is IdleCode.NO_CONTACTS
    assert reason(**{**everything, "progress": None}).code is IdleCode.NO_SWITCH
    assert reason(**{**everything, "progress": None, "switch_ready": True}).code is IdleCode.GATEWAY_MISSING


def test_a_gateway_whose_pause_is_over_is_tried_again() -> None:
    out = Routes({1: gateway()}, Usage(), {1: Backoff(3, NOON)})
    assert explain(situation(routes=out)) is None
