"""Statistics are what the rows say, whatever begins, ends, corrects and removes them, on either kind of database."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.model import Attempt, AttemptResult, Candidate, Decision, Disposition, OwnCause, Plan, SubscriberStatus
from dialer.store import removals
from dialer.store.begin import Beginning, begin
from dialer.store.connection import Dialect
from dialer.store.corrections import correct
from dialer.store.finish import finish
from dialer.store.location import opened
from dialer.store.statistics import FIRST, MISCOUNTED, buckets
from dialer.store.times import from_column
from tests.postgresql import Server
from tests.unit.builders import campaign, gateway, outcome
from tests.unit.store.damage import AT, Damaged

NOW = from_column(AT)
CONTACTS = 4
OWNER = "here"

Key = tuple[Any, ...]
"""Campaign, hour, gateway, number of the attempt, disposition, cause."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    here = Damaged.in_file(tmp_path_factory.mktemp("statistics"))
    furnish(here)
    return here


@pytest.fixture(scope="module")
def server(postgres_server: Server) -> Iterator[Damaged]:
    with Damaged.on_server(postgres_server) as here:
        furnish(here)
        yield here


def furnish(here: Damaged) -> None:
    """A second campaign with the same contacts, and a second gateway."""
    names = (
        "description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status, created_at, updated_at"
    )
    here.sql(f"INSERT INTO gateway (id, name, {names}) SELECT 2, 'other', {names} FROM gateway")
    names = (
        "user_id, description, status, starting_at, expires_at, frequency, max_retry, gateway_id, voip_app_id, created_at, "
        "updated_at"
    )
    here.sql(f"INSERT INTO campaign (id, name, {names}) SELECT 2, 'autumn', {names} FROM campaign")
    here.sql("INSERT INTO campaign_phonebook VALUES (2, 1)")
    names = "contact_id, number, status, ready_at, count_attempt, free_retries, identity"
    here.sql(f"INSERT INTO subscriber (id, campaign_id, {names}) SELECT id + 10, 2, {names} FROM subscriber")


@define
class Story:
    """What happens to two campaigns of four contacts, in one transaction that is rolled back at the end. `deleted` are the
    ended attempts that are gone."""

    connection: Any
    open: list[Attempt] = field(factory=list)
    over: list[Attempt] = field(factory=list)
    deleted: list[tuple[Key, tuple[int, int]]] = field(factory=list)
    calls: int = 0
    gone: set[int] = field(factory=set)

    def begin(self, campaign_id: int, contact: int, gateway_id: int, hour: int) -> None:
        if campaign_id in self.gone:
            return
        row = self.connection.execute(
            "SELECT number, count_attempt, free_retries FROM subscriber WHERE id = ?", (contact + 10 * (campaign_id - 1),)
        ).fetchone()
        if row is None:
            return
        number, count_attempt, free_retries = row
        self.calls += 1
        plan = Plan(
            call_uuid=f"call-{self.calls}",
            candidate=Candidate(
                subscriber_id=contact + 10 * (campaign_id - 1),
                contact_id=contact,
                campaign_id=campaign_id,
                number=number,
                identity=number,
                count_attempt=count_attempt,
                free_retries=free_retries,
            ),
            campaign=campaign(id=campaign_id),
            gateway=gateway(id=gateway_id),
            dial_string="loopback/1",
            due_at=NOW,
        )
        at = NOW + timedelta(hours=hour)
        until = at + timedelta(minutes=1)
        self.connection.execute("UPDATE campaign SET next_call_at = NULL")
        self.open += begin(self.connection, Beginning(plans=[plan], owner=OWNER, now=at, until=until, deadline=until))

    def end(self, which: int, how: tuple[Disposition, str], counts: bool, talk_ms: int) -> None:
        if self.open:
            attempt = self.open.pop(which % len(self.open))
            assert finish(self.connection, result(attempt, how, counts, talk_ms), OWNER, frozenset())
            self.over.append(attempt)

    def end_again(self, which: int, how: tuple[Disposition, str]) -> None:
        if self.over:
            late = result(self.over[which % len(self.over)], how, counts=True, talk_ms=9)
            assert not finish(self.connection, late, OWNER, frozenset())

    def correct(self, which: int, how: tuple[Disposition, str], talk_ms: int) -> None:
        if self.over:
            correct(self.connection, result(self.over[which % len(self.over)], how, counts=True, talk_ms=talk_ms), frozenset())

    def purge(self, which: int, hours: int) -> None:
        """Attempts that ended go, one or all that began early enough."""
        if not self.over:
            return
        chosen = self.over[which % len(self.over)]
        gone = [each for each in self.over if each is chosen or each.planned_at < NOW + timedelta(hours=hours)]
        marks = ", ".join("?" * len(gone))
        ids = [each.id for each in gone]
        self.deleted += facts(self.connection, f" AND id IN ({marks})", ids)
        self.connection.execute(f"DELETE FROM attempt WHERE id IN ({marks})", ids)
        self.over = [each for each in self.over if each not in gone]

    def number_again(self, which: int) -> None:
        """The audit's repair of numbers of attempts."""
        if self.over:
            self.connection.execute(
                "UPDATE attempt SET number_of_attempt = number_of_attempt + 1 WHERE id = ?",
                (self.over[which % len(self.over)].id,),
            )

    def remove(self, campaign_id: int) -> None:
        """A campaign without attempts is deleted."""
        self.connection.execute(removals.UNLINK_CAMPAIGN, (campaign_id,))
        self.connection.execute(removals.DELETE_SUBSCRIBERS, (campaign_id, "", "9"))
        if self.connection.execute(removals.DROP_CAMPAIGN, (campaign_id,)).rowcount:
            self.gone.add(campaign_id)
            self.deleted = [each for each in self.deleted if each[0][0] != campaign_id]

    def check(self) -> None:
        there = added_up(facts(self.connection))
        counted = self.connection.execute(
            "SELECT campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged, attempts, counted, talk_ms "
            "FROM attempt_count WHERE attempts <> 0 OR counted <> 0 OR talk_ms <> 0"
        ).fetchall()
        kept: list[dict[Key, tuple[int, ...]]] = [{}, {}]
        for *key, purged, attempts, counts, talk_ms in counted:
            key[1] = from_column(key[1])
            kept[purged][tuple(key)] = (attempts, counts, talk_ms)
        assert kept[0] == there
        assert kept[1] == added_up(self.deleted)
        miscounted = MISCOUNTED.of(self.connection)
        assert self.connection.execute(miscounted).fetchall() == []
        for campaign_id in (1, 2):
            told = sum(bucket[6] for bucket in buckets(self.connection, campaign_id, FIRST, 1000))
            assert told == sum(each[0] for both in kept for key, each in both.items() if key[0] == campaign_id)


