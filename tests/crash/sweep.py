"""Sweeps: one run for each kill point of a scenario."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Final

from attrs import Factory, define, frozen

from tests.crash.network import Fate
from tests.crash.oracle import violations
from tests.crash.scenarios import SCENARIOS, Away, Cut, Fault, Kill, Plan, Restart, Scenario, Silence, Slow, Stall
from tests.crash.world import Traced, World


@frozen
class Sight:
    """A run that broke a promise: how to see it again, and what was seen."""

    scenario: str
    plan: Plan
    broken: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.scenario} with {self.plan}: " + "; ".join(self.broken)


@define
class Tally:
    """What a sweep has done."""

    runs: int = 0
    faults: int = 0
    rings: int = 0
    slowest_end: float = 0.0
    ends: dict[str, int] = Factory(dict)
    seen: list[Sight] = Factory(list)


@contextmanager
def folder() -> Iterator[Path]:
    """A place for databases."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="dialer-crash-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def play(scenario: Scenario, plan: Plan, where: Path, tally: Tally) -> list[str]:
    """Run once, judge, count."""
    world = World(scenario, plan, where)
    try:
        world.run()
        broken = violations(world)
        tally.runs += 1
        tally.faults += len(plan.faults)
        tally.rings += sum(call.rang for call in world.oracle.calls)
        tally.slowest_end = max(tally.slowest_end, (world.finished_at or 0.0) - world.began)
        for (cause,) in world.rows("SELECT cause FROM attempt"):
            tally.ends[cause] = tally.ends.get(cause, 0) + 1
    finally:
        world.close()
    if broken:
        tally.seen.append(Sight(scenario.name, plan, tuple(broken)))
    return broken


@frozen
class Points:
    """The numbers of a quiet run's kill points: the `busy` ones, at which an attempt was open, begun, or chosen (in the steps
    before the first one was open), and the `idle` ones. Of each kind of the busy ones, `first` has the first."""

    busy: Sequence[int]
    idle: Sequence[int]
    first: Mapping[object, int]


_points: dict[str, Points] = {}


def points(scenario: Scenario, where: Path) -> Points:
    """Those of a scenario, which is played once for them."""
    if scenario.name not in _points:
        world = World(scenario, Plan(), where, trace=[])
        try:
            world.run()
            _points[scenario.name] = _sorted(world.trace or [])
        finally:
            world.close()
    return _points[scenario.name]


def _sorted(trace: Sequence[Traced]) -> Points:
    begun = next((number for number, point in enumerate(trace, 1) if point.is_busy), 0)
    busy, idle, kinds = [], [], dict[object, int]()
    for number, point in enumerate(trace, 1):
        if point.is_busy or begun - CHOOSING <= number < begun:
            busy.append(number)
            kinds.setdefault(point.kind, number)
        else:
            idle.append(number)
    return Points(busy, idle, kinds)


def new_kinds(scenario: Scenario, where: Path) -> list[int]:
    """The first point of each kind that none of the `SCENARIOS` before this one has."""
    first = points(scenario, where).first
    earlier = takewhile(lambda other: other.name != scenario.name, SCENARIOS.values())
    known = {kind for other in earlier for kind in points(other, where).first}
    return [number for kind, number in first.items() if kind not in known]


CHOOSING: Final = 8
"""Steps of the world in which the first contacts are chosen."""

Faults = Callable[[int], dict[int, Fault]]


def kills(number: int) -> dict[int, Fault]:
    """The dialer is killed; the bytes on their way and the length of its absence differ from point to point."""
    fate = (Fate.ARRIVES, Fate.CUT, Fate.ARRIVES, Fate.LOST)[number % 4]
    return {number: Kill(fate, (0.3, 1.0, 5.0)[number % 3])}


def kills_with_a_stalled_link(number: int) -> dict[int, Fault]:
    """Packets are lost, the dialer dies, and TCP delivers what it had sent long after that."""
    return {number: Stall(12.0), number + 1 + number % 7: Kill(Fate.ARRIVES, 0.5)}


