"""The tick, on doubles and a stepped clock: how many calls, which, when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import count, pairwise
from unittest import mock

import pytest
from attrs import define, evolve, field
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred

from dialer.campaigns.scheduler import LONGEST_BACKLOG, Scheduler
from dialer.errors import BadValue, StoreError
from dialer.model import (
    Campaign,
    CampaignStatus,
    Gateway,
    GatewayStatus,
    LiveChannel,
    Origination,
    Others,
    OwnCause,
    RefusedContact,
    SignalKind,
    SubscriberStatus,
)
from dialer.model.campaign import CallOrder
from tests.fakes.flow import CAMPAIGN, GATEWAY, START, Flow
from tests.fakes.store import MemoryStore


@define(eq=False)
class Ticking(Flow):
    """A flow that is driven by the scheduler; `sent` holds (seconds, number) of each originate."""

    scheduler: Scheduler = field(init=False)
    started: bool = False
    sent: list[tuple[float, str]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        ids = count(1)
        self.scheduler = Scheduler(
            clock=self.clock,
            now=self.now,
            store=self.store,
            fleet=self.fleet,
            lifecycle=self.lifecycle,
            new_id=lambda: f"call-{next(ids)}",
        )
        self.switch.on_submit = self.note

    def note(self, call: Origination) -> None:
        self.sent.append((self.clock.seconds(), call.dial_string.rpartition("/")[2]))

    def contacts(self, how_many: int, campaign: Campaign = CAMPAIGN) -> None:
        first = len(self.store.rows)
        for index in range(how_many):
            self.store.add(campaign, f"1555{first + index:07}", self.now())

    def run(self, seconds: float, step: float = 0.01) -> None:
        if not self.started:
            self.started = True
            self.scheduler.start()
        self.clock.pump([step] * round(seconds / step))

    def change(self, campaign: Campaign = CAMPAIGN, **changes: object) -> None:
        self.store.campaigns[campaign.id] = evolve(campaign, **changes)


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


def why_idle(ticking: Ticking) -> str:
    found = ticking.scheduler.explain(ticking.store.campaigns[CAMPAIGN.id])
    return "" if found is None else found.text


def test_calls_are_evenly_spaced_whatever_the_tick(ticking: Ticking) -> None:
    ticking.contacts(100)
    ticking.run(5)
    gaps = [after - before for (before, _), (after, _) in pairwise(ticking.sent)]
    assert 48 <= len(ticking.sent) <= 51
    assert max(gaps) < 0.13
    assert min(gaps) > 0.07


def test_contacts_are_called_in_their_order_and_once(ticking: Ticking) -> None:
    ticking.contacts(20)
    ticking.run(5)
    numbers = [number for _, number in ticking.sent]
    assert numbers == sorted(numbers)
    assert max(Counter(numbers).values()) == 1


def test_the_store_is_asked_in_the_order_of_the_campaign(ticking: Ticking) -> None:
    ticking.contacts(5)
    ticking.change(order=CallOrder.MIX, retry_share=20)
    asked = []
    found = ticking.store.candidates

    def candidates(*given: object) -> object:
        asked.append(given[-2:])
        return found(*given)

    with mock.patch.object(MemoryStore, "candidates", lambda _, *given: candidates(*given)):
        ticking.run(0.3)
    assert set(asked) == {(CallOrder.MIX, 20)}


def test_a_changed_frequency_acts_at_once(ticking: Ticking) -> None:
    ticking.change(frequency=6)
    ticking.contacts(100)
    ticking.run(3)
    assert len(ticking.sent) == 1
    ticking.change(frequency=600)
    ticking.run(1)
    assert 8 <= len(ticking.sent) <= 12


@pytest.mark.parametrize("status", [CampaignStatus.PAUSE, CampaignStatus.ABORT, CampaignStatus.END])
def test_only_a_started_campaign_calls(ticking: Ticking, status: CampaignStatus) -> None:
    ticking.contacts(10)
    ticking.change(status=status)
    ticking.run(1)
    assert ticking.sent == []


def test_no_call_is_made_outside_the_hours(ticking: Ticking) -> None:
    ticking.contacts(10)
    ticking.change(daily_start=time(13, 0), daily_stop=time(14, 0))
    ticking.run(1)
    assert ticking.sent == []
    assert "13:00" in why_idle(ticking)


def test_no_call_is_made_after_the_expiry(ticking: Ticking) -> None:
    ticking.contacts(100)
    ticking.change(expires_at=START + timedelta(seconds=2))
    ticking.run(6)
    assert ticking.sent
    assert max(at for at, _ in ticking.sent) < 2


@pytest.mark.parametrize("stop", [time(12, 0, 2), time(12, 0, 3)])
def test_no_call_is_made_after_the_end_of_the_day_and_none_is_lost(ticking: Ticking, stop: time) -> None:
    ticking.contacts(100)
    ticking.change(daily_start=time(9, 0), daily_stop=stop)
    ticking.run(6)
    assert stop.second - 0.2 < max(at for at, _ in ticking.sent) < stop.second
    assert len(ticking.store.finishes) == 0  # nothing was begun that could not be sent
    assert sum(row.status is SubscriberStatus.START for row in ticking.store.rows.values()) == 100 - len(ticking.sent)


def test_hours_that_are_shortened_end_for_calls_that_were_begun_before(ticking: Ticking) -> None:
    ticking.change(frequency=600)
    ticking.contacts(10)
    ticking.run(0.05)
    begun = len(ticking.lifecycle.register)
    ticking.change(daily_start=time(9, 0), daily_stop=time(12, 0))
    ticking.lifecycle.use_rules(ticking.store.campaigns.values())
    ticking.run(1)
    assert len(ticking.sent) < begun
    assert all(end.outcome.cause == OwnCause.NOT_SENT for end in ticking.store.finishes)


def test_a_gateways_limit_holds_for_calls_on_their_way_too(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, maximum_call=3)
    ticking.contacts(50)
    ticking.run(3)
    assert len(ticking.sent) == 3
    ticking.hang_up("call-1", "USER_BUSY")
    ticking.run(1)
    assert len(ticking.sent) == 4


def test_a_campaigns_own_limit_holds(ticking: Ticking) -> None:
    ticking.change(max_concurrent=2)
    ticking.contacts(50)
    ticking.run(3)
    assert len(ticking.sent) == 2


def test_an_inactive_gateway_is_not_used_and_the_reason_is_told(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, status=GatewayStatus.INACTIVE)
    ticking.contacts(10)
    ticking.run(1)
    assert ticking.sent == []
    assert "inactive" in why_idle(ticking)


def test_the_failover_gateway_takes_what_the_first_cannot(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, maximum_call=1, failover_id=2)
    ticking.store.gateways[2] = Gateway(id=2, name="spare", dial_string="sofia/gateway/spare/{number}", addprefix="00")
    ticking.contacts(10)
    ticking.run(1)
    assert ticking.switch.submitted[0].dial_string.startswith("sofia/gateway/carrier/1555")
    assert ticking.switch.submitted[1].dial_string.startswith("sofia/gateway/spare/001555")


def test_a_gateway_with_carrier_faults_is_spared_for_a_while(ticking: Ticking) -> None:
    ticking.contacts(200)
    ticking.run(0.5)
    for index in range(1, len(ticking.sent) + 1):
        ticking.hang_up(f"call-{index}", "NORMAL_TEMPORARY_FAILURE", sip_status=503)
    before = len(ticking.sent)
    ticking.run(0.7)
    assert len(ticking.sent) - before <= 3  # what was already on its way
    ticking.run(2)
    assert len(ticking.sent) > before
    ticking.tell(f"call-{len(ticking.sent)}", SignalKind.RANG)
    ticking.run(1)
    assert len(ticking.sent) > before + 5


def test_nothing_is_begun_while_the_switch_is_away(ticking: Ticking) -> None:
    ticking.switch.ready = False
    ticking.contacts(10)
    ticking.run(2)
    assert ticking.store.open == {}


def test_the_switchs_room_bounds_what_is_begun(ticking: Ticking) -> None:
    ticking.switch.free = 2
    ticking.contacts(10)
    ticking.run(0.1)
    assert ticking.lifecycle.register.unsent <= 2


def test_an_emergency_number_is_never_dialled(ticking: Ticking) -> None:
    ticking.store.add(CAMPAIGN, "112", ticking.now())
    ticking.contacts(1)
    ticking.run(1)
    assert [number for _, number in ticking.sent] == ["15550000001"]
    assert ticking.store.rows[1].status is SubscriberStatus.NOT_AUTHORISED


def test_an_emergency_number_made_by_a_prefix_is_never_dialled(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, removeprefix="00")
    ticking.store.add(CAMPAIGN, "00112", ticking.now())
    ticking.run(1)
    assert ticking.sent == []


@pytest.mark.parametrize(("caller_id", "allowed"), [("117", ""), ("4930999", "4930555")])
def test_a_campaign_whose_caller_id_may_not_be_shown_any_more_makes_no_calls(
    ticking: Ticking, caller_id: str, allowed: str
) -> None:
    refused = evolve(CAMPAIGN, caller_id=caller_id)
    ticking.store.campaigns[CAMPAIGN.id] = refused
    ticking.store.caller_ids[CAMPAIGN.id] = allowed
    ticking.contacts(3, refused)
    with capture_logs() as lines:
        ticking.run(1)
    assert ticking.sent == []
    assert [line["campaign"] for line in lines if "caller id" in line["event"]] == [CAMPAIGN.name]
    reason = ticking.scheduler.explain(refused)
    assert reason is not None
    assert (reason.code, caller_id in reason.text) == ("caller-id", True)
    ticking.store.campaigns[CAMPAIGN.id] = evolve(CAMPAIGN, caller_id="4930555")
    ticking.run(2)
    assert len(ticking.sent) == 3


def test_a_campaign_whose_stored_caller_name_the_switch_would_decode_makes_no_calls_and_says_so(ticking: Ticking) -> None:
    refused = evolve(CAMPAIGN, caller_name="50% apples")
    ticking.store.campaigns[CAMPAIGN.id] = refused
    ticking.contacts(3, refused)
    ticking.run(2)
    assert (ticking.sent, ticking.store.log) == ([], []), "no attempt is begun"
    reason = ticking.scheduler.explain(refused)
    assert reason is not None
    assert (reason.code, "50% apples" in reason.text, "'% a'" in reason.text) == ("caller-id", True, True)
    ticking.store.campaigns[CAMPAIGN.id] = evolve(CAMPAIGN, caller_name="50 % of apples")
    ticking.run(2)
    assert len(ticking.sent) == 3


def test_no_calls_are_made_through_a_gateway_that_shows_an_emergency_number(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, addparameter="sip_from_user=117")
    ticking.contacts(2)
    ticking.run(1)
    assert ticking.sent == []


def test_second_legs_leave_less_room_for_calls(ticking: Ticking) -> None:
    ticking.store.gateways[1] = gateway = evolve(GATEWAY, maximum_call=2)
    ticking.contacts(1)
    ticking.run(0.05)
    (live,) = ticking.lifecycle.register
    legs = ticking.scheduler.second_legs
    waits = Deferred.fromCoroutine(legs.begin(live.attempt.call_uuid, gateway))
    ticking.contacts(5)
    ticking.run(3)
    assert waits.result == 0
    assert len(ticking.sent) == 1
    legs.end(live.attempt.call_uuid)
    ticking.run(2)
    assert len(ticking.sent) == 2


def test_second_legs_that_begin_while_a_contact_is_refused_take_no_room_from_the_calls_of_that_moment(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking.store.gateways[1] = gateway = evolve(GATEWAY, maximum_call=4)
    ticking.change(frequency=6000)
    ticking.contacts(2)
    ticking.run(0.5)
    calls = [live.attempt.call_uuid for live in ticking.lifecycle.register]
    assert len(calls) == 2
    refuse = MemoryStore.refuse

    def transfer_both(store: MemoryStore, refused: Sequence[RefusedContact], now: datetime) -> Deferred[None]:
        for call in calls:
            leg = Deferred.fromCoroutine(ticking.scheduler.second_legs.begin(call, gateway))
            leg.addErrback(lambda failure: failure.trap(BadValue))
        return refuse(store, refused, now)

    monkeypatch.setattr(MemoryStore, "refuse", transfer_both)
    ticking.store.add(CAMPAIGN, "112", ticking.now())
    ticking.contacts(1)
    ticking.run(1)
    assert ticking.lifecycle.register.gateways == {1: 4}


def test_a_contact_added_while_the_campaign_runs_is_called_within_a_second(ticking: Ticking) -> None:
    ticking.contacts(1)
    ticking.run(3)
    ticking.contacts(1)
    ticking.run(1)
    assert len(ticking.sent) == 2


def test_a_store_that_does_not_serve_stops_calls_only_for_so_long(ticking: Ticking) -> None:
    ticking.contacts(10)
    ticking.store.error = StoreError("locked")
    ticking.run(1)
    assert ticking.sent == []
    ticking.store.error = None
    ticking.run(1)
    assert ticking.sent


def test_two_campaigns_share_a_busy_switch_evenly(ticking: Ticking) -> None:
    other = evolve(CAMPAIGN, id=2, name="winter")
    ticking.contacts(300)
    ticking.contacts(300, other)
    ticking.switch.free = 1
    ticking.run(20)
    owners = Counter(int(call.dial_string[-7:]) >= 300 for call in ticking.switch.submitted)
    assert min(owners.values()) > 0.4 * sum(owners.values())


def test_a_busy_contact_is_called_again_after_the_interval_and_not_before(ticking: Ticking) -> None:
    ticking.change(interval_retry=10)
    ticking.contacts(1)
    ticking.run(0.5)
    ticking.hang_up("call-1", "USER_BUSY")
    ticking.run(9)
    assert len(ticking.sent) == 1
    ticking.run(2)
    assert len(ticking.sent) == 2


def test_a_contact_is_given_up_after_its_last_retry(ticking: Ticking) -> None:
    ticking.change(interval_retry=1, max_retry=2)
    ticking.contacts(1)
    for attempt in range(1, 4):
        ticking.run(2)
        ticking.hang_up(f"call-{attempt}", "NO_ANSWER", rang=True)
    ticking.run(5)
    assert len(ticking.sent) == 3
    assert ticking.store.rows[1].status is SubscriberStatus.FAIL


def test_stopping_ends_the_ticks(ticking: Ticking) -> None:
    ticking.contacts(50)
    ticking.run(0.5)
    ticking.scheduler.stop()
    begun = len(ticking.store.open)
    ticking.run(1)
    assert len(ticking.store.open) == begun


def test_contacts_that_come_after_a_pause_do_not_come_in_a_burst(ticking: Ticking) -> None:
    ticking.change(frequency=6000)
    ticking.contacts(1)
    ticking.run(3)
    ticking.contacts(50)
    ticking.run(1)
    later = [at for at, _ in ticking.sent[1:]]
    assert len(later) == 50
    assert later[9] - later[0] > 0.07


def test_no_call_is_begun_while_too_many_changes_wait_for_the_database(ticking: Ticking) -> None:
    ticking.contacts(100)
    ticking.run(1)
    before = len(ticking.sent)
    assert before > 0
    ticking.store.backlog = LONGEST_BACKLOG
    ticking.run(2)
    assert len(ticking.sent) <= before + 3
    assert why_idle(ticking) == f"the database is behind: {LONGEST_BACKLOG} changes wait for it"
    ticking.store.backlog = 0
    ticking.run(1)
    assert len(ticking.sent) > before + 5
    assert why_idle(ticking) == ""


def test_an_idle_campaign_says_that_the_database_does_not_serve(ticking: Ticking) -> None:
    ticking.contacts(100)
    ticking.run(0.5)
    ticking.store.error = StoreError("it is locked")
    ticking.run(1)
    assert why_idle(ticking) == "the database does not serve: it is locked"
    ticking.store.error = None
    ticking.run(0.5)
    assert why_idle(ticking) == ""


def test_a_gateway_that_other_nodes_have_filled_is_full(ticking: Ticking) -> None:
    ticking.store.gateways[1] = evolve(GATEWAY, maximum_call=5)
    ticking.store.others = Others(dialling=1, gateways={1: 5}, campaigns={1: 5})
    ticking.contacts(10)
    ticking.run(1)
    assert ticking.sent == []
    assert "is full (5 calls)" in why_idle(ticking)


def test_the_calls_of_another_node_are_waited_for_as_if_they_were_our_own(ticking: Ticking) -> None:
    ticking.store.others = Others(dialling=1)
    ticking.change(frequency=60, next_call_at=START + timedelta(seconds=0.8))
    ticking.contacts(10)
    ticking.run(1)
    assert [round(after, 1) for after, _ in ticking.sent] == [0.8]


@pytest.mark.parametrize("status", [CampaignStatus.PAUSE, CampaignStatus.END, CampaignStatus.ABORT])
def test_a_campaign_that_was_stopped_elsewhere_gives_back_what_was_not_sent(ticking: Ticking, status: CampaignStatus) -> None:
    ticking.contacts(100)
    ticking.run(1)
    begun = len(ticking.store.open)
    assert begun > len(ticking.sent)
    ticking.change(status=status)
    ticking.run(0.15)
    sent = len(ticking.sent)
    ticking.run(1)
    assert len(ticking.sent) == sent
    assert ticking.lifecycle.register.unsent == 0
    assert len(ticking.store.open) == sent


def test_the_calls_of_a_campaign_that_was_aborted_elsewhere_are_hung_up_once(ticking: Ticking) -> None:
    ticking.contacts(3)
    ticking.run(1)
    calls = sorted(ticking.lifecycle.register.calls)
    for uuid in calls:
        ticking.switch.channels[uuid] = LiveChannel(call_uuid=uuid, account_code="dialer-test", answered=True)
    ticking.change(status=CampaignStatus.ABORT)
    ticking.run(1)
    assert sorted(ticking.switch.killed) == calls
    ticking.run(1)
    assert len(ticking.switch.killed) == len(calls)


def test_the_calls_of_a_campaign_that_was_paused_elsewhere_go_on(ticking: Ticking) -> None:
    ticking.contacts(3)
    ticking.run(1)
    ticking.change(status=CampaignStatus.PAUSE)
    ticking.run(1)
    assert ticking.switch.killed == []


def test_a_finished_campaign_is_told_of_once(ticking: Ticking) -> None:
    ticking.contacts(2)
    with capture_logs() as lines:
        ticking.run(2)
        ticking.hang_up("call-1", "UNALLOCATED_NUMBER")
        ticking.run(2)
        told_early = [line for line in lines if line["event"] == "campaign finished"]
        ticking.hang_up("call-2", "UNALLOCATED_NUMBER")
        ticking.run(20)
    assert told_early == []
    [line] = [line for line in lines if line["event"] == "campaign finished"]
    assert (line["log_level"], line["campaign"], line["id"]) == ("info", CAMPAIGN.name, CAMPAIGN.id)
    assert line["fail"] == 2
    assert ticking.store.progress_asked == 1


def test_a_campaign_that_goes_on_and_finishes_again_is_told_of_again(ticking: Ticking) -> None:
    with capture_logs() as lines:
        for number in (1, 2):
            ticking.contacts(1)
            ticking.run(2)
            ticking.hang_up(f"call-{number}", "UNALLOCATED_NUMBER")
            ticking.run(2)
    assert len([line for line in lines if line["event"] == "campaign finished"]) == 2


def test_a_campaign_whose_contacts_wait_is_not_finished_and_its_store_is_left_alone(ticking: Ticking) -> None:
    ticking.contacts(1)
    ticking.change(max_retry=3, interval_retry=3600)
    with capture_logs() as lines:
        ticking.run(1)
        ticking.hang_up("call-1", "USER_BUSY")
        ticking.run(60, step=0.1)
    assert not [line for line in lines if line["event"] == "campaign finished"]
    assert ticking.store.progress_asked == 1


def test_a_campaign_that_finishes_after_its_hours_is_told_of(ticking: Ticking) -> None:
    ticking.contacts(1)
    ticking.change(expires_at=START + timedelta(seconds=2))
    with capture_logs() as lines:
        ticking.run(3)
        ticking.hang_up("call-1", "UNALLOCATED_NUMBER")
        ticking.run(1)
    assert [line["id"] for line in lines if line["event"] == "campaign finished"] == [CAMPAIGN.id]


def test_a_campaign_that_was_finished_before_is_not_told_of(ticking: Ticking) -> None:
    ticking.change()
    with capture_logs() as lines:
        ticking.run(5)
    assert lines == []
