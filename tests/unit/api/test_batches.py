"""Requests that go to the database together, and threads with a bounded queue."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.errors import Busy, NotFound, StoreError
from dialer.management.batches import LARGEST_BATCH, LONGEST_WAIT, Batches
from dialer.management.workers import LONGEST_QUEUE, Workers


@define(eq=False)
class Database:
    """Runs each job in a transaction of its own; rolls it back when it raises."""

    connection: sqlite3.Connection = field(factory=lambda: sqlite3.connect(":memory:", isolation_level=None))
    jobs: int = 0
    away: bool = False

    def __attrs_post_init__(self) -> None:
        self.connection.execute("CREATE TABLE written (number INTEGER)")

    def run(self, function: Callable[[sqlite3.Connection], Any]) -> Deferred[Any]:
        self.jobs += 1
        if self.away:
            return fail(StoreError("away"))
        self.connection.execute("BEGIN")
        try:
            result = function(self.connection)
        except Exception as error:
            self.connection.rollback()
            return fail(error)
        self.connection.commit()
        return succeed(result)

    @property
    def written(self) -> list[int]:
        return [number for (number,) in self.connection.execute("SELECT number FROM written")]


@define(eq=False)
class Here:
    """Batches on a stepped clock; `answers` are what came back, in order."""

    database: Database = field(factory=Database)
    clock: Clock = field(factory=Clock)
    answers: list[Any] = field(factory=list)
    batches: Batches = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.batches = Batches(self.database.run, self.clock)

    def write(self, number: int, error: Exception | None = None) -> None:
        def function(connection: sqlite3.Connection) -> int:
            connection.execute("INSERT INTO written VALUES (?)", (number,))
            if error is not None:
                raise error
            return number

        self.ask(function)

    def ask(self, function: Callable[[sqlite3.Connection], Any]) -> None:
        self.batches.ask(function).addErrback(lambda failure: failure.value).addCallback(self.answers.append)


@pytest.fixture
def here() -> Here:
    return Here()


def test_what_is_asked_in_one_turn_is_one_transaction_answered_in_order(here: Here) -> None:
    for number in range(5):
        here.write(number)
    assert here.database.jobs == 0
    for _ in range(2):
        here.clock.advance(0)
    assert (here.database.jobs, here.answers) == (1, [0, 1, 2, 3, 4])


def test_one_that_is_alone_waits_for_one_turn(here: Here) -> None:
    here.write(1)
    here.clock.advance(0)
    assert here.answers == [1]


def test_while_more_come_they_are_collected_but_not_for_ever(here: Here) -> None:
    here.write(0)
    number = 0
    while not here.answers:
        number += 1
        here.write(number)
        here.clock.advance(0.0004)
    assert here.clock.seconds() <= LONGEST_WAIT + 0.0004
    assert here.database.jobs == 1


def test_a_large_batch_is_cut(here: Here) -> None:
    for number in range(LARGEST_BATCH * 2 + 1):
        here.write(number)
    for _ in range(2):
        here.clock.advance(0)
    assert here.database.jobs == 3
    assert here.answers == list(range(LARGEST_BATCH * 2 + 1))


def test_a_refusal_before_anything_was_written_costs_the_others_nothing(here: Here) -> None:
    def refuse(connection: sqlite3.Connection) -> None:
        raise NotFound("campaign", 7)

    here.write(1)
    here.ask(refuse)
    here.write(2)
    for _ in range(2):
        here.clock.advance(0)
    assert here.database.jobs == 1
    assert [type(answer) for answer in here.answers] == [int, NotFound, int]


@pytest.mark.parametrize("error", [ZeroDivisionError(), NotFound("campaign", 7)])
def test_one_that_fails_after_it_has_written_leaves_no_trace_and_the_others_stay(here: Here, error: Exception) -> None:
    here.write(1)
    here.write(2, error)
    here.write(3)
    for _ in range(2):
        here.clock.advance(0)
    assert here.database.written == [1, 3]
    assert here.answers == [1, error, 3]


def test_who_met_with_what_another_process_wrote_is_asked_again_and_tells_of_it_once(here: Here) -> None:
    runs = []

    def taken_meanwhile(connection: sqlite3.Connection) -> None:
        runs.append(1)
        if len(runs) % 2 == 0:
            raise NotFound("campaign", 7)
        connection.execute("CREATE UNIQUE INDEX once ON written (number)")
        connection.execute("INSERT INTO written VALUES (1), (1)")

    here.ask(taken_meanwhile)
    here.clock.advance(0)
    here.ask(taken_meanwhile)
    here.write(2)
    for _ in range(2):
        here.clock.advance(0)
    assert [type(answer) for answer in here.answers] == [NotFound, NotFound, int]
    assert (len(runs), here.database.written) == (4, [2])


def test_what_the_database_itself_refuses_is_a_refusal_of_that_field(here: Here) -> None:
    def refused(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE campaign (frequency CONSTRAINT campaign_frequency CHECK (frequency > 0))")
        connection.execute("INSERT INTO campaign VALUES (0)")

    here.ask(refused)
    here.clock.advance(0)
    assert [str(answer) for answer in here.answers] == ["frequency: is out of range"]


def test_a_database_that_is_away_is_told_to_each(here: Here) -> None:
    here.database.away = True
    here.write(1)
    here.write(2)
    for _ in range(2):
        here.clock.advance(0)
    assert [type(answer) for answer in here.answers] == [StoreError, StoreError]


@pytest_twisted.ensureDeferred
async def test_threads_take_a_bounded_number_of_jobs() -> None:
    from threading import Event

    from twisted.internet import reactor

    workers, go = Workers(reactor), Event()
    workers.start()
    try:
        jobs = [workers.run(go.wait) for _ in range(LONGEST_QUEUE)]
        with pytest.raises(Busy):
            await workers.run(go.wait)
        go.set()
        for job in jobs:
            assert await job
        assert await workers.run(lambda: 7) == 7
    finally:
        go.set()
        workers.stop()
