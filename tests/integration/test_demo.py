"""The demo as a whole, over real sockets, held against what the simulated callees saw."""

from __future__ import annotations

import io
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve, frozen
from rich.console import Console
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from dialer.cli.demo_campaign import DemoRules
from dialer.cli.demo_run import DemoPlan, DemoRun
from dialer.errors import DialerError
from dialer.esl.inbound import SwitchConfig
from dialer.model import CallRecord, Contact, Disposition
from dialer.simulator.oracle import CalledSide
from dialer.store.database import Database
from dialer.store.location import sqlite_path, sqlite_url
from dialer.wall_clock import utc_now
from tests.grounds import new_database
from tests.seeding import Seeds

CLOCK = 0.05
"""Seconds by which two readings of one clock may differ."""

MICROSECONDS = 2e-6
"""Seconds: what is lost of a moment that is stored in whole microseconds."""


def demo_plan(folder: Path) -> DemoPlan:
    rules = DemoRules(
        way="simulator",
        dial_string="sofia/gateway/simulator/{number}",
        contacts=tuple(Contact(number=f"1555{index:07}") for index in range(80)),
        frequency=1800,
        max_retry=1,
        interval_retry=1,
        call_timeout=2,
        call_max_duration=30,
        audio="tone_stream://%(100,0,440)",
    )
    return DemoPlan(
        database=folder / "with a space" / "demo.sqlite3", rules=rules, switch=None, calls_per_second=200, time_scale=0.05
    )


@pytest.fixture
def plan(tmp_path: Path) -> DemoPlan:
    return demo_plan(tmp_path)


@frozen
class Dialled:
    """A demo that has run to its end."""

    plan: DemoPlan
    run: DemoRun
    output: str
    calls: list[CalledSide]
    attempts: list[CallRecord]


@pytest_twisted.async_fixture(scope="module")
async def dialled(tmp_path_factory: pytest.TempPathFactory) -> Dialled:
    """One demo, looked at by several tests."""
    plan = demo_plan(tmp_path_factory.mktemp("demo"))
    run, output = await perform(plan)
    assert run.simulator is not None
    return Dialled(plan, run, output, run.simulator.calls, await attempts(plan, run.campaign_id))


async def perform(plan: DemoPlan) -> tuple[DemoRun, str]:
    """Run a demo inside the tests' reactor; gives it with what it printed."""
    if not plan.database.exists():
        plan.database.parent.mkdir()
        shutil.copy(sqlite_path(new_database(plan.database.parent)), plan.database)
    output = io.StringIO()
    run = DemoRun(plan, Console(file=output, width=120), reactor)
    await Deferred.fromCoroutine(run.perform())
    return run, output.getvalue()


async def attempts(plan: DemoPlan, campaign_id: int) -> list[CallRecord]:
    database = Database(sqlite_url(plan.database), reactor)
    await database.start()
    try:
        return await Seeds(database, utc_now()).attempts(campaign_id)
    finally:
        await database.stop()


def test_the_table_agrees_with_what_the_callees_saw(dialled: Dialled) -> None:
    seen = {call.call_uuid: call for call in dialled.calls}
    stored = {attempt.call_uuid: attempt for attempt in dialled.attempts}
    assert stored.keys() == seen.keys()
    for uuid, attempt in stored.items():
        call = seen[uuid]
        assert (attempt.number, attempt.cause) == (call.number, call.cause)
        assert (attempt.answered_at is not None) == (call.answered_at is not None)
        assert (attempt.disposition is Disposition.ANSWERED) == (call.answered_at is not None)
        assert attempt.ended_at is not None
    printed = Counter()
    for line in dialled.output.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) == 7 and cells[1] in set(Disposition):
            printed[cells[1], cells[2]] += int(cells[3])
    answered = (Disposition.ANSWERED, "NORMAL_CLEARING")
    assert printed[answered] == sum(1 for call in dialled.calls if call.answered_at is not None)
    assert Counter(cause for _, cause in printed.elements()) == Counter(call.cause for call in dialled.calls)


