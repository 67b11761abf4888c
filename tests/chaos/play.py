"""A run from its beginning to its judgement."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import Factory, frozen

from tests.chaos.arena import Arena
from tests.chaos.campaign import Rules
from tests.chaos.disturbances import Disturbance
from tests.chaos.figures import Figures
from tests.chaos.grounds import GROUNDS, Ground
from tests.harness.judge import Broken, Kind


@frozen
class Play:
    """What is played: in which folder, on which of `GROUNDS`, with how many dialers, by which seed; with which of
    `tests.crash.defects`, with a `second` switch or without, by which `rules`. `expected` are beginnings of log lines which
    are no errors in this play."""

    folder: Path
    database: str
    seed: int
    nodes: int = 1
    finish: bool = False
    defect: str = ""
    expected: tuple[str, ...] = ()
    second: bool = False
    rules: Rules = Factory(Rules)

    def __call__(self, disturbances: Iterable[Disturbance], figures: Figures) -> list[Broken]:
        """Play it; the broken promises. Without any, the folder is removed."""
        with GROUNDS[self.database](self.folder) as ground:
            arena = Arena(
                self.folder,
                ground,
                self.seed,
                self.nodes,
                self.rules,
                defect=self.defect,
                expected=self.expected,
                second=self.second,
            )
            try:
                with arena:
                    for disturbance in disturbances:
                        arena.strike(disturbance)
                    broken = arena.settle(finish=self.finish)
            except AssertionError as error:
                broken = [Broken(Kind.OTHER, str(error))]
            figures.add(arena, broken)
            if broken:
                _keep(ground, self.folder)
        if not broken:
            shutil.rmtree(self.folder)
        return broken

    def told(self, broken: Sequence[Broken], most: int = 10) -> str:
        """What was broken, with how to see it again."""
        lines = [f"seed {self.seed} on {self.database}, nodes: {self.nodes}; logs: {self.folder}", *map(str, broken[:most])]
        return "\n".join(lines + [f"and {len(broken) - most} more"] * (len(broken) > most))


def _keep(ground: Ground, folder: Path) -> None:
    """What the database knows, for who looks for the reason: a server is gone with the play."""
    for table in ("attempt", "subscriber"):
        rows = ground.rows(f"SELECT * FROM {table} ORDER BY id")
        (folder / f"{table}.txt").write_text("".join(f"{row}\n" for row in rows))
