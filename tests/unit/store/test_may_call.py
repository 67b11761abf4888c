"""Never a call to a number that is on a list of its campaign at that moment, in any spelling; and, when nothing forbids it,
one.

Moments pass step by step. Numbers come onto lists of everybody, of users and of campaigns, with and without an end, and are
taken off again, also between the search for candidates and the beginning of their attempts; calls end, and are tried again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.model import Attempt, DoNotCallEntry, Plan, SubscriberStatus
from dialer.numbering import numbering
from dialer.store import do_not_call, mapping, statements
from dialer.store.begin import Beginning, begin
from dialer.store.blocked import Blocking
from dialer.store.connection import Connection, Dialect
from dialer.store.finish import finish
from dialer.store.location import opened
from dialer.store.may_call import AskedContact, blocks
from dialer.store.ready import Mixer, candidates
from dialer.store.times import from_column
from tests.grounds import new_database, script
from tests.seeding import SEED, T
from tests.unit.store.support import NOW, ended

pytestmark = pytest.mark.usefixtures("database_kind")

RULES = numbering("US")
PEOPLE = (
    ("+15552340001", "15552340001", "(555) 234-0001", "0015552340001"),
    ("5552340002", "+1 555 234 0002", "15552340002", "011 1 555 234 0002"),
    ("+34600123456", "0034600123456", "011 34 600 123 456"),
)
"""The spellings of three persons' numbers."""
CAMPAIGNS = {1: 1, 2: 1, 3: 2}
"""Whose they are."""
LISTS = {1: (None, None), 2: (1, None), 3: (1, 1), 4: (2, 3)}
"""The user and the campaign that a list is for."""

WORLD = f"""
INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at)
    VALUES (2, 'ben', '', 0, 1, '{T}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) VALUES (2, 1, 'd', '', 1, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}'),
    (3, 2, 'e', '', 1, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}');
INSERT INTO do_not_call_list (id, name, description, user_id, campaign_id, created_at, added_by, removed_by)
    VALUES (2, 'ann', '', 1, NULL, '{T}', '', ''), (3, 'spring', '', 1, 1, '{T}', '', ''), (4, 'ben', '', 2, 3, '{T}', '', '');
DELETE FROM attempt;
UPDATE subscriber SET status = 5, ready_at = NULL;
""" + "".join(
    f"""
INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at,
    updated_at, identity) VALUES ({key}, 1, '{RULES.read(spellings[0], "x")[0]}', '', '', '', '', '{{}}', '{T}', '{T}',
    '{RULES.read(spellings[0], "x")[1]}');
INSERT INTO subscriber (id, campaign_id, contact_id, number, status, ready_at, count_attempt, free_retries, identity)
    SELECT 10 * {key} + c.id, c.id, {key}, k.number, 1, '{T}', 0, 0, k.identity FROM contact k, campaign c WHERE k.id = {key};
"""
    for key, spellings in enumerate(PEOPLE, 10)
)


@pytest.fixture
def connection(database_kind: Any, tmp_path: Path) -> Iterator[Any]:
    url = new_database(tmp_path)
    script(url, SEED + WORLD)
    with opened(url) as found:
        yield found
        found.rollback()


@frozen
class Listed:
    """An entry as a person would remember it."""

    who: int
    list_id: int
    until: datetime | None