def test_nobody_rings_twice_for_one_attempt_nor_more_often_than_allowed(dialled: Dialled) -> None:
    assert max(Counter(call.call_uuid for call in dialled.calls if call.rang).values()) == 1
    counted = Counter(attempt.number for attempt in dialled.attempts if attempt.counts_as_attempt)
    assert counted.keys() == {contact.number for contact in dialled.plan.rules.contacts}
    assert max(counted.values()) <= 1 + dialled.plan.rules.max_retry


def test_every_contact_ends_complete_or_failed(dialled: Dialled) -> None:
    line = next(line for line in dialled.output.splitlines() if line.startswith("Contacts:"))
    counts = {word: int(count) for count, word in (part.split() for part in line.removeprefix("Contacts:").split(","))}
    assert counts.keys() <= {"complete", "failed"}
    assert sum(counts.values()) == len(dialled.plan.rules.contacts)
    assert dialled.run.status == 0


def test_the_pace_is_held_and_no_second_is_worse(dialled: Dialled) -> None:
    """By the moments for which calls were due: a machine with other things to do makes some late, which then come at once. The
    callees have seen no more calls by any moment than were due by then, and most of them soon."""
    per_second = dialled.plan.rules.frequency / 60
    due = sorted(attempt.due_at.timestamp() for attempt in dialled.attempts)
    assert all(after - before >= 1 / per_second - MICROSECONDS for before, after in pairwise(due))
    assert max(Counter(map(int, due)).values()) <= 1.1 * per_second + 1
    invited = sorted(call.invited_at for call in dialled.calls)
    late = sorted(at - planned for at, planned in zip(invited, due, strict=True))
    assert late[0] >= -CLOCK
    assert late[len(late) // 2] < 1.0
    assert "asked 1800 calls/min" in dialled.output


def of(plan: DemoPlan, *numbers: str, again: bool = False) -> DemoPlan:
    """The plan for some numbers, each of which is called once."""
    contacts = tuple(Contact(number=number) for number in numbers)
    return evolve(plan, rules=evolve(plan.rules, contacts=contacts, max_retry=0, again=again))


def called(run: DemoRun) -> list[str]:
    assert run.simulator is not None
    return sorted(call.number for call in run.simulator.calls)


@pytest_twisted.ensureDeferred
async def test_a_finished_file_calls_nobody_when_it_is_run_again(plan: DemoPlan) -> None:
    first, _ = await perform(of(plan, "15550000001", "15550000002"))
    second, output = await perform(of(plan, "15550000001", "15550000002"))
    assert called(first) == ["15550000001", "15550000002"]
    assert (called(second), second.status) == ([], 0)
    assert "Nothing is left to call: an earlier run is done with each of the 2 contacts. --again" in output


@pytest_twisted.ensureDeferred
async def test_only_a_mended_or_a_new_row_is_called(plan: DemoPlan) -> None:
    await perform(of(plan, "15550000001", "15550000002"))
    second, output = await perform(of(plan, "+15550000001", "15550000003", "0015550000002", "15550000004"))
    assert called(second) == ["15550000003", "15550000004"]
    assert "Nothing is left" not in output
    assert "Going on" not in output


@pytest_twisted.ensureDeferred
async def test_again_calls_all_of_them_and_the_next_run_none(plan: DemoPlan) -> None:
    await perform(of(plan, "15550000001", "15550000002"))
    again, _ = await perform(of(plan, "15550000002", "15550000003", again=True))
    assert called(again) == ["15550000002", "15550000003"]
    last, _ = await perform(of(plan, "+15550000001", "15550000002", "15550000003"))
    assert called(last) == []


@pytest_twisted.ensureDeferred
async def test_nothing_left_to_call_needs_no_switch(plan: DemoPlan) -> None:
    nobody = SwitchConfig(port=1, calls_per_second=10)
    await perform(of(plan, "15550000001"))
    run, output = await perform(evolve(of(plan, "15550000001"), switch=nobody))
    assert run.status == 0
    assert "done with the contact. --again" in output


@pytest_twisted.ensureDeferred
async def test_a_switch_that_is_not_there_is_named_after_the_stated_wait(plan: DemoPlan) -> None:
    nobody = SwitchConfig(port=1, calls_per_second=10, retry_initial=0.1, retry_max=0.2)
    with pytest.raises(DialerError, match=r"no FreeSWITCH after 1 s: 127\.0\.0\.1:1: .*refused"):
        await perform(evolve(plan, switch=nobody, connect_wait=1.0))
