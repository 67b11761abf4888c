"""A node among others: its heartbeats, its death and its return, and the calls of others that it takes over."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed

from dialer.calls.corrections import Correction
from dialer.calls.heartbeat import EVERY, UNANSWERED, Heartbeat
from dialer.calls.register import ForeignHangups
from dialer.database_clock import TOLERANCE, DatabaseClock
from dialer.errors import StoreError
from dialer.interfaces import NodeState, Pulse
from dialer.model import Attempt, AttemptState, Hangup, LiveChannel, OwnCause, SignalKind
from tests.fakes.flow import START, Flow


@define(eq=False)
class MemoryNodes:
    """What the database says to heartbeats. `silent` has it answer nothing."""

    now: object
    epoch: int = 1
    dead: list[Attempt] = field(factory=list)
    error: Exception | None = None
    silent: bool = False
    states: list[NodeState] = field(factory=list)
    asked: list[list[str]] = field(factory=list)
    interrupted: int = 0
    left: int = 0
    waiting: list[Deferred[Pulse]] = field(factory=list)

    def beat(self, state: NodeState, now: datetime) -> Deferred[Pulse]:
        if self.error:
            return fail(self.error)
        self.states.append(state)
        if self.silent:
            self.waiting.append(Deferred())
            return self.waiting[-1]
        return succeed(Pulse(epoch=self.epoch, at=now))

    def rescue(self, switches: Collection[str]) -> Deferred[list[Attempt]]:
        self.asked.append(list(switches))
        found, self.dead = self.dead, []
        return succeed(found)

    def leave(self, now: datetime) -> Deferred[None]:
        self.left += 1
        return succeed(None)

    def interrupt(self) -> None:
        self.interrupted += 1


@define(eq=False)
class Node(Flow):
    nodes: MemoryNodes = field(init=False)
    heartbeat: Heartbeat = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.lifecycle.foreign_hangups = ForeignHangups(10)
        self.nodes = MemoryNodes(self.now)
        self.heartbeat = Heartbeat(
            clock=self.clock,
            now=self.now,
            nodes=self.nodes,
            store=self.store,
            fleet=self.fleet,
            lifecycle=self.lifecycle,
            figures=lambda: {"waiting-changes": 3},
            lease=5.0,
        )
        self.lifecycle.switch_up(self.switch)
        self.heartbeat.start()

    def settle(self) -> None:
        """Beat for the time of a lease: from then on, others can be taken for dead."""
        self.clock.pump([EVERY] * 5)

    def foreign_attempt(self, number: str = "15559999", **known: object) -> Attempt:
        """An attempt that another node has begun and left open, as the database tells it."""
        plan = self.plan(number)
        attempt = Attempt(
            id=4711, plan=plan, number_of_attempt=1, planned_at=self.now(), deadline=self.now() + timedelta(seconds=10)
        )
        attempt = evolve(attempt, **known)
        self.store.open[attempt.call_uuid] = attempt
        return attempt


@pytest.fixture
def node() -> Iterator[Node]:
    here = Node()
    yield here
    here.heartbeat._loop.stop()


def test_a_node_says_every_second_what_it_is_connected_to_and_how_it_fares(node: Node) -> None:
    node.clock.pump([EVERY] * 3)
    assert len(node.nodes.states) == 4
    state = node.nodes.states[-1]
    assert (state.switches, state.ready) == ({"memory": "core-1"}, True)
    assert state.figures == {"waiting-changes": 3}


def test_a_node_goes_on_beating_when_the_database_was_away(node: Node) -> None:
    node.nodes.error = StoreError("away")
    node.clock.pump([EVERY] * 3)
    node.nodes.error = None
    node.clock.advance(EVERY)
    assert len(node.nodes.states) == 2


def test_a_heartbeat_without_an_answer_gives_the_connection_up(node: Node) -> None:
    node.nodes.silent = True
    node.clock.advance(EVERY)
    node.clock.pump([EVERY] * 4)
    assert node.nodes.interrupted == 0
    node.clock.advance(EVERY)
    assert node.nodes.interrupted == 1
    node.nodes.silent = False
    node.nodes.waiting[0].errback(StoreError("interrupted"))
    node.clock.advance(EVERY)
    assert len(node.nodes.states) == 3


def test_the_calls_of_a_dead_node_that_live_are_adopted(node: Node) -> None:
    node.settle()
    ringing, answered = node.foreign_attempt("15550001"), node.foreign_attempt("15550002")
    for attempt, is_answered in ((ringing, False), (answered, True)):
        uuid = attempt.call_uuid
        node.switch.channels[uuid] = LiveChannel(call_uuid=uuid, account_code="dialer-test", answered=is_answered)
    node.nodes.dead = [ringing, answered]
    node.clock.advance(EVERY)
    node.clock.advance(0)
    assert node.nodes.asked[-1] == ["memory"]
    assert node.lifecycle.register.states() == {AttemptState.RINGING: 1, AttemptState.ANSWERED: 1}
    assert node.lifecycle.corrections[Correction.RESCUED] == 2
    node.hang_up(answered.call_uuid)
    assert [finish.outcome.cause for finish in node.finished] == ["NORMAL_CLEARING"]


def test_an_absent_call_of_a_dead_node_ends_only_after_its_deadline_and_the_grace(node: Node) -> None:
    node.settle()
    attempt = node.foreign_attempt()
    node.nodes.dead = [attempt]
    node.clock.pump([EVERY] * 19)
    assert node.finished == []
    node.clock.pump([EVERY] * 4)
    assert [finish.outcome.cause for finish in node.finished] == [OwnCause.UNKNOWN]


def test_a_call_of_a_dead_node_whose_end_was_overheard_ends_as_it_did(node: Node) -> None:
    node.settle()
    attempt = node.foreign_attempt()
    node.tell(attempt.call_uuid, SignalKind.HUNG_UP, "USER_BUSY", Hangup(cause="USER_BUSY", q850=17, sip_status=486))
    node.nodes.dead = [attempt]
    node.clock.advance(EVERY)
    assert [finish.outcome.cause for finish in node.finished] == ["USER_BUSY"]


@pytest.mark.parametrize("how", ["error", "silent", "frozen"])
def test_after_an_outage_of_the_database_nobody_is_taken_for_dead_for_the_time_of_a_lease(node: Node, how: str) -> None:
    node.settle()
    if how == "error":
        node.nodes.error = StoreError("away")
        node.clock.pump([EVERY] * 3)
        node.nodes.error = None
        node.clock.advance(EVERY)
    elif how == "frozen":
        node.clock.advance(60)
    else:
        node.nodes.silent = True
        node.clock.pump([EVERY] * 3)
        node.nodes.silent = False
        node.nodes.waiting[0].callback(Pulse(epoch=1, at=node.now()))
    asked = len(node.nodes.asked)
    node.clock.pump([EVERY] * 4)
    assert len(node.nodes.asked) == asked
    node.clock.pump([EVERY] * 2)
    assert len(node.nodes.asked) > asked


def test_a_heartbeat_without_dead_nodes_asks_the_switch_nothing(node: Node) -> None:
    node.clock.advance(EVERY)
    asked = node.switch.lists
    node.clock.pump([EVERY] * 5)
    assert node.switch.lists == asked


def test_nobody_is_rescued_while_the_switch_is_away(node: Node) -> None:
    node.settle()
    asked = len(node.nodes.asked)
    node.switch.ready = False
    node.clock.pump([EVERY] * 3)
    assert len(node.nodes.asked) == asked


def test_a_node_that_was_taken_for_dead_forgets_what_others_have_and_keeps_the_rest(node: Node) -> None:
    lost, kept = node.call("15550001"), node.call("15550002")
    node.store.open.pop(lost)
    node.nodes.epoch = 2
    node.clock.advance(EVERY)
    assert node.lifecycle.register.calls == {kept}
    assert node.lifecycle.corrections[Correction.DISOWNED] == 1
    node.hang_up(lost)
    assert node.finished == []
    assert node.switch.killed == []


def test_a_node_that_was_taken_for_dead_takes_over_what_is_its_own_and_not_in_its_memory(node: Node) -> None:
    attempt = node.foreign_attempt()
    uuid = attempt.call_uuid
    node.switch.channels[uuid] = LiveChannel(call_uuid=uuid, account_code="dialer-test", answered=False)
    node.nodes.epoch = 2
    node.clock.advance(EVERY)
    node.clock.advance(0)
    assert node.lifecycle.register.states() == {AttemptState.RINGING: 1}


def test_the_first_heartbeat_is_no_return(node: Node) -> None:
    node.call()
    assert node.lifecycle.corrections[Correction.DISOWNED] == 0


def test_a_node_that_stops_says_so(node: Node) -> None:
    stopped: list[None] = []
    Deferred.fromCoroutine(node.heartbeat.stop()).addCallback(stopped.append)
    assert (stopped, node.nodes.left) == ([None], 1)
    node.clock.pump([EVERY] * 3)
    assert len(node.nodes.states) == 1


# --- the clock of the database ----------------------------------------------------------------------------------------------


def test_a_clock_that_is_wrong_follows_that_of_the_database() -> None:
    clock = DatabaseClock(lambda: START)
    clock.learn(START, START + timedelta(seconds=90), START)
    assert clock.now() == START + timedelta(seconds=90)
    clock.learn(clock.now(), clock.now() - timedelta(seconds=30), clock.now())
    assert clock.now() == START + timedelta(seconds=60)


def test_a_difference_that_the_asking_itself_explains_is_none() -> None:
    clock = DatabaseClock(lambda: START)
    clock.learn(START, START + timedelta(seconds=3), START + timedelta(seconds=4))
    clock.learn(START, START + TOLERANCE, START)
    assert clock.now() == START


def test_the_database_has_answered_once_a_heartbeat_has(node: Node) -> None:
    assert node.heartbeat.answered
    node.nodes.error = StoreError("away")
    node.clock.advance(EVERY)
    node.settle()
    assert not node.heartbeat.answered
    node.nodes.error = None
    node.clock.advance(EVERY)
    node.settle()
    assert node.heartbeat.answered


def test_a_database_that_is_silent_for_a_while_has_not_answered(node: Node) -> None:
    node.nodes.silent = True
    node.clock.advance(EVERY)
    assert node.heartbeat.answered
    node.clock.advance(UNANSWERED)
    assert not node.heartbeat.answered