@define
class Steps:
    """The world, and what must be true of it."""

    connection: Connection
    now: datetime = NOW
    listed: list[Listed] = field(factory=list)
    open: list[Attempt] = field(factory=list)
    calls: int = 0
    reached: set[tuple[int, int]] = field(factory=set)

    def add(self, who: int, spelling: int, list_id: int, hours: int | None) -> None:
        number, identity = RULES.read(PEOPLE[who][spelling % len(PEOPLE[who])], "number")
        until = None if hours is None else self.now + timedelta(hours=hours)
        entry = DoNotCallEntry(number=number, identity=identity, expires_at=until)
        do_not_call.add(self.connection, list_id, [entry], "ann", self.now)
        self.listed.append(Listed(who, list_id, until))

    def remove(self, who: int, spelling: int, list_id: int) -> None:
        _, identity = RULES.read(PEOPLE[who][spelling % len(PEOPLE[who])], "number")
        do_not_call.remove(self.connection, list_id, [identity], "ann", self.now)
        self.listed = [each for each in self.listed if (each.who, each.list_id) != (who, list_id)]

    def may_call(self, campaign_id: int, who: int) -> bool:
        for each in self.listed:
            user, campaign = LISTS[each.list_id]
            concerns = campaign == campaign_id if campaign else user in (None, CAMPAIGNS[campaign_id])
            if each.who == who and concerns and (each.until is None or each.until > self.now):
                return False
        return True

    def plans(self, campaign_id: int) -> list[Plan]:
        blocking = Blocking(at=self.now, wanted=frozenset())
        found = candidates(self.connection, Mixer(), campaign_id, blocking, 10)
        plans = []
        for candidate in found:
            assert self.may_call(campaign_id, candidate.contact_id - 10), candidate
            self.calls += 1
            row = self.connection.execute(statements.started_among(1), (campaign_id,)).fetchone()
            campaign, _ = mapping.started(tuple(row))
            gateway = mapping.read_gateway(self.connection.execute(statements.GATEWAY, (1,)).fetchone())
            plans.append(
                Plan(
                    call_uuid=f"call-{self.calls}",
                    candidate=candidate,
                    campaign=evolve(campaign, rests=""),
                    gateway=gateway,
                    dial_string="x",
                    due_at=self.now,
                )
            )
        return plans

    def begin(self, plans: list[Plan]) -> None:
        until = self.now + timedelta(seconds=60)
        wanted = Beginning(plans=plans, owner="here", now=self.now, until=until, deadline=until)
        for attempt in begin(self.connection, wanted) if plans else ():
            campaign_id, who = attempt.plan.campaign.id, attempt.plan.candidate.contact_id - 10
            assert self.may_call(campaign_id, who), f"{PEOPLE[who][0]} was called by campaign {campaign_id} at {self.now}"
            self.reached.add((campaign_id, who))
            self.open.append(attempt)

    def end(self, hours: int) -> None:
        """A first try or a retry is over, and another one may follow."""
        for attempt in self.open:
            again = self.now + timedelta(hours=hours)
            result = ended(attempt, SubscriberStatus.START, ready_at=again, at=self.now)
            assert finish(self.connection, result, "here", frozenset())
        self.open.clear()


WHO, HOURS = st.integers(0, len(PEOPLE) - 1), st.integers(1, 30)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), WHO, st.integers(0, 3), st.sampled_from(list(LISTS)), st.none() | HOURS),
        st.tuples(st.just("remove"), WHO, st.integers(0, 3), st.sampled_from(list(LISTS))),
        st.tuples(st.just("plan"), st.sampled_from(list(CAMPAIGNS))),
        st.tuples(st.just("begin")),
        st.tuples(st.just("end"), st.integers(0, 10)),
        st.tuples(st.just("pass"), HOURS),
    ),
    max_size=30,
)


def test_no_call_to_a_listed_number_at_any_moment(connection: Any) -> None:
    @settings(max_examples=60, deadline=None)
    @given(ACTIONS)
    def whatever_happens(actions: list[tuple[Any, ...]]) -> None:
        if connection.dialect is Dialect.SQLITE:
            connection.execute("BEGIN")
        try:
            _play(Steps(connection), actions)
        finally:
            connection.rollback()

    whatever_happens()


def _play(steps: Steps, actions: list[tuple[Any, ...]]) -> None:
    plans: list[Plan] = []
    for action, *arguments in actions:
        match action:
            case "plan":
                plans += steps.plans(*arguments)
            case "begin":
                steps.begin(plans)
                plans = []
            case "pass":
                steps.now += timedelta(hours=arguments[0])
            case _:
                getattr(steps, action)(*arguments)
    steps.begin(plans)
    _nobody_waits_in_vain(steps)