def result(attempt: Attempt, how: tuple[Disposition, str], counts: bool, talk_ms: int) -> AttemptResult:
    disposition, cause = how
    end = evolve(outcome(cause, answered=disposition is Disposition.ANSWERED), talk_ms=talk_ms, ended_at=attempt.planned_at)
    pending = Decision(status=SubscriberStatus.START, ready_at=NOW, counts_as_attempt=counts, reason="")
    return AttemptResult(attempt=attempt, outcome=end, disposition=disposition, decision=pending)


def facts(connection: Any, condition: str = "", values: Any = ()) -> list[tuple[Key, tuple[int, int]]]:
    """The ended attempts that are there, without any help of the database: their bucket, whether they count, their talk."""
    found = connection.execute(
        "SELECT campaign_id, planned_at, gateway_id, number_of_attempt, disposition, cause, counts_as_attempt, talk_ms "
        f"FROM attempt WHERE ended_at IS NOT NULL{condition}",
        values,
    ).fetchall()
    return [
        ((row[0], from_column(row[1]).replace(minute=0, second=0, microsecond=0), *row[2:6]), (row[6], row[7]))
        for row in found
    ]


def added_up(found: list[tuple[Key, tuple[int, int]]]) -> dict[Key, tuple[int, ...]]:
    attempts: Counter[Key] = Counter(key for key, _ in found)
    return {
        key: (number, *(sum(each[place] for other, each in found if other == key) for place in (0, 1)))
        for key, number in attempts.items()
    }


CAMPAIGNS, CHOICES, HOURS = st.integers(1, 2), st.integers(0, 7), st.integers(0, 2)
ENDS = st.sampled_from(
    [
        (Disposition.UNKNOWN, str(OwnCause.UNKNOWN)),
        (Disposition.BUSY, "USER_BUSY"),
        (Disposition.ANSWERED, "NORMAL_CLEARING"),
        (Disposition.ANSWERED, "ALLOTTED_TIMEOUT"),
    ]
)
TALK = st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("begin"), CAMPAIGNS, st.integers(1, CONTACTS), CAMPAIGNS, HOURS),
    st.tuples(st.just("end"), CHOICES, ENDS, st.booleans(), TALK),
    st.tuples(st.just("end_again"), CHOICES, ENDS),
    st.tuples(st.just("correct"), CHOICES, ENDS, TALK),
    st.tuples(st.just("purge"), CHOICES, HOURS),
    st.tuples(st.just("number_again"), CHOICES),
    st.tuples(st.just("remove"), CAMPAIGNS),
)


