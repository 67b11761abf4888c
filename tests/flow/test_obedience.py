"""Whatever happens to the clock, the lists, the hours and the process: no call is made that may not be made.

The dialer is the real flow on the real SQL; the witness (`tests.flow.obeying`) reads the rules by itself. The first examples
are stories of their own, since chance seldom meets the night on which clocks change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import dialer.calls.lifecycle
import dialer.campaigns.planning
import dialer.campaigns.scheduler
import dialer.store.begin
import dialer.store.caller_id_assignment
import dialer.store.held
from tests.crash.rule_defects import (
    lists_are_those_of_the_start,
    nobody_asks_for_the_rules,
    rests_of_caller_ids_are_not_kept,
)
from tests.flow.obeying import CALLER_IDS, OUTCOMES, Obeying, at, obeying
from tests.unit.rules.cases import CITIES

NEW_YORK, FLORIDA, TENNESSEE, PARIS, PERTH, GUAM = (
    "12125550100", "13055550100", "14235550100", "33142685300", "61891234567", "16715550100",
)  # fmt: skip
FLORIDANS = [f"1305555{index:04}" for index in range(200, 208)]
NUMBERS = st.sampled_from([*sorted(CITIES), *FLORIDANS])
DAYS = st.sampled_from(
    [
        date(2026, 10, 25),  # clocks go back in Europe,
        date(2026, 11, 1),  # and in North America
        date(2026, 11, 24),
        date(2026, 11, 26),
        date(2027, 3, 14),  # they go forward in North America,
        date(2027, 3, 28),  # and in Europe
        date(2027, 4, 4),  # back in Australia
    ]
)
EDGES = st.sampled_from(
    [time(hour, minute) for hour in (0, 1, 2, 3, 8, 9, 10, 12, 13, 14, 17, 18, 20, 21) for minute in (0, 30)]
)
ZONES = st.sampled_from(
    ["America/New_York", "America/Chicago", "America/Denver", "Europe/Paris", "Australia/Perth", "Pacific/Guam"]
)
STEPS = st.sampled_from([timedelta(seconds=each) for each in (-90_000, -3600, -61, -1, 1, 61, 3600, 21_600, 86_400, 90_000)])
NOON = at("2026-11-24 12:00:00", "America/New_York")


class Obedience(RuleBasedStateMachine):
    """What may happen to a dialer."""

    @initialize(start=st.builds(datetime.combine, DAYS, EDGES), zone=ZONES)
    def begin(self, start: datetime, zone: str) -> None:
        self.here = Obeying.begin(start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
        for number in (NEW_YORK, FLORIDA, TENNESSEE, PARIS, PERTH, *FLORIDANS[:3]):
            self.here.add(number, "", "is busy", 1)

    @rule(
        number=NUMBERS,
        zone=st.one_of(st.just(""), ZONES),
        outcome=st.sampled_from([*OUTCOMES]),
        campaign=st.sampled_from([1, 2]),
    )
    def somebody_is_to_be_called(self, number: str, zone: str, outcome: str, campaign: int) -> None:
        self.here.add(number, zone, outcome, campaign)

    @rule(seconds=st.sampled_from([1, 5, 15]))
    def time_passes(self, seconds: int) -> None:
        self.here.run(seconds)

    @rule(by=STEPS, seconds=st.sampled_from([0.3, 4]))
    def the_clock_is_set(self, by: timedelta, seconds: float) -> None:
        self.here.step_clock(by)
        self.here.run(seconds)

    @rule(day=DAYS, edge=EDGES, zone=ZONES, before=st.sampled_from([0.4, 2.0]))
    def an_edge_of_the_hours_is_passed(self, day: date, edge: time, zone: str, before: float) -> None:
        moment = datetime.combine(day, edge, ZoneInfo(zone)).astimezone(UTC)
        self.here.step_clock(moment - timedelta(seconds=before) - self.here.now())
        self.here.run(before + 3)

    @rule(number=NUMBERS, seconds=st.sampled_from([None, 3, 86_400]))
    def somebody_is_put_on_a_list(self, number: str, seconds: int | None) -> None:
        self.here.put_on_list(number, None if seconds is None else self.here.now() + timedelta(seconds=seconds))

    @rule(caller=st.sampled_from(CALLER_IDS), seconds=st.sampled_from([5, 86_400]))
    def a_caller_id_rests(self, caller: str, seconds: int) -> None:
        self.here.run(0.5)
        self.here.rest(caller, self.here.now() + timedelta(seconds=seconds))
        self.here.run(0.5)

    @rule(first=EDGES, last=EDGES, zone=ZONES)
    def the_campaigns_have_hours_of_their_own(self, first: time, last: time, zone: str) -> None:
        self.here.run(0.5)
        self.here.narrow(min(first, last), max(first, last) if first != last else time(23, 59, 59), zone)
        self.here.run(0.5)

    @rule(seconds=st.sampled_from([0.5, 20]))
    def the_process_dies(self, seconds: float) -> None:
        self.here.crash()
        self.here.run(seconds)

    @invariant()
    def nothing_was_dialled_that_may_not_be(self) -> None:
        assert self.here.broken == []

    def teardown(self) -> None:
        if hasattr(self, "here"):
            self.here.end()


Obedience.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
test_no_call_is_made_that_may_not_be = Obedience.TestCase


# --- stories ----------------------------------------------------------------------------------------------------------------


def busy(here: Obeying, *numbers: str, campaign_id: int = 1) -> None:
    for number in numbers:
        here.add(number, "", "is busy", campaign_id)


def pass_time(here: Obeying, *, hours: float) -> None:
    """Little happens meanwhile."""
    here.step_clock(timedelta(hours=hours))
    here.run(4)


def caps(here: Obeying) -> None:
    """A number of two campaigns, with more tries than its place lets, over a night, a crash, and steps of the clock."""
    for campaign_id in (1, 2):
        busy(here, FLORIDA, campaign_id=campaign_id)
    here.run(30)
    here.crash()
    here.run(20)
    pass_time(here, hours=-2)
    pass_time(here, hours=25)
    here.run(20)


def hours(here: Obeying) -> None:
    """The end of the day in two zones of one number, and the night on which clocks go forward."""
    busy(here, TENNESSEE, NEW_YORK, FLORIDA, PARIS)
    here.step_clock(at("2026-11-24 19:59:59", "America/New_York") - here.now())
    here.run(5)
    here.step_clock(at("2027-03-14 01:59:58", "America/New_York") - here.now())
    here.run(5)
    here.step_clock(at("2027-03-14 07:59:58", "America/Chicago") - here.now())
    here.run(6)


def lists(here: Obeying) -> None:
    busy(here, NEW_YORK, *FLORIDANS)
    here.run(2)
    here.put_on_list(NEW_YORK, None)
    here.put_on_list(FLORIDANS[3], here.now() + timedelta(seconds=30))
    here.put_on_list(FLORIDANS[7], here.now() + timedelta(seconds=30))
    here.run(25)
    here.crash()
    here.run(60)


def limits(here: Obeying) -> None:
    for index, number in enumerate([*FLORIDANS, NEW_YORK, TENNESSEE]):
        here.add(number, "", "does not answer", 1 + index % 2)
    here.run(8)
    here.crash()
    here.run(30)


def pools(here: Obeying) -> None:
    busy(here, *FLORIDANS, NEW_YORK)
    here.run(3)
    here.rest(CALLER_IDS[0], here.now() + timedelta(hours=2))
    here.run(5)
    here.crash()
    here.run(30)
    pass_time(here, hours=12)
    pass_time(here, hours=-12)


def set_back(here: Obeying, by: timedelta) -> int:
    """How many calls are made within some seconds of that."""
    busy(here, *FLORIDANS, NEW_YORK)
    here.rows.sql("UPDATE subscriber SET ready_at = '2026-11-20 10:00:00.000000'")
    here.run(1.4)
    before = len(here.dialled)
    here.step_clock(by)
    here.run(5)
    assert here.broken == []
    return len(here.dialled) - before


@pytest.mark.parametrize("seconds", [-5, -61, -3600, -86_400, 3600])
def test_a_clock_that_is_set_stops_no_campaign(seconds: int) -> None:
    with obeying(NOON) as here:
        assert set_back(here, timedelta(seconds=seconds)) >= 5


def own_hours(here: Obeying) -> None:
    busy(here, *FLORIDANS, NEW_YORK)
    closes = (here.now() + timedelta(seconds=2)).astimezone(ZoneInfo("Pacific/Guam")).time()
    here.narrow(time(0), closes, "Pacific/Guam")
    here.run(6)


Story = Callable[[Obeying], None]
STORIES: list[Story] = [caps, hours, lists, limits, pools, own_hours]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_story_breaks_no_rule_and_calls_are_made(story: Story) -> None:
    with obeying(NOON) as here:
        story(here)
        assert here.broken == []
        assert len(here.dialled) >= 2


@contextmanager
def attempts_are_not_counted() -> Iterator[None]:
    """No earlier call is known."""
    nothing: Callable[..., dict[str, Any]] = lambda *_: {}  # noqa: E731
    with (
        mock.patch.object(dialer.store.begin, "histories", nothing),
        mock.patch.object(dialer.store.held, "histories", nothing),
    ):
        yield


@contextmanager
def calls_of_the_day_are_not_counted() -> Iterator[None]:
    """Every caller id is as if no call had shown it."""
    pool_state = dialer.store.caller_ids.pool_state

    def forgetful(*given: Any, **more: Any) -> Any:
        state = pool_state(*given, **more)
        return evolve(state, numbers=tuple(evolve(each, used=0) for each in state.numbers))

    with mock.patch.object(dialer.store.caller_id_assignment, "pool_state", forgetful):
        yield


def whatever_the_hour(_book: object, _callee: object, _campaign: object, _now: datetime, latest: datetime) -> datetime:
    """In the place of `dialer.rules.last_moment`."""
    return latest


@contextmanager
def campaigns_are_always_open() -> Iterator[None]:
    """Nobody looks at the hours of campaigns."""
    with (
        mock.patch.object(dialer.campaigns.scheduler, "open_now", lambda *_: True),
        mock.patch.object(dialer.calls.lifecycle, "last_moment", whatever_the_hour),
    ):
        yield


PLANTED: dict[str, tuple[Story, Callable[[], AbstractContextManager[Any]]]] = {
    "nobody asks for the rules": (hours, nobody_asks_for_the_rules),
    "attempts are not counted": (caps, attempts_are_not_counted),
    "lists are those of the start": (lists, lists_are_those_of_the_start),
    "gateways have room": (limits, partial(mock.patch.object, dialer.campaigns.planning, "headroom", lambda *_: 9)),
    "campaigns have room": (limits, partial(mock.patch.object, dialer.campaigns.planning, "campaign_headroom", lambda *_: 9)),
    "caller ids do not rest": (pools, rests_of_caller_ids_are_not_kept),
    "calls of the day are not counted": (pools, calls_of_the_day_are_not_counted),
    "campaigns are always open": (own_hours, campaigns_are_always_open),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_defect_is_seen_by_its_story(name: str) -> None:
    story, plant = PLANTED[name]
    with plant(), obeying(NOON) as here:
        story(here)
        assert here.broken