def _nobody_waits_in_vain(steps: Steps) -> None:
    """Once every entry with an end has passed, whoever is on no list is called, unless it was blocked for good before."""
    steps.end(0)
    steps.now += timedelta(hours=31)
    for campaign_id in CAMPAIGNS:
        steps.reached.clear()
        steps.begin(steps.plans(campaign_id))
        steps.end(0)
        for who in range(len(PEOPLE)):
            row = (10 * (who + 10) + campaign_id,)
            status = steps.connection.execute("SELECT status FROM subscriber WHERE id = ?", row).fetchone()[0]
            called = (campaign_id, who) in steps.reached
            assert called is (steps.may_call(campaign_id, who) and status != SubscriberStatus.NOT_AUTHORISED), (
                who,
                campaign_id,
            )


@pytest.mark.parametrize("spelling", range(4))
@pytest.mark.parametrize("who", range(3))
@pytest.mark.parametrize("list_id", LISTS)
def test_a_list_that_comes_between_the_plan_and_its_begin_is_obeyed(
    connection: Any, who: int, spelling: int, list_id: int
) -> None:
    steps = Steps(connection)
    plans = [plan for campaign_id in (1, 3) for plan in steps.plans(campaign_id)]
    steps.add(who, spelling, list_id, None)
    steps.begin(plans)
    user, campaign = LISTS[list_id]
    concerned = {key for key in (1, 3) if campaign == key or (campaign is None and user in (None, CAMPAIGNS[key]))}
    # No two calls to one number: the first campaign that may call it has it.
    expected = dict.fromkeys(range(3), 1) | {who: next((key for key in (1, 3) if key not in concerned), 0)}
    assert {other: key for key, other in steps.reached} == {other: key for other, key in expected.items() if key}


def test_an_entry_that_expires_lets_its_contact_wait_and_tells_until_when(connection: Any) -> None:
    steps = Steps(connection)
    steps.add(0, 3, 2, 5)
    assert [plan.candidate.contact_id for plan in steps.plans(1)] == [11, 12]
    row = "SELECT status, ready_at, blocked_by FROM subscriber WHERE id = 101"
    status, ready_at, blocked_by = connection.execute(row).fetchone()
    assert (status, from_column(ready_at), blocked_by) == (1, NOW + timedelta(hours=5), "do-not-call")
    asked = AskedContact(campaign_id=1, contact_id=10, number="+15552340001", identity="15552340001")
    (why,) = blocks(connection, asked, steps.now)
    assert why.until == NOW + timedelta(hours=5)
    assert why.text.startswith(
        "+15552340001 is on the do-not-call list ann as 0015552340001 since 2026-11-23 10:00:00 UTC until "
    )
    steps.now = why.until
    assert list(blocks(connection, asked, steps.now)) == []
    assert 10 in [plan.candidate.contact_id for plan in steps.plans(1)]
    steps.begin(steps.plans(1))
    assert connection.execute(row).fetchone()[2] is None


def test_who_waits_for_an_entry_is_called_as_soon_as_it_is_taken_off(connection: Any) -> None:
    steps = Steps(connection)
    steps.add(0, 0, 1, 5)
    steps.add(0, 1, 3, 5)
    steps.plans(1)
    steps.now += timedelta(hours=1)
    steps.remove(0, 2, 1)
    assert 10 not in [plan.candidate.contact_id for plan in steps.plans(1)]
    steps.remove(0, 2, 3)
    assert 10 in [plan.candidate.contact_id for plan in steps.plans(1)]


def test_the_entry_that_holds_longer_takes_the_place_of_the_other_which_stays_in_the_history(connection: Any) -> None:
    steps = Steps(connection)
    for hours in (5, 3, 5, 9, None, 7, None):
        steps.add(0, 0, 1, hours)
        steps.now += timedelta(minutes=1)
    found = connection.execute("SELECT expires_at, removed_at FROM do_not_call ORDER BY id").fetchall()
    assert [(expires and expires[11:16], removed and removed[11:16]) for expires, removed in map(tuple, found)] == [
        ("15:00", "10:02"),
        ("15:02", "10:03"),
        ("19:03", "10:04"),
        (None, None),
    ]


def test_an_entry_that_has_expired_can_be_added_again(connection: Any) -> None:
    steps = Steps(connection)
    steps.add(0, 0, 1, 1)
    steps.now += timedelta(hours=2)
    steps.add(0, 1, 1, 1)
    assert 10 not in [plan.candidate.contact_id for plan in steps.plans(1)]