@contextmanager
def story(place: Damaged) -> Iterator[Story]:
    with opened(place.url) as connection:
        if place.dialect is Dialect.SQLITE:
            connection.execute("BEGIN")
        try:
            yield Story(connection)
        finally:
            connection.rollback()


HISTORIES = st.lists(STEPS, min_size=5, max_size=40)


def play(place: Damaged, steps: list[tuple[Any, ...]]) -> None:
    with story(place) as told:
        for name, *values in steps:
            getattr(told, name)(*values)
        told.check()


# pytest-twisted wraps the function of a parametrized property once too often.
@settings(max_examples=150)
@given(steps=HISTORIES)
def test_after_any_history_in_a_file_the_statistics_are_what_the_rows_say(file: Damaged, steps: list[tuple[Any, ...]]) -> None:
    play(file, steps)


@settings(max_examples=150)
@given(steps=HISTORIES)
def test_after_any_history_on_a_server_the_statistics_are_what_the_rows_say(
    server: Damaged, steps: list[tuple[Any, ...]]
) -> None:
    play(server, steps)


def test_two_writers_of_one_bucket_do_not_wait_for_each_other_in_any_order(postgres_server: Server) -> None:
    with Damaged.on_server(postgres_server) as here:
        write_side_by_side(here)


def write_side_by_side(server: Damaged) -> None:
    end = "UPDATE attempt SET state = 'ended', ended_at = planned_at, cause = ?, disposition = 'BUSY', counts_as_attempt = 1, "
    end += "duration_ms = 0, talk_ms = 5 WHERE id = ?"
    for key in range(1, 5):
        server.call(key, key)
    with opened(server.url) as first, opened(server.url) as second:
        for connection in (first, second):
            connection.execute("SET lock_timeout = '1s'")
        first.execute(end, ("A", 1))
        second.execute(end, ("B", 2))
        first.execute(end, ("B", 3))
        second.execute(end, ("A", 4))
        first.commit()
        second.commit()
        second.execute(
            "SELECT pg_advisory_xact_lock('subscriber_count_part'::regclass::oid::integer, n) FROM (VALUES (0), (1)) v (n)"
        )
        first.execute("UPDATE attempt SET cause = 'C', talk_ms = 7, ended_at = ended_at WHERE id IN (1, 2)")
        first.execute("DELETE FROM attempt WHERE id IN (1, 4)")
        first.commit()
    kept = "SELECT cause, purged, attempts, talk_ms FROM attempt_count WHERE attempts <> 0 ORDER BY cause, purged"
    assert server.sql(kept) == [("A", 1, 1, 5), ("B", 0, 1, 5), ("C", 0, 1, 7), ("C", 1, 1, 7)]
    assert {part for (part,) in server.sql("SELECT part FROM attempt_count_part")} == {0, 1, 2}
    with story(server) as told:
        assert told.connection.execute(MISCOUNTED.postgresql).fetchall() == []


def test_after_many_writers_at_once_the_statistics_are_what_the_rows_say(postgres_server: Server) -> None:
    with Damaged.on_server(postgres_server) as here:
        for key in range(1, 121):
            here.attempt(key, 1 + key % CONTACTS, "UNKNOWN")

        def write(writer: int) -> None:
            rng, own = random.Random(writer), range(1 + 30 * writer, 31 + 30 * writer)
            statement = "UPDATE attempt SET cause = ?, talk_ms = ? WHERE id = ?"
            with opened(here.url) as connection:
                for _ in range(25):
                    for key in rng.sample(own, 4):
                        connection.execute(statement, (rng.choice("ABC"), rng.randrange(9), key))
                    if rng.random() < 0.2:
                        connection.execute("DELETE FROM attempt WHERE id = ?", (rng.choice(own),))
                    (connection.rollback if rng.random() < 0.2 else connection.commit)()

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(write, range(4)))
        with story(here) as told:
            assert told.connection.execute(MISCOUNTED.postgresql).fetchall() == []
        assert here.sql("SELECT CAST(sum(attempts) AS BIGINT) FROM attempt_count") == [(120,)]
