"""Nobody called twice, nobody lost: real processes, killed and cut off while they call.

The plays mostly wait, so they are played side by side; each test waits for its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import pytest
from attrs import frozen

from dialer.model import OwnCause
from tests.chaos.disturbances import Disturbance, KillDialer, KillSwitch, LateOriginates
from tests.chaos.figures import Figures
from tests.chaos.grounds import GROUNDS
from tests.chaos.judge import Broken, Kind
from tests.chaos.mixes import KILLS, LINKS, TO_THE_END
from tests.chaos.play import Play

pytestmark = pytest.mark.timeout(300)

AT_ONCE = 4
"""Plays. One takes a third of a processor on average."""

PLAYS: Final[Mapping[str, Sequence[Disturbance]]] = {"kills": KILLS, "links": LINKS, "to the end": TO_THE_END}
SEEDS: Final[Mapping[str, int]] = {"kills": 101, "links": 202, "to the end": 303}

DEFECTS: Final[Mapping[str, Sequence[Disturbance]]] = {
    "no deadline in the originate": [LateOriginates("killed")],
    "planned treated as never sent": [KillDialer()] * 8,
    "adoption without Core-UUID check": [KillSwitch()],
}


@frozen
class Played:
    """A play that is over."""

    play: Play
    figures: Figures
    broken: list[Broken]

    def __str__(self) -> str:
        return self.play.told(self.broken)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[tuple[str, str], Future[Played]]]:
    def submit(name: str, database: str, disturbances: Sequence[Disturbance], seed: int, defect: str = "") -> Future[Played]:
        folder = tmp_path_factory.mktemp("chaos")
        play = Play(folder, database, seed, finish=name == "to the end", defect=defect)

        def run() -> Played:
            figures = Figures()
            return Played(play, figures, play(disturbances, figures))

        return pool.submit(run)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        plays = {
            (name, database): submit(name, database, disturbances, SEEDS[name])
            for name, disturbances in PLAYS.items()
            for database in GROUNDS
        }
        for name, disturbances in DEFECTS.items():
            plays[name, "sqlite"] = submit(name, "sqlite", disturbances, 404, defect=name)
        yield plays


@pytest.mark.parametrize("database", GROUNDS)
def test_dialers_that_are_killed_call_nobody_twice_and_lose_nobody(played, database):
    run = played["kills", database].result()
    assert not run.broken, str(run)
    assert run.figures.kills == len(KILLS)
    assert sum(count > 0 for count in run.figures.open_at_kills) >= 20, "most kills came when nothing was to be lost"
    assert run.figures.worst_adopted <= 2.0
    assert run.figures.worst_resumed <= 5.0


@pytest.mark.parametrize("database", GROUNDS)
def test_a_switch_that_dies_and_links_that_break_make_nobody_called_twice_or_lost(played, database):
    run = played["links", database].result()
    assert not run.broken, str(run)
    assert run.figures.switch_kills == 2
    assert run.figures.refused_late >= 3
    assert {OwnCause.LOST_SWITCH, OwnCause.UNKNOWN, OwnCause.LATE} <= run.figures.causes.keys()


@pytest.mark.parametrize("database", GROUNDS)
def test_every_contact_is_finished_in_the_end(played, database):
    run = played["to the end", database].result()
    assert not run.broken, str(run)
    assert run.figures.switch_kills == 1
    assert run.figures.kills == 3


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_does_not_go_unseen(played, name):
    run = played[name, "sqlite"].result()
    assert run.broken, "the judge has seen nothing"
    kinds = {broken.kind for broken in run.broken}
    assert kinds == {Kind.OTHER if name == "adoption without Core-UUID check" else Kind.DUPLICATE}, str(run)
