"""Channels of ours that no attempt knows: hung up, and nothing else is."""

from __future__ import annotations

from collections.abc import Collection
from unittest import mock

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred

from dialer.calls.corrections import Correction
from dialer.errors import CommandFailed, StoreError
from dialer.model import Attempt, AttemptState
from tests.fakes.flow import Flow
from tests.fakes.store import MemoryStore
from tests.fakes.switch import MemorySwitch

GRACE = 10


@pytest.fixture
def flow() -> Flow:
    return Flow()


def pass_time(flow: Flow, seconds: float) -> None:
    flow.clock.pump([1.0] * round(seconds))


def another_dialer(flow: Flow) -> Flow:
    """On the same database and the same switch."""
    return Flow(clock=flow.clock, store=flow.store, switch=flow.switch)


def orphan_at_the_second_look(flow: Flow) -> tuple[str, Attempt]:
    """A call of another dialer whose attempt nobody finds, just before it would be hung up: its uuid, and the attempt."""
    uuid = another_dialer(flow).call()
    attempt = flow.store.open.pop(uuid)
    flow.channel(uuid)
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE - 1)
    return uuid, attempt


def test_an_orphan_call_of_ours_is_hung_up_only_after_a_second_look(flow: Flow) -> None:
    flow.channel("stray")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE - 1)
    assert flow.switch.killed == []
    pass_time(flow, 3)
    assert flow.switch.killed == ["stray"]
    assert flow.lifecycle.corrections[Correction.ORPHAN_HUNG_UP] == 1


def test_calls_of_others_and_legs_of_calls_are_left_alone(flow: Flow) -> None:
    uuid = flow.call()
    flow.channel(uuid, bonded_to=uuid)
    flow.channel("theirs", account="dialer-other")
    flow.channel("far-half", outbound=False)
    flow.channel("second-leg", bonded_to=uuid)
    flow.channel("second-leg-of-a-call-that-is-over", bonded_to="call-0")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, 3 * GRACE)
    assert flow.switch.killed == []


def test_a_channel_that_is_bonded_to_itself_is_a_call_of_its_own(flow: Flow) -> None:
    flow.channel("stray", bonded_to="stray")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE + 2)
    assert flow.switch.killed == ["stray"]


def test_the_call_of_another_dialer_on_the_same_database_is_left_alone(flow: Flow) -> None:
    other = another_dialer(flow)
    uuid = other.call()
    flow.channel(uuid)
    flow.channel("stray")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, 3 * GRACE)
    assert flow.switch.killed == ["stray"]
    other.hang_up(uuid, answered=True)
    assert [finish.attempt.call_uuid for finish in other.finished] == [uuid]


def test_a_call_whose_attempt_has_ended_goes_its_grace_counting_from_then(flow: Flow) -> None:
    other = another_dialer(flow)
    uuid = other.call()
    flow.channel(uuid)
    flow.channel("stray")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE - 2)
    other.hang_up(uuid, "NORMAL_CLEARING", answered=True)
    pass_time(flow, GRACE - 2)
    assert flow.switch.killed == ["stray"]


def test_an_orphan_whose_attempt_is_taken_over_meanwhile_is_adopted(flow: Flow) -> None:
    uuid, attempt = orphan_at_the_second_look(flow)
    flow.store.open[uuid] = attempt
    flow.lifecycle.take_over([attempt])
    pass_time(flow, 2 * GRACE)
    assert flow.switch.killed == []
    assert flow.lifecycle.register.owns(uuid)


def test_a_channel_that_goes_by_itself_is_nobodys_business(flow: Flow) -> None:
    flow.channel("stray")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE - 1)
    flow.switch.channels.clear()
    pass_time(flow, 2 * GRACE)
    assert flow.switch.killed == []


def test_a_channel_that_the_list_only_remembers_is_not_counted(flow: Flow) -> None:
    flow.channel("ghost")
    flow.switch.ghosts.add("ghost")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE + 2)
    assert flow.switch.killed == ["ghost"]
    assert flow.lifecycle.corrections[Correction.ORPHAN_HUNG_UP] == 0


def test_what_was_seen_before_the_switch_went_away_proves_nothing(flow: Flow) -> None:
    flow.channel("stray")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE - 1)
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    pass_time(flow, GRACE)
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE - 1)
    assert flow.switch.killed == []
    pass_time(flow, 3)
    assert flow.switch.killed == ["stray"]


def test_an_orphan_that_is_taken_over_while_another_one_is_hung_up_is_adopted(flow: Flow) -> None:
    other = another_dialer(flow)
    uuid = other.call()
    attempt = flow.store.open.pop(uuid)
    flow.channel("stray")
    flow.channel(uuid)
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, GRACE - 1)
    flow.switch.clock, flow.switch.round_trip = flow.clock, 0.1
    while not flow.switch.killed:
        flow.clock.advance(0.05)
    flow.lifecycle.take_over([attempt])
    pass_time(flow, 5)
    assert flow.switch.killed == ["stray"]
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}


def test_a_switch_that_would_not_list_its_channels_is_asked_again(flow: Flow) -> None:
    flow.channel("stray")
    with mock.patch.object(MemorySwitch, "live_channels", side_effect=CommandFailed("show channels", "-ERR busy")):
        flow.lifecycle.switch_up(flow.switch)
        pass_time(flow, 2)
    pass_time(flow, GRACE + 2)
    assert flow.switch.killed == ["stray"]


def test_the_database_is_asked_only_for_what_this_process_does_not_know() -> None:
    store = SilentStore()
    flow = Flow(store=store)
    uuid = flow.call()
    flow.channel(uuid)
    flow.channel("theirs", account="dialer-other")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, 2)
    assert store.asked == []


# --- the database is away ---------------------------------------------------------------------------------------------------


def test_while_the_database_does_not_answer_nothing_is_hung_up_and_the_grace_counts_from_its_first_answer(flow: Flow) -> None:
    flow.channel("stray")
    flow.store.error = StoreError("the disk is full")
    flow.lifecycle.switch_up(flow.switch)
    pass_time(flow, 3 * GRACE)
    assert flow.switch.killed == []
    flow.store.error = None
    pass_time(flow, GRACE - 1)
    assert flow.switch.killed == []
    pass_time(flow, 3)
    assert flow.switch.killed == ["stray"]


def test_a_database_that_fails_at_the_second_look_hangs_nothing_up(flow: Flow) -> None:
    uuid, attempt = orphan_at_the_second_look(flow)
    flow.store.error = StoreError("the connection was lost")
    pass_time(flow, GRACE)
    assert flow.switch.killed == []
    flow.store.error, flow.store.open[uuid] = None, attempt
    pass_time(flow, 2 * GRACE)
    assert flow.switch.killed == []


@define(eq=False)
class SilentStore(MemoryStore):
    """Does not answer who asks for calls."""

    asked: list[Deferred[set[str]]] = field(factory=list)

    def known(self, call_uuids: Collection[str]) -> Deferred[set[str]]:
        self.asked.append(Deferred())
        return self.asked[-1]


def test_adoption_does_not_wait_for_the_database() -> None:
    store = SilentStore()
    flow = Flow(store=store)
    flow.channel("stray")
    flow.lifecycle.switch_up(flow.switch)
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    uuid = flow.call()
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    flow.channel(uuid)
    flow.lifecycle.switch_up(flow.switch)
    assert flow.lifecycle.register.states() == {AttemptState.ANSWERED: 1}
    pass_time(flow, 3 * GRACE)
    assert len(store.asked) == 1
    assert flow.switch.killed == []
