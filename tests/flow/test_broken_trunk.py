"""A trunk that refuses everything burns no phonebook: no contact is charged, the campaign says why it waits, and once the
trunk is mended everybody is called. One that refuses us again and again, for reasons of ours, pauses the campaign."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import define, evolve, field

from dialer.calls.retry import MAX_REQUEUES
from dialer.model import Campaign, CampaignStatus, Gateway, GatewayStatus, IdleCode, Origination, SignalKind, SubscriberStatus
from tests.fakes.flow import CAMPAIGN, GATEWAY, Flow
from tests.flow.test_scheduler import Ticking, why_idle

REFUSALS = {
    401: ("CALL_REJECTED", 21),
    403: ("CALL_REJECTED", 21),
    407: ("MANDATORY_IE_MISSING", 96),
    488: ("INCOMPATIBLE_DESTINATION", 88),
    503: ("NORMAL_TEMPORARY_FAILURE", 41),
}
"""The cause and its code that FreeSWITCH gives for the answer of a trunk."""
ROUND_TRIP = 0.05
CONTACTS = 60


@define(eq=False)
class Trunk(Ticking):
    """`refuses` is what everybody gets, 0 for a trunk that works: callees are busy, or with `rings` it rings and rings;
    `barred` numbers get a 403 anyway; with `spare_works`, the gateway `spare` does. With `answer_nothing`, it is silent."""

    refuses: int = 0
    rings: bool = False
    answer_nothing: bool = False
    spare_works: bool = False
    barred: set[str] = field(factory=set)
    invites: Counter[str] = field(factory=Counter)

    def note(self, call: Origination) -> None:
        super().note(call)
        self.clock.callLater(ROUND_TRIP, self.answer, call)

    def answer(self, call: Origination) -> None:
        number = call.dial_string.rpartition("/")[2]
        self.invites[number] += 1
        if self.answer_nothing:
            return
        if self.rings:
            self.tell(call.call_uuid, SignalKind.RANG)
            return
        works = self.spare_works and "/spare/" in call.dial_string
        status = 403 if number in self.barred else 0 if works else self.refuses
        cause, q850 = REFUSALS.get(status, ("USER_BUSY", 17))
        Flow.hang_up(self, call.call_uuid, cause, sip_status=status or 486, q850=q850)

    def never_pause(self) -> None:
        self.store.gateways[1] = evolve(GATEWAY, pause_after=None)

    @property
    def campaign_now(self) -> Campaign:
        return self.store.campaigns[CAMPAIGN.id]

    @property
    def is_paused(self) -> bool:
        return self.campaign_now.status is CampaignStatus.PAUSE

    def resume(self) -> None:
        self.change(self.campaign_now, status=CampaignStatus.START, pause_reason="")
        self.scheduler.call_soon()

    def charged(self) -> list[str]:
        return [row.candidate.number for row in self.store.rows.values() if row.candidate.count_attempt]

    def failed(self) -> list[str]:
        return [row.candidate.number for row in self.store.rows.values() if row.status is SubscriberStatus.FAIL]


@pytest.mark.parametrize("status", REFUSALS)
def test_a_trunk_that_refuses_everything_fails_nobody_and_all_are_called_once_it_is_mended(status: int) -> None:
    trunk = Trunk(refuses=status)
    trunk.never_pause()
    trunk.change(max_retry=0)
    trunk.contacts(CONTACTS)
    trunk.run(600, 0.05)
    assert trunk.failed() == trunk.charged() == []
    # A few before anybody knew, and then one call a minute at most, after pauses that grow to that.
    assert sum(trunk.invites.values()) < 30
    assert "gateway carrier" in why_idle(trunk)
    assert f"SIP {status}" in why_idle(trunk)
    trunk.refuses = 0
    trunk.run(660, 0.05)
    assert sorted(trunk.charged()) == sorted(row.candidate.number for row in trunk.store.rows.values())


def test_a_gateway_is_tried_with_one_call_after_its_pause_and_serves_as_soon_as_that_gets_through() -> None:
    trunk = Trunk(refuses=403)
    trunk.never_pause()
    trunk.contacts(2000)
    trunk.run(120, 0.05)
    before = sum(trunk.invites.values())
    trunk.run(60, 0.05)
    assert 1 <= sum(trunk.invites.values()) - before <= 2
    trunk.refuses, trunk.rings = 0, True
    before = len(trunk.sent)
    trunk.run(61, 0.05)
    assert len(trunk.sent) > before + 5
    before = len(trunk.sent)
    trunk.run(2, 0.05)
    assert len(trunk.sent) - before >= 2 * CAMPAIGN.frequency / 60 - 1


def test_a_trial_that_says_nothing_is_given_up_and_another_one_made() -> None:
    trunk = Trunk(refuses=503)
    trunk.contacts(2000)
    trunk.run(2, 0.05)
    trunk.answer_nothing = True
    before = len(trunk.sent)
    trunk.run(39, 0.05)
    assert len(trunk.sent) == before + 1
    trunk.run(40, 0.05)
    assert len(trunk.sent) == before + 2


def test_the_failover_takes_the_calls_while_a_gateway_is_tried() -> None:
    trunk = Trunk(refuses=403)
    trunk.store.gateways[1] = evolve(GATEWAY, failover_id=2)
    trunk.store.gateways[2] = Gateway(id=2, name="spare", dial_string="sofia/gateway/spare/{number}")
    trunk.contacts(2000)
    trunk.spare_works = True
    trunk.run(60, 0.05)
    through = Counter(call.dial_string.split("/")[2] for call in trunk.switch.submitted)
    assert through["carrier"] < 15
    assert through["spare"] > 500


def test_a_number_that_alone_is_forbidden_counts_after_a_while() -> None:
    trunk = Trunk()
    trunk.contacts(CONTACTS)
    trunk.change(max_retry=0)
    trunk.barred.add("15550000003")
    trunk.run(400, 0.05)
    row = next(row for row in trunk.store.rows.values() if row.candidate.number == "15550000003")
    assert row.status is SubscriberStatus.FAIL
    assert trunk.invites["15550000003"] == MAX_REQUEUES + 1


def test_numbers_that_are_forbidden_while_the_trunk_breaks_are_not_charged() -> None:
    trunk = Trunk()
    trunk.never_pause()
    trunk.contacts(CONTACTS)
    trunk.barred.add("15550000003")
    trunk.run(2, 0.05)
    trunk.refuses = 403
    trunk.run(900, 0.05)
    assert "15550000003" not in trunk.charged()
    assert trunk.invites["15550000003"] > MAX_REQUEUES


# --- pausing ----------------------------------------------------------------------------------------------------------------

OURS = [status for status in REFUSALS if status != 503]


@pytest.mark.parametrize("status", OURS)
def test_a_trunk_that_refuses_us_pauses_the_campaign_and_says_why(status: int) -> None:
    trunk = Trunk(refuses=status)
    trunk.change(max_retry=0)
    trunk.contacts(CONTACTS)
    trunk.run(300, 0.05)
    assert trunk.is_paused
    assert trunk.campaign_now.pause_reason.startswith("gateway carrier refused 10 calls in a row (")
    assert f"SIP {status}" in trunk.campaign_now.pause_reason
    found = trunk.scheduler.explain(trunk.campaign_now)
    assert found is not None
    assert found.code is IdleCode.PAUSED_BY_DIALER
    assert trunk.campaign_now.pause_reason in found.text
    assert trunk.failed() == trunk.charged() == []
    before = len(trunk.sent)
    trunk.run(120, 0.05)
    assert len(trunk.sent) == before
    trunk.refuses = 0
    trunk.resume()
    trunk.run(660, 0.05)
    assert sorted(trunk.charged()) == sorted(row.candidate.number for row in trunk.store.rows.values())


def test_a_campaign_that_is_resumed_too_early_has_as_many_tries_as_before() -> None:
    trunk = Trunk(refuses=401)
    trunk.contacts(500)
    trunk.run(300, 0.05)
    assert trunk.is_paused
    before = len(trunk.sent)
    trunk.resume()
    trunk.run(900, 0.05)
    assert trunk.is_paused
    assert len(trunk.sent) - before == GATEWAY.pause_after


@pytest.mark.parametrize("status", [503, 0])
def test_a_fault_that_may_pass_pauses_nobody(status: int) -> None:
    trunk = Trunk(refuses=status, answer_nothing=not status)
    trunk.contacts(200)
    trunk.run(1800, 0.1)
    assert not trunk.is_paused


def test_a_trunk_whose_refusals_are_broken_by_a_fault_that_may_pass_is_waited_for() -> None:
    trunk = Trunk(refuses=403)
    trunk.contacts(500)
    for _ in range(20):
        trunk.refuses = 403
        trunk.run(90, 0.1)
        trunk.refuses = 503
        trunk.run(90, 0.1)
    assert not trunk.is_paused


def test_a_number_that_alone_is_forbidden_pauses_nobody() -> None:
    trunk = Trunk()
    trunk.contacts(1)
    trunk.barred.add("15550000000")
    trunk.run(3600, 0.25)
    assert len(trunk.sent) > 10
    assert not trunk.is_paused


@pytest.mark.parametrize(
    ("spare", "paused"), [(GatewayStatus.ACTIVE, False), (GatewayStatus.INACTIVE, True)], ids=["a spare", "an inactive spare"]
)
def test_a_campaign_with_another_way_out_goes_on(spare: GatewayStatus, paused: bool) -> None:
    trunk = Trunk(refuses=403)
    trunk.store.gateways[1] = evolve(GATEWAY, failover_id=2)
    trunk.store.gateways[2] = Gateway(id=2, name="spare", dial_string="sofia/gateway/spare/{number}", status=spare)
    trunk.contacts(2000)
    trunk.spare_works = True
    trunk.run(300, 0.05)
    assert trunk.is_paused is paused


def test_a_campaign_whose_ways_all_refuse_us_names_each() -> None:
    trunk = Trunk(refuses=403)
    trunk.store.gateways[1] = evolve(GATEWAY, failover_id=2)
    trunk.store.gateways[2] = Gateway(id=2, name="spare", dial_string="sofia/gateway/spare/{number}", pause_after=3)
    trunk.contacts(2000)
    trunk.run(300, 0.05)
    assert trunk.is_paused
    assert "gateway carrier refused " in trunk.campaign_now.pause_reason
    assert "; gateway spare refused " in trunk.campaign_now.pause_reason
