"""Several switches, on doubles and a stepped clock: which gets a call, and what the death of one means for the others."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred

from dialer.calls.corrections import Correction
from dialer.calls.fleet import Capacity, Fleet, FleetMember
from dialer.errors import BadValue
from dialer.gateways import Backoff
from dialer.model import AttemptState, Gateway, IdleCode, LiveChannel, Origination, OwnCause, SignalKind
from dialer.rules.book import RuleBook
from tests.fakes.flow import CAMPAIGN, GATEWAY
from tests.fakes.switch import MemorySwitch
from tests.flow.test_scheduler import Ticking, why_idle
from tests.flow.test_sweeper import LONG_RING

SPARE = evolve(GATEWAY, id=2, name="spare", dial_string="sofia/gateway/spare/{number}")


@define(eq=False)
class Two(Ticking):
    """A dialer with the switches `a` and `b`; each call rings at once and lives on its switch until the test says more."""

    a: MemorySwitch = field(factory=lambda: MemorySwitch(name="a", identity="a", core_uuid="core-a"))
    b: MemorySwitch = field(factory=lambda: MemorySwitch(name="b", identity="b", core_uuid="core-b"))
    only: dict[str, frozenset[str]] = field(factory=dict)
    most: dict[str, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for switch in (self.a, self.b):
            switch.on_submit = self.ring

    def new_fleet(self) -> Fleet:
        return Fleet(
            [
                FleetMember(
                    switch=switch,
                    gateways=self.only.get(switch.identity, frozenset()),
                    max_calls=self.most.get(switch.identity, 0),
                )
                for switch in (self.a, self.b)
            ]
        )

    def ring(self, call: Origination) -> None:
        self.note(call)
        on = self.a if call in self.a.submitted else self.b
        on.channels[call.call_uuid] = LiveChannel(call_uuid=call.call_uuid, account_code="dialer-test", answered=False)
        self.clock.callLater(0, self.tell, call.call_uuid, SignalKind.RANG)

    def lose(self, switch: MemorySwitch) -> None:
        switch.ready = False
        self.lifecycle.switch_down(switch, "connection lost")

    def regain(self, switch: MemorySwitch) -> None:
        switch.ready = True
        self.lifecycle.switch_up(switch)

    def restart(self) -> None:
        """Kill the process, and start another on the same database that is connected to both."""
        for call in self.clock.getDelayedCalls():
            call.cancel()
        self.lifecycle = self.new_lifecycle()
        self.lifecycle.take_over(self.store.open.values())
        for switch in (self.a, self.b):
            self.lifecycle.switch_up(switch)

    def on(self, switch: MemorySwitch) -> list[str]:
        return [call.call_uuid for call in switch.submitted]

    def states(self, switch: MemorySwitch) -> Counter[AttemptState | None]:
        return Counter(self.lifecycle.register.state_of(uuid) for uuid in self.on(switch))


@pytest.fixture
def two() -> Two:
    two = Two()
    two.contacts(200)
    return two


def limited(**rules: dict[str, object]) -> Two:
    two = Two(**rules)
    two.contacts(200)
    return two


def left_by(two: Two, switch: str, **known: object) -> str:
    """A call that an earlier process has left open on a switch of that name."""
    plan = two.plan()
    two.begin(evolve(plan, switch="a"))
    begun = two.store.open[plan.call_uuid]
    two.store.open[plan.call_uuid] = evolve(begun, plan=evolve(begun.plan, switch=switch), **known)
    return plan.call_uuid


# --- which one --------------------------------------------------------------------------------------------------------------


def test_equal_switches_get_equal_shares(two: Two) -> None:
    two.run(5)
    assert abs(len(two.on(two.a)) - len(two.on(two.b))) <= 1
    assert 48 <= len(two.sent) <= 51


def test_a_switch_that_is_meant_for_more_gets_more(two: Two) -> None:
    two.a.calls_per_second = 75.0
    two.run(8)
    assert 2.5 < len(two.on(two.a)) / len(two.on(two.b)) < 3.5


def test_no_switch_gets_more_calls_at_a_time_than_it_may_have() -> None:
    two = limited(most={"a": 5, "b": 12})
    two.run(10)
    assert (len(two.on(two.a)), len(two.on(two.b))) == (5, 12)
    two.hang_up(two.on(two.a)[0])
    two.run(1)
    assert len(two.on(two.a)) == 6


def transferred(two: Two, call_uuid: str, gateway: Gateway = GATEWAY) -> str:
    """Begin a second leg of a call, and say why it is not dialled; "" when it may be at once."""
    begun = Deferred.fromCoroutine(two.scheduler.second_legs.begin(call_uuid, gateway))
    begun.addErrback(lambda failure: str(failure.trap(BadValue) and failure.value))
    return begun.result or ""


def test_a_switch_that_has_as_many_calls_as_it_may_have_dials_no_second_leg_through_any_gateway() -> None:
    two = Two(most={"a": 3, "b": 3})
    two.contacts(4)
    two.run(3)
    (first, second), (third, _) = two.on(two.a), two.on(two.b)
    assert transferred(two, first) == ""
    for gateway in (GATEWAY, SPARE):
        assert transferred(two, second, gateway) == "transfer: switch a is full: it takes 3 calls at a time"
    assert transferred(two, third) == ""
    assert two.store.second_legs.keys() == {first, third}
    assert transferred(two, first, SPARE) == "", "it takes the place of the one before"
    two.scheduler.second_legs.end(first)
    assert transferred(two, second) == ""


def test_no_second_leg_is_dialled_through_a_gateway_that_the_switch_of_the_call_has_not() -> None:
    two = limited(only={"a": frozenset({"carrier"}), "b": frozenset({"spare"})})
    two.run(1)
    refusal = transferred(two, two.on(two.a)[0], SPARE)
    assert refusal == "transfer: gateway spare is not one of the switch that has the call"


def test_a_switch_that_has_no_room_leaves_the_calls_to_the_other(two: Two) -> None:
    two.a.free = 0
    two.run(3)
    assert two.on(two.a) == []
    assert len(two.on(two.b)) >= 28


def test_calls_go_to_the_switch_that_has_their_gateway() -> None:
    two = limited(only={"a": frozenset({"spare"}), "b": frozenset({"carrier"})})
    two.run(2)
    assert two.on(two.a) == []
    assert len(two.on(two.b)) >= 18


def test_a_gateway_whose_switch_is_away_is_stood_in_for_by_its_failover() -> None:
    two = limited(only={"a": frozenset({"carrier"}), "b": frozenset({"spare"})})
    two.store.gateways |= {1: evolve(GATEWAY, failover_id=2), 2: SPARE}
    two.run(1)
    two.lose(two.a)
    before = len(two.on(two.b))
    two.run(1)
    assert before == 0
    assert {call.dial_string.split("/")[2] for call in two.b.submitted} == {"spare"}


def test_why_nobody_is_called_is_told_when_no_switch_there_has_the_gateway() -> None:
    two = limited(only={"a": frozenset({"carrier"}), "b": frozenset({"spare"})})
    two.a.ready = False
    two.run(0.5)
    assert why_idle(two) == "gateway carrier is on none of the switches that are connected and take calls"
    reason = two.scheduler.explain(CAMPAIGN)
    assert reason is not None
    assert reason.code is IdleCode.GATEWAY_UNREACHABLE


def test_a_gateway_that_fails_on_one_switch_is_called_through_the_other_only(two: Two) -> None:
    def fail(call: Origination) -> None:
        two.note(call)
        two.clock.callLater(0.01, two.hang_up, call.call_uuid, "GATEWAY_DOWN")

    two.a.on_submit = fail
    two.run(1)
    failed = len(two.on(two.a))
    two.run(10)
    assert len(two.on(two.a)) - failed <= 12  # it is tried again after growing pauses
    assert len(two.on(two.b)) >= 80
    assert why_idle(two) == ""


def test_a_full_switch_is_backed_off_from_and_the_other_goes_on(two: Two) -> None:
    def refuse(call: Origination) -> None:
        two.note(call)
        two.clock.callLater(0.01, two.tell, call.call_uuid, SignalKind.JOB_FAILED, "DESTINATION_OUT_OF_ORDER")

    two.a.on_submit = refuse
    two.run(10)
    assert len(two.on(two.a)) < 40
    assert len(two.on(two.b)) >= 60
    assert why_idle(two) == ""


# --- one dies -----------------------------------------------------------------------------------------------------------


def test_the_calls_of_the_others_are_untouched_when_one_switch_dies(two: Two) -> None:
    two.run(3)
    two.lose(two.a)
    assert two.states(two.b) == {AttemptState.RINGING: len(two.on(two.b))}
    assert AttemptState.RINGING not in two.states(two.a)
    assert [call for call in two.finished if call.outcome.cause != OwnCause.NOT_SENT] == []


def test_who_was_to_be_called_through_a_dead_switch_is_called_through_another(two: Two) -> None:
    plans = [evolve(two.plan(f"1666{number}", after=1), switch="a", call_uuid=f"a-{number}") for number in range(5)]
    two.begin(*plans)
    kept = evolve(two.plan("16669", after=1), switch="b", call_uuid="b-9")
    two.begin(kept)
    two.lose(two.a)
    assert two.lifecycle.register.calls == {"b-9"}
    assert Counter(end.outcome.cause for end in two.finished) == {OwnCause.NOT_SENT: 5}
    two.run(25)
    assert not two.on(two.a)
    assert max(Counter(number for _, number in two.sent).values()) == 1
    assert {f"1666{number}" for number in range(5)} <= {number for _, number in two.sent}


def test_nobody_is_called_twice_and_nobody_is_lost_when_one_of_two_dies_and_comes_back(two: Two) -> None:
    two.run(4)
    two.lose(two.a)
    died = two.on(two.a)
    two.run(4)
    two.a.channels.clear()
    two.a.core_uuid = "core-a2"
    two.regain(two.a)
    two.run(14)
    lost = [end.attempt.call_uuid for end in two.finished if end.outcome.cause == OwnCause.LOST_SWITCH]
    assert sorted(lost) == sorted(died)
    for uuid in [*two.on(two.b), *set(two.on(two.a)).difference(died)]:
        two.hang_up(uuid)
    two.run(1)
    assert two.lifecycle.register.calls == set()
    assert max(Counter(number for _, number in two.sent).values()) == 1
    assert len(two.sent) == len({number for _, number in two.sent}) == 200


def test_the_list_of_one_switch_says_nothing_about_the_calls_of_another(two: Two) -> None:
    two.run(2)
    two.lose(two.a)
    two.lose(two.b)
    two.regain(two.b)
    two.run(60, step=0.5)
    here = set(two.on(two.a))
    assert not here.intersection(end.attempt.call_uuid for end in two.finished if end.outcome.cause != OwnCause.NOT_SENT)
    assert not here.intersection(two.b.asked)
    assert not here.intersection(two.b.killed)
    two.regain(two.a)
    two.run(0.1)
    assert two.states(two.a)[AttemptState.RINGING] == len(two.a.channels)


def test_channels_that_nobody_knows_are_hung_up_where_they_are(two: Two) -> None:
    two.b.channels["stray"] = LiveChannel(call_uuid="stray", account_code="dialer-test", answered=True)
    two.regain(two.a)
    two.regain(two.b)
    two.clock.pump([1.0] * 13)
    assert (two.a.killed, two.b.killed) == ([], ["stray"])


def test_a_restarted_dialer_asks_each_switch_for_its_own_calls(two: Two) -> None:
    two.run(2)
    before = [{uuid for uuid, open in two.store.open.items() if open.plan.switch == name} for name in "ab"]
    gone = two.on(two.a)[0]
    del two.a.channels[gone]
    two.restart()
    two.clock.pump([1.0] * 25)
    assert gone in [end.attempt.call_uuid for end in two.finished]
    assert {end.attempt.call_uuid for end in two.finished}.isdisjoint({*two.a.channels, *two.b.channels})
    assert set(two.a.asked) <= before[0]
    assert set(two.b.asked) <= before[1]


def test_a_switch_with_a_new_name_is_known_by_its_process(two: Two) -> None:
    uuid = left_by(two, "fs1:8021", core_uuid="core-b")
    two.b.channels[uuid] = LiveChannel(call_uuid=uuid, account_code="dialer-test", answered=True)
    two.restart()
    two.clock.advance(0)
    assert two.lifecycle.register.state_of(uuid) is AttemptState.ANSWERED


def test_all_calls_of_a_campaign_are_hung_up_on_their_switches_also_when_one_is_away(two: Two) -> None:
    two.run(2)
    two.lose(two.a)
    Deferred.fromCoroutine(two.lifecycle.hang_up_all(CAMPAIGN.id))
    two.clock.advance(0)
    assert sorted(two.b.killed) == sorted(two.on(two.b))
    assert two.a.killed == []


# --- one stays away -----------------------------------------------------------------------------------------------------


def longest(two: Two) -> float:
    """Seconds from the begin of a call that is sent at once until it can last no longer."""
    recovery = two.lifecycle.settings.recovery
    return recovery.originate_window + CAMPAIGN.call_timeout + CAMPAIGN.call_max_duration + recovery.grace


def away(two: Two) -> list[str]:
    """The calls of a switch that is gone for good."""
    two.lifecycle.watchers.start()
    two.run(1)
    two.change(frequency=1)
    two.lose(two.a)
    return [uuid for uuid in two.on(two.a) if two.lifecycle.register.find(uuid) is not None]


def ended_unknown(two: Two) -> list[str]:
    return [end.attempt.call_uuid for end in two.finished if end.outcome.cause == OwnCause.UNKNOWN]


def test_calls_of_a_switch_that_stays_away_end_when_they_can_last_no_longer(two: Two) -> None:
    calls = away(two)
    two.run(longest(two) - 2, step=0.5)
    assert ended_unknown(two) == []
    two.run(14, step=0.5)
    assert sorted(ended_unknown(two)) == sorted(calls)
    assert two.lifecycle.corrections[Correction.LOST_AWAY] == len(calls)


def test_calls_of_a_switch_that_stays_away_may_have_rung_for_as_long_as_the_rules_ask_for(two: Two) -> None:
    two.lifecycle.rules = RuleBook((LONG_RING,))
    calls = away(two)
    two.run(longest(two) + LONG_RING.min_ring - CAMPAIGN.call_timeout - 2, step=0.5)
    assert ended_unknown(two) == []
    two.run(14, step=0.5)
    assert sorted(ended_unknown(two)) == sorted(calls)


def test_they_wait_as_long_as_there_is_no_other_switch(two: Two) -> None:
    calls = away(two)
    two.lose(two.b)
    two.run(longest(two) + 30, step=0.5)
    assert ended_unknown(two) == []
    two.regain(two.a)
    two.run(0.1)
    assert {two.lifecycle.register.state_of(uuid) for uuid in calls} == {AttemptState.RINGING}


def test_calls_of_a_switch_that_is_not_configured_any_more_end_likewise(two: Two) -> None:
    uuid = left_by(two, "gone")
    two.restart()
    two.lifecycle.watchers.start()
    two.clock.pump([1.0] * round(longest(two) + 12))
    assert ended_unknown(two) == [uuid]


# --- one is taken out ---------------------------------------------------------------------------------------------------


def test_a_gateway_backed_off_from_on_the_switch_that_is_left_says_so(two: Two) -> None:
    two.fleet.member(two.a).drain = True

    def fail(call: Origination) -> None:
        two.note(call)
        two.clock.callLater(0.01, two.hang_up, call.call_uuid, "GATEWAY_DOWN")

    two.b.on_submit = fail
    two.run(3)
    assert "is backed off from after" in why_idle(two)


def test_a_call_that_goes_through_another_gateway_instead_stays_on_its_switch_where_that_has_it() -> None:
    """Else it takes room on one that has."""
    two = Two(only={"a": frozenset({"carrier", "third"}), "b": frozenset({"spare"})}, most={"b": 1})
    third = evolve(GATEWAY, id=3, name="third")
    capacity = Capacity.of(two.fleet, two.lifecycle.register, two.now(), 0.25)
    assert capacity.take(GATEWAY) == "a"
    assert capacity.take_beside("a", third) == "a"
    assert capacity.take_beside("a", SPARE) == "b"
    assert capacity.take_beside("a", SPARE) is None


def test_a_gateway_on_trial_is_tried_with_one_call_whichever_it_would_replace() -> None:
    two = Two(only={"b": frozenset({"carrier"})})
    (a, _) = two.fleet
    a.health.gateways[SPARE.id] = Backoff(3, two.now())
    capacity = Capacity.of(two.fleet, two.lifecycle.register, two.now(), 0.25)
    assert capacity.take_beside("a", SPARE) == "a"
    assert capacity.take_beside("a", SPARE) is None
