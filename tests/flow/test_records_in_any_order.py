"""Records beside events, a recovery that gives up, processes that die and a database that is away: in any order, any number of
times, the attempt ends once, and with its real cause when a record tells it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dialer.calls.cdr_reconciler import CdrReconciler
from dialer.calls.corrections import Correction
from dialer.calls.fleet import Fleet
from dialer.calls.flow_settings import FlowSettings
from dialer.calls.lifecycle import Lifecycle
from dialer.cdr import DetailRecord, read_record
from dialer.errors import StoreError
from dialer.model import (
    AttemptState,
    Disposition,
    EventKind,
    LiveChannel,
    OwnCause,
    Plan,
    Signal,
    SignalKind,
    SubscriberStatus,
    UnknownPolicy,
)
from dialer.store.connection import SqliteConnection
from dialer.store.corrections import Corrections
from dialer.store.flow import Store
from tests.crash.scenarios import START, Scenario
from tests.crash.template import database_for
from tests.fakes.database import ClockedDatabase, Rows
from tests.fakes.flow import nothing
from tests.fakes.switch import MemorySwitch
from tests.unit.cdr.bodies import record

UUID = "call-1"
ACCOUNT = "dialer-test"


@frozen
class Fate:
    """What the callee does, as FreeSWITCH recorded it, and what follows from it for the contact."""

    name: str
    disposition: Disposition
    becomes: SubscriberStatus

    @property
    def told(self) -> DetailRecord:
        return read_record(record(UUID, self.name, account=ACCOUNT))


FATES = (
    Fate("answered.json", Disposition.ANSWERED, SubscriberStatus.COMPLETE),
    Fate("busy.json", Disposition.BUSY, SubscriberStatus.START),
    Fate("no-answer.json", Disposition.NO_ANSWER, SubscriberStatus.START),
    Fate("not-found.json", Disposition.INVALID_NUMBER, SubscriberStatus.FAIL),
)

ANY_TIME = ("lost", "back", "killed", "away", "serves", "instant", "moment", "long")
DURING = (*ANY_TIME, "rang", "answered")
AFTER = (*DURING, "event", "job", "record", "record", "restarted")


@define(eq=False)
class Story:
    """One call, from its attempt on. Each method is something that may happen."""

    rows: Rows
    fate: Fate
    clock: Clock = field(factory=Clock)
    switch: MemorySwitch = field(factory=MemorySwitch)
    record_taken: bool = False
    connected: bool = True
    finished: list[str] = field(factory=list)
    database: ClockedDatabase = field(init=False)
    lifecycle: Lifecycle = field(init=False)
    cdr_reconciler: CdrReconciler = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._start()
        self.lifecycle.switch_up(self.switch)
        store = self.lifecycle.store
        [snapshot, [candidate]] = [self._now(store.snapshot()), self._now(store.candidates(1, self.now(), 1))]
        plan = Plan(
            call_uuid=UUID,
            candidate=candidate,
            campaign=snapshot.campaigns[0],
            gateway=snapshot.gateways[1],
            dial_string="loopback/1",
            due_at=self.now(),
        )
        self._now(Deferred.fromCoroutine(self.lifecycle.begin([plan])))
        self.clock.advance(0)
        self.switch.channels[UUID] = LiveChannel(call_uuid=UUID, account_code=ACCOUNT, answered=False)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def _start(self) -> None:
        self.database = ClockedDatabase(self.rows, self.clock)
        database: Any = self.database
        self.lifecycle = Lifecycle(
            clock=self.clock,
            now=self.now,
            store=Store(database, self.clock, node="here", wanted=frozenset(EventKind)),
            fleet=Fleet.of_one(self.switch),
            settings=FlowSettings(installation="test", outbound="127.0.0.1:8084"),
            application=nothing,
            finished=lambda finish: self.finished.append(finish.attempt.call_uuid),
        )
        self.cdr_reconciler = CdrReconciler(
            now=self.now,
            account_code=ACCOUNT,
            store=Corrections(database),
            register=self.lifecycle.register,
            tell=self.lifecycle.signal_received,
            corrections=self.lifecycle.corrections,
        )
        self.lifecycle.watchers.start()

    def _now(self, deferred: Deferred[Any]) -> Any:
        results: list[Any] = []
        deferred.addBoth(results.append)
        for _ in range(10):
            self.clock.advance(0.001)
        return results[0]

    # --- the switch -------------------------------------------------------------------------------------------------------

    def over(self) -> None:
        self.switch.channels.clear()

    def _hear(self, signal: Signal) -> None:
        if self.connected:
            self.lifecycle.signal_received(signal)

    def rang(self) -> None:
        if self.fate.told.hung_up.hangup.rang:
            self._hear(Signal(kind=SignalKind.RANG, call_uuid=UUID, at=self.now()))

    def answered(self) -> None:
        if self.fate.told.hung_up.hangup.answered:
            self.switch.channels = {key: evolve(channel, answered=True) for key, channel in self.switch.channels.items()}
            self._hear(Signal(kind=SignalKind.ANSWERED, call_uuid=UUID, at=self.now()))

    def job(self) -> None:
        hung_up = self.fate.told.hung_up
        kind = SignalKind.JOB_SUCCEEDED if hung_up.hangup.answered else SignalKind.JOB_FAILED
        self._hear(Signal(kind=kind, call_uuid=UUID, at=self.now(), cause=hung_up.cause))

    def event(self) -> None:
        self._hear(evolve(self.fate.told.hung_up, at=self.now()))

    def record(self) -> None:
        taken = Deferred.fromCoroutine(self.cdr_reconciler.take(self.fate.told))
        taken.addCallbacks(self._taken, lambda failure: failure.trap(StoreError) and None)

    def _taken(self, _: object) -> None:
        self.record_taken = True

    def lost(self) -> None:
        if self.connected:
            self.connected = self.switch.ready = False
            self.lifecycle.switch_down(self.switch, "connection lost")

    def back(self) -> None:
        if not self.connected:
            self.connected = self.switch.ready = True
            self.lifecycle.switch_up(self.switch)

    def restarted(self) -> None:
        self.lost()
        self.switch.core_uuid += "+"
        self.back()

    # --- the machine ------------------------------------------------------------------------------------------------------

    def killed(self) -> None:
        self.database.alive = False
        self.clock.calls = [call for call in self.clock.calls if call.func == self.database._tell]
        self._start()
        self.connected = self.switch.ready = False
        self.rows.away = False
        found = self.lifecycle.store.open_attempts()
        found.addCallback(self.lifecycle.take_over)
        for _ in range(10):
            self.clock.advance(0.001)
        self.back()

    def away(self) -> None:
        self.rows.away = True

    def serves(self) -> None:
        self.rows.away = False

    # --- time -------------------------------------------------------------------------------------------------------------

    def instant(self) -> None:
        self.clock.advance(0.001)

    def moment(self) -> None:
        self.clock.pump([0.1] * 11)

    def long(self) -> None:
        self.clock.pump([0.5] * 60)

    def settle(self) -> None:
        self.serves()
        self.back()
        self.clock.pump([1.0] * 150)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[UnknownPolicy, sqlite3.Connection]]:
    """A campaign of one contact for each policy."""
    folder: Path = tmp_path_factory.mktemp("records")
    found = {}
    for policy in UnknownPolicy:
        scenario = Scenario(name=str(policy), callees=("answers",), policy=policy)
        found[policy] = sqlite3.connect(database_for(scenario, folder), factory=SqliteConnection)
    yield found
    for connection in found.values():
        connection.close()


LONELY = ["lost", "long", "back", "long"]


@settings(max_examples=400)
@given(
    st.sampled_from(FATES),
    st.sampled_from(UnknownPolicy),
    st.lists(st.sampled_from(DURING), max_size=6),
    st.lists(st.sampled_from(AFTER), max_size=10),
)
@example(FATES[0], UnknownPolicy.RETRY, [], [*LONELY, "record", "record", "moment", "event"])
@example(FATES[0], UnknownPolicy.NEVER, ["rang", "lost"], ["long", "back", "instant", "record"])
@example(FATES[1], UnknownPolicy.RETRY, ["lost"], ["long", "away", "back", "instant", "serves", "record", "moment"])
@example(FATES[0], UnknownPolicy.RETRY, [], ["job"])
@example(FATES[0], UnknownPolicy.RETRY, ["rang"], ["restarted", "instant", "record"])
@example(FATES[3], UnknownPolicy.RETRY, [], ["job", "record", "moment", "killed", "event", "record"])
def test_the_attempt_ends_once_and_as_a_record_tells(
    templates: dict[UnknownPolicy, sqlite3.Connection],
    fate: Fate,
    policy: UnknownPolicy,
    before: list[str],
    after: list[str],
) -> None:
    story = Story(Rows.copy_of(templates[policy]), fate)
    with closing(story.rows.connection):
        for what in before:
            getattr(story, what)()
        story.over()
        for what in after:
            getattr(story, what)()
        story.settle()
        judge(story)


def judge(story: Story) -> None:
    fate, rows = story.fate, story.rows
    [(state, cause, disposition, counts, answered_at)] = rows.sql(
        "SELECT state, cause, disposition, counts_as_attempt, answered_at FROM attempt"
    )
    [(status, ready_at, count)] = rows.sql("SELECT status, ready_at, count_attempt FROM subscriber")
    assert (state, len(story.lifecycle.register)) == (AttemptState.ENDED, 0)
    assert rows.sql("SELECT count(*) FROM event WHERE kind = 'attempt.ended'") == [(1,)]
    assert len(story.finished) <= 1
    assert count == counts
    if story.record_taken:
        assert (cause, disposition) == (fate.told.hung_up.cause, fate.disposition)
        if fate.becomes is not SubscriberStatus.START:
            assert status == fate.becomes
    if status == SubscriberStatus.START:
        assert ready_at is not None
        assert fate.becomes is SubscriberStatus.START or not (story.record_taken or answered_at)
    if cause not in (OwnCause.UNKNOWN, OwnCause.LOST_SWITCH):
        assert disposition == fate.disposition
    else:
        assert not story.record_taken


@pytest.mark.parametrize("policy", UnknownPolicy)
def test_a_record_that_comes_while_the_verdict_is_written_wins_over_it(
    templates: dict[UnknownPolicy, sqlite3.Connection], policy: UnknownPolicy
) -> None:
    for instants in range(1, 12):
        story = Story(Rows.copy_of(templates[policy]), FATES[0])
        with closing(story.rows.connection):
            story.rang()
            story.lost()
            story.over()
            story.long()
            story.back()
            assert story.lifecycle.corrections[Correction.ENDED_UNKNOWN] == 1
            for _ in range(instants):
                story.instant()
            story.record()
            story.settle()
            assert story.record_taken
            judge(story)
            assert story.lifecycle.corrections[Correction.RECORD_CORRECTED] == 1
