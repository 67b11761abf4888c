"""`python -m tests.chaos`: dialers are killed, frozen and cut off for as long as is wished, and what that did is told."""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.disturbances import Disturbance
from tests.chaos.figures import Figures
from tests.chaos.grounds import GROUNDS
from tests.chaos.mixes import OUTAGE, endless
from tests.chaos.play import Play

KILLS = 200
ROUND = 80
"""Disturbances of one campaign; then another one begins, with the next seed."""


def main() -> int:
    """Exit status: 0 when every promise was kept, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, help=f"end after so many kills of dialers (default: {KILLS}, without --seconds)")
    parser.add_argument("--seconds", type=float, help="begin no more after so many seconds")
    parser.add_argument("--database", choices=[*GROUNDS, "all"], default="all", help="default: %(default)s")
    parser.add_argument(
        "--nodes",
        type=int,
        default=1,
        choices=[1, 2, 3],
        help="dialers at the same time, where the database can be shared (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="the first campaign's (default: %(default)s)")
    options = parser.parse_args()
    names = list(GROUNDS) if options.database == "all" else [options.database]
    broken = False
    for name in names:
        say(f"--- {name}")
        figures = rounds(name, options)
        for line in figures.lines():
            say(line)
        broken = broken or bool(figures.broken)
    return 1 if broken else 0


def rounds(name: str, options: argparse.Namespace) -> Figures:
    """Campaigns on one database until the time, or the number of kills, is reached."""
    figures, seed = Figures(), options.seed
    kills = options.kills or (KILLS if options.seconds is None else math.inf)
    until = time.monotonic() + (options.seconds or math.inf)
    while figures.kills < kills and time.monotonic() < until:
        folder = Path(tempfile.mkdtemp(prefix=f"dialer-chaos-{name}-"))
        play = Play(folder, name, seed, 1 if name == "sqlite" else options.nodes, finish=True, expected=OUTAGE)
        broken = play(chosen(play, kills - figures.kills, until), figures)
        say(f"seed {seed}: {figures.kills} kills, {figures.calls} calls so far")
        if broken:
            say(play.told(broken))
        seed += 1
    return figures


def chosen(play: Play, kills: float, until: float) -> Iterator[Disturbance]:
    """One round."""
    mix = endless(random.Random(play.seed), server=play.database == "postgresql", several=play.nodes > 1)
    for number, disturbance in enumerate(mix):
        if number == min(ROUND, kills + 1) or time.monotonic() > until:
            return
        yield disturbance


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
