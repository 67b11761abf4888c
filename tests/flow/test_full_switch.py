"""A switch that is full, paused or over its rate, on doubles and a stepped clock: the dialer waits for it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from attrs import define, field

from dialer.model import CampaignStatus, IdleCode, LiveChannel, Origination, OwnCause, SignalKind, SubscriberStatus
from tests.fakes.flow import CAMPAIGN
from tests.flow.test_scheduler import Ticking

REFUSED = "DESTINATION_OUT_OF_ORDER"


@define(eq=False)
class Limited(Ticking):
    """Its switch refuses what comes while it is `full`, as FreeSWITCH does beyond max-sessions, and lets the others ring."""

    full: bool = True
    rung: list[str] = field(factory=list)

    def note(self, call: Origination) -> None:
        super().note(call)
        if self.full:
            self.clock.callLater(0.01, self.tell, call.call_uuid, SignalKind.JOB_FAILED, REFUSED)
        else:
            self.switch.channels[call.call_uuid] = LiveChannel(
                call_uuid=call.call_uuid, account_code="dialer-test", answered=False
            )
            self.rung.append(call.call_uuid)
            self.clock.callLater(0.01, self.tell, call.call_uuid, SignalKind.RANG)


@pytest.fixture
def limited() -> Limited:
    limited = Limited()
    limited.contacts(200)
    return limited


def until_paused(limited: Limited) -> None:
    while not limited.health.switch.blocks(limited.now()):
        limited.run(0.02)


def pauses(ticking: Ticking) -> list[int]:
    """The pauses between originates, in whole seconds."""
    gaps = [after - before for (before, _), (after, _) in pairwise(ticking.sent)]
    return [round(gap) for gap in gaps if gap > 0.5]


def test_a_full_switch_is_asked_again_after_growing_pauses(limited: Limited) -> None:
    limited.run(30)
    # The end of a call that the switch refused is told after a second, in which it might say more about the call.
    assert pauses(limited)[:4] == [1, 2, 4, 8]
    assert len(limited.sent) < 80


def test_no_pause_is_longer_than_half_a_minute(limited: Limited) -> None:
    limited.run(150, step=0.05)
    assert 29 <= max(pauses(limited)) <= 32


def test_the_contacts_of_a_full_switch_are_not_charged(limited: Limited) -> None:
    limited.run(150, step=0.05)
    assert limited.finished
    assert not any(finish.decision.counts_as_attempt for finish in limited.finished)
    assert {row.candidate.count_attempt for row in limited.store.rows.values()} == {0}
    assert {row.status for row in limited.store.rows.values()} <= {SubscriberStatus.START, SubscriberStatus.IN_PROCESS}


def test_what_was_begun_and_not_sent_is_given_back_when_the_pause_begins(limited: Limited) -> None:
    limited.run(0.3)
    limited.begin(*(limited.plan(f"1666{number:07}", after=3) for number in range(5)))
    until_paused(limited)
    limited.run(0.02)
    assert limited.lifecycle.register.unsent == 0
    assert {finish.outcome.cause for finish in limited.finished} == {REFUSED, OwnCause.NOT_SENT}


def test_the_first_call_that_gets_through_ends_the_back_off(limited: Limited) -> None:
    limited.run(8)
    limited.full = False
    asked = len(limited.sent)
    limited.run(20)
    assert limited.rung
    assert not limited.health.switch.faults
    since = [at for at, _ in limited.sent[asked:]]
    assert len(since) > 50
    assert max(after - before for before, after in pairwise(since)) < 0.2


def test_a_call_that_was_let_in_before_the_fault_and_rings_later_lifts_nothing(limited: Limited) -> None:
    limited.full = False
    limited.run(0.2)
    limited.full = True
    [early, *_] = limited.rung
    until_paused(limited)
    before = limited.health.switch
    limited.tell(early, SignalKind.ANSWERED)
    assert limited.health.switch == before


def test_one_refusal_among_calls_that_get_through_pauses_nothing(limited: Limited) -> None:
    limited.full = False
    limited.run(1)
    limited.full = True
    limited.run(0.1)
    limited.full = False
    limited.run(5)
    assert pauses(limited) == []


def test_a_campaign_says_that_the_switch_is_full(limited: Limited) -> None:
    until_paused(limited)
    reason = limited.scheduler.explain(CAMPAIGN)
    assert reason is not None
    assert reason.code is IdleCode.SWITCH_FULL
    assert reason.text.startswith("the switch is full: it refused ")
    assert reason.until == limited.health.switch.until
    limited.full = False
    limited.run(10)
    assert limited.scheduler.explain(CAMPAIGN) is None


def test_a_stop_elsewhere_is_obeyed_during_a_pause(limited: Limited) -> None:
    limited.full = False
    limited.run(0.2)
    limited.full = True
    until_paused(limited)
    limited.change(status=CampaignStatus.ABORT)
    limited.run(0.5)
    assert limited.health.switch.blocks(limited.now())
    assert set(limited.rung) <= set(limited.switch.killed)


def test_a_line_that_is_out_of_order_by_the_carriers_word_is_no_full_switch(limited: Limited) -> None:
    limited.full = False
    limited.run(1)
    for uuid in limited.rung:
        limited.hang_up(uuid, REFUSED, rang=True, sip_status=502, q850=27)
    limited.run(1)
    assert not limited.health.switch.faults
    assert all(finish.decision.counts_as_attempt for finish in limited.finished)
