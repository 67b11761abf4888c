"""Nobody called twice, nobody lost: at every kill point, and with every defect seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.calls.fleet import Fleet
from tests.crash.defects import DEFECTS
from tests.crash.network import Fate
from tests.crash.oracle import violations
from tests.crash.scenarios import SCENARIOS, Away, Cut, Kill, Plan, Restart, Scenario, Silence, Slow, Stall
from tests.crash.sweep import SWEEPS, Sweep, Tally, every_plan, folder, play
from tests.crash.world import World

pytestmark = pytest.mark.timeout(300)

SECONDS = st.sampled_from([0.05, 0.3, 1.0, 3.0, 6.0])
FAULTS = st.one_of(
    st.builds(Kill, st.sampled_from(Fate), SECONDS),
    st.builds(Restart, SECONDS, st.integers(0, 1)),
    st.builds(Slow, st.sampled_from([0.5, 1.5, 3.0]), SECONDS, st.integers(0, 1)),
    st.builds(Cut),
    st.builds(Silence, SECONDS),
    st.builds(Stall, st.sampled_from([1.0, 4.0, 12.0])),
    st.builds(Away, st.sampled_from([0.3, 2.0, 8.0])),
)
PLANS = st.builds(
    Plan,
    st.dictionaries(st.integers(1, 800), FAULTS, min_size=1, max_size=4),
    st.integers(0, 1000),
    st.sampled_from([1, 2, 8]),
)


@pytest.fixture(scope="module")
def where() -> Iterator[Path]:
    with folder() as path:
        yield path


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_no_fault_at_any_kind_of_point_rings_twice_or_loses_anybody(sweep: Sweep, scenario: Scenario, where: Path) -> None:
    """`python -m tests.crash` plays all points."""
    tally = Tally()
    for plan in sweep.sample(scenario, where):
        play(scenario, plan, where, tally)
    assert not tally.seen, "\n".join(map(str, tally.seen[:5]))


def test_the_sweeps_have_six_thousand_kill_points(where: Path) -> None:
    assert sum(len(plan.faults) for _, plan in every_plan(where)) >= 6000


@settings(max_examples=150)
@given(st.sampled_from(list(SCENARIOS.values())), PLANS)
def test_no_combination_of_faults_rings_twice_or_loses_anybody(where: Path, scenario: Scenario, plan: Plan) -> None:
    assert play(scenario, plan, where, Tally()) == []


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_seen_by_a_sweep_and_by_nothing_less(name: str, where: Path) -> None:
    defect = DEFECTS[name]
    scenario = SCENARIOS[defect.scenario]
    sweep = next(sweep for sweep in SWEEPS if sweep.name == defect.seen_by)
    plans = list(sweep.plans(scenario, where))
    with defect.apply():
        # Whether the originate overtakes the COMMIT is chance: some runs without a fault show nothing.
        assert any(play(scenario, Plan(seed=seed), where, Tally()) == [] for seed in range(5)) == defect.hidden
        assert any(play(scenario, plan, where, Tally()) for plan in plans)


def test_a_dialer_that_takes_the_word_of_any_switch_for_that_of_a_call_is_seen(where: Path) -> None:
    scenario = SCENARIOS["fleet"]
    sweep = next(sweep for sweep in SWEEPS if sweep.name == "switch restarts")
    plans = list(sweep.plans(scenario, where))
    with mock.patch.object(Fleet, "has_call", lambda self, member, live: True):
        assert any(play(scenario, plan, where, Tally()) for plan in plans)


def test_a_run_is_the_same_every_time(where: Path) -> None:
    plan = Plan({120: Kill(Fate.CUT, 1.0), 400: Restart(1.0), 600: Silence(1.0)}, seed=3, pieces=8)
    runs = []
    for _ in range(2):
        world = World(SCENARIOS["mixed"], plan, where, trace=[])
        world.run()
        assert violations(world) == []
        runs.append((world.trace, world.rows("SELECT * FROM attempt"), [one.call.invited_at for one in world.oracle.invites]))
        world.close()
    assert runs[0] == runs[1]