def switch_restarts(number: int) -> dict[int, Fault]:
    """FreeSWITCH dies and comes back as another process."""
    return {number: Restart((0.1, 2.0)[number % 2], number // 2 % 2)}


def slow_switches(number: int) -> dict[int, Fault]:
    """FreeSWITCH is slow to answer and to tell: a little, so much that its connections are given up, and it dies of it."""
    which = number // 3 % 2
    faults: dict[int, Fault] = {number: Slow((0.5, 1.5, 3.0)[number % 3], 4.0, which)}
    if number % 5 == 0:
        faults[number + 20] = Restart(1.0, which)
    return faults


def one_dies_and_another_is_slow(number: int) -> dict[int, Fault]:
    """One FreeSWITCH dies, another is slow, and now and then the dialer dies of grief."""
    faults: dict[int, Fault] = {number: Restart(2.0, 0), number + 1: Slow(1.5, 3.0, 1)}
    if number % 4 == 0:
        faults[number + 10] = Kill(Fate.ARRIVES, 0.3)
    return faults


def both_die(number: int) -> dict[int, Fault]:
    """FreeSWITCH and the dialer die."""
    return {number: Restart(0.5), number + 2: Kill(Fate.ARRIVES, (0.3, 3.0)[number % 2])}


def links_break(number: int) -> dict[int, Fault]:
    """Connections break, with or without a word."""
    return {number: (Cut(), Silence(1.0), Silence(5.0))[number % 3]}


def the_database_is_away(number: int) -> dict[int, Fault]:
    """The database cannot serve for a while, and now and then the dialer dies meanwhile, or just after."""
    faults: dict[int, Fault] = {number: Away((0.5, 3.0, 8.0)[number % 3])}
    if number % 5 == 0:
        faults[number + 1 + number % 40] = Kill(Fate.ARRIVES, 0.3)
    return faults


@frozen
class Sweep:
    """A kind of fault at every `step`-th busy point, and at every `idle`-th of the others."""

    name: str
    faults: Faults
    step: int = 4
    idle: int = 50

    def plans(self, scenario: Scenario, where: Path) -> Iterator[Plan]:
        """One for each kill point."""
        found = points(scenario, where)
        step, calm = self._steps(scenario)
        for number in [*found.busy[::step], *found.idle[::calm]]:
            yield Plan(self.faults(number))

    def sample(self, scenario: Scenario, where: Path) -> Iterator[Plan]:
        """Few of them. A sweep that takes each busy point takes one of each kind, once in all scenarios."""
        found = points(scenario, where)
        step, calm = self._steps(scenario)
        busy = new_kinds(scenario, where) if self.step == 1 else [*found.first.values()][:: 2 * step]
        for number in [*busy, *found.idle[:: 4 * calm]]:
            yield Plan(self.faults(number))

    def _steps(self, scenario: Scenario) -> tuple[int, int]:
        return (4 * self.step, 40 * self.idle) if scenario.long else (self.step, self.idle)


SWEEPS: Final[Sequence[Sweep]] = (
    Sweep("kills", kills, step=1, idle=20),
    Sweep("kills with a stalled link", kills_with_a_stalled_link),
    Sweep("switch restarts", switch_restarts),
    Sweep("slow switches", slow_switches, step=8),
    Sweep("one dies, another is slow", one_dies_and_another_is_slow, step=8),
    Sweep("both die", both_die),
    Sweep("links break", links_break),
    Sweep("the database is away", the_database_is_away),
)


def every_plan(where: Path) -> Iterator[tuple[Scenario, Plan]]:
    """The runs of every sweep over every scenario."""
    for sweep in SWEEPS:
        for scenario in SCENARIOS.values():
            for plan in sweep.plans(scenario, where):
                yield scenario, plan


def chance(seed: int) -> tuple[Scenario, Plan]:
    """A run that a seed has drawn: one to four faults anywhere."""
    rng = random.Random(seed)
    faults = {rng.randrange(1, 800): _any_fault(rng) for _ in range(rng.randrange(1, 5))}
    return rng.choice(list(SCENARIOS.values())), Plan(faults, rng.randrange(1000), rng.choice([1, 2, 8]))


def _any_fault(rng: random.Random) -> Fault:
    return rng.choice(
        [
            Kill(rng.choice(list(Fate)), rng.choice([0.05, 0.3, 1.0, 3.0, 6.0])),
            Restart(rng.choice([0.0, 0.3, 2.0]), rng.randrange(2)),
            Slow(rng.choice([0.5, 1.5, 3.0]), 4.0, rng.randrange(2)),
            Cut(),
            Silence(rng.choice([0.0, 1.0, 4.0])),
            Stall(rng.choice([1.0, 4.0, 12.0])),
            Away(rng.choice([0.3, 2.0, 8.0])),
        ]
    )
