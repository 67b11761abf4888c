"""Nobody called twice, nobody lost: real processes, killed and cut off while they call.

The plays mostly wait, so they are played side by side; each test waits for its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pytest
from attrs import Factory, evolve, frozen

from dialer.calls.corrections import Correction
from dialer.model import OwnCause
from tests.chaos.campaign import Rules, pool
from tests.chaos.disturbances import Calling, Disturbance, KillDialer, KillSwitch, LateOriginates
from tests.chaos.figures import Figures
from tests.chaos.mixes import FLEET, KILLS, LINKS, NODES, OUTAGE, POOLED, POOLED_ON_SERVER, TO_THE_END
from tests.chaos.play import Play
from tests.harness.judge import Broken, Kind

pytestmark = pytest.mark.timeout(300)

AT_ONCE = 6
"""Plays. One takes a sixth of a processor on average."""


@frozen(kw_only=True)
class Planned:
    """A play by its name; see `Play`."""

    name: str
    disturbances: Sequence[Disturbance]
    database: str = "sqlite"
    nodes: int = 1
    seed: int = 1
    finish: bool = False
    defect: str = ""
    expected: tuple[str, ...] = ()
    second: bool = False
    rules: Rules = Factory(Rules)

    def __str__(self) -> str:
        return f"{self.name}-{self.database}"


KILLED: Final = (
    Planned(name="kills", disturbances=KILLS, seed=101),
    Planned(name="kills", disturbances=KILLS, database="postgresql", nodes=2, seed=102),
)
LINKED: Final = Planned(name="links", disturbances=LINKS, seed=202)
SHARED: Final = Planned(name="nodes", disturbances=NODES, database="postgresql", nodes=3, seed=303, expected=OUTAGE)
FINISHED: Final = (
    Planned(name="to the end", disturbances=TO_THE_END, seed=401, finish=True),
    Planned(name="to the end", disturbances=TO_THE_END, database="postgresql", nodes=2, seed=402, finish=True),
)
FLEETS: Final = (
    Planned(name="two switches", disturbances=FLEET, seed=501, finish=True, second=True),
    Planned(name="two switches", disturbances=FLEET, database="postgresql", nodes=2, seed=502, finish=True, second=True),
)
CAP: Final = 10
RULED: Final = Rules(caller_ids=pool(CAP), attempts=2)
"""Two attempts of three come within a minute."""
RULES: Final = (
    Planned(name="pool", disturbances=POOLED, seed=601, second=True, rules=RULED),
    Planned(
        name="pool",
        disturbances=POOLED_ON_SERVER,
        database="postgresql",
        nodes=2,
        seed=602,
        second=True,
        expected=OUTAGE,
        rules=RULED,
    ),
)
DEFECTIVE: Final = (
    Planned(name="planned treated as never sent", disturbances=[KillDialer()] * 8),
    Planned(name="adoption without Core-UUID check", disturbances=[KillSwitch()] * 3),
    Planned(name="no deadline in the originate", disturbances=[LateOriginates("rescued")], database="postgresql", nodes=2),
    Planned(
        name="calls of a caller id counted by each process",
        disturbances=[Calling(40), KillDialer(), Calling(40)],
        rules=Rules(caller_ids=pool(cap=2)),
    ),
)
SEEN_AS: Final = {
    "adoption without Core-UUID check": Kind.OTHER,
    "calls of a caller id counted by each process": Kind.OTHER,
}
"""Those that call nobody twice."""


@frozen
class Played:
    """A play that is over."""

    play: Play
    figures: Figures
    broken: list[Broken]

    def __str__(self) -> str:
        return self.play.told(self.broken)


Plays = Mapping[str, Future[Played]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plays]:
    """By the texts of the plans. The longest ones begin first."""

    def submit(plan: Planned) -> Future[Played]:
        more = {"finish": plan.finish, "defect": plan.defect, "expected": plan.expected}
        more |= {"second": plan.second, "rules": plan.rules}
        play = Play(tmp_path_factory.mktemp("chaos"), plan.database, plan.seed, plan.nodes, **more)
        return pool.submit(_run, play, plan.disturbances)

    defective = [evolve(plan, defect=plan.name) for plan in DEFECTIVE]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {str(plan): submit(plan) for plan in (SHARED, LINKED, *RULES, *KILLED, *FINISHED, *FLEETS, *defective)}


def _run(play: Play, disturbances: Sequence[Disturbance]) -> Played:
    figures = Figures()
    return Played(play, figures, play(disturbances, figures))


@pytest.mark.parametrize("plan", KILLED, ids=str)
def test_dialers_that_are_killed_call_nobody_twice_and_lose_nobody(played, plan):
    run = played[str(plan)].result()
    assert not run.broken, str(run)
    assert run.figures.kills == len(KILLS)
    assert sum(count > 0 for count in run.figures.open_at_kills) >= 12, "most kills came when nothing was to be lost"
    assert run.figures.worst_adopted <= 5.0
    assert run.figures.worst_resumed <= 15.0  # a tenth of that on a machine with nothing else to do


def test_a_switch_that_dies_and_links_that_break_make_nobody_called_twice_or_lost(played):
    run = played[str(LINKED)].result()
    assert not run.broken, str(run)
    assert run.figures.switch_kills == 2
    assert run.figures.refused_late >= 3
    assert {OwnCause.LOST_SWITCH, OwnCause.UNKNOWN, OwnCause.LATE} <= run.figures.causes.keys()


def test_nodes_that_share_a_database_call_nobody_twice_and_lose_nobody(played):
    run = played[str(SHARED)].result()
    assert not run.broken, str(run)
    assert run.figures.refused_late >= 3
    assert run.figures.corrections[Correction.RESCUED] > 0


@pytest.mark.parametrize("plan", FINISHED, ids=str)
def test_every_contact_is_finished_in_the_end(played, plan):
    run = played[str(plan)].result()
    assert not run.broken, str(run)
    assert (run.figures.kills, run.figures.switch_kills) == (3, 1)


@pytest.mark.parametrize("plan", FLEETS, ids=str)
def test_of_two_switches_one_dies_and_one_is_slow_and_nobody_is_called_twice_or_lost(played, plan):
    run = played[str(plan)].result()
    assert not run.broken, str(run)
    assert run.figures.switch_kills == 3
    assert run.figures.causes[OwnCause.LOST_SWITCH] > 0


@pytest.mark.parametrize("plan", RULES, ids=str)
def test_no_caller_id_list_or_count_of_attempts_is_passed_over_whatever_dies(played, plan):
    run = played[str(plan)].result()
    assert not run.broken, str(run)
    assert run.figures.kills >= 3
    assert run.figures.calls > CAP * len(RULED.caller_ids), "hardly a number had its calls of the day"


@pytest.mark.parametrize("plan", DEFECTIVE, ids=str)
def test_a_defect_does_not_go_unseen(played, plan):
    run = played[str(plan)].result()
    assert run.broken, "the judge has seen nothing"
    assert SEEN_AS.get(plan.name, Kind.DUPLICATE) in {broken.kind for broken in run.broken}, str(run)
