"""`python -m tests.attack`: the attacks one after the other, each on a new dialer that makes 20 calls a second; and requests
made up from the OpenAPI document. Tells what was found, and figures.

On a machine with other things to do, what is late may be so for their sake: `nothing` is no attack, and tells how busy it is.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.attack.attacker import attacked
from tests.attack.attacks import ATTACKS
from tests.attack.flow import Attacker, Figures, Limits, Stage, calling
from tests.attack.hostile_switch import BREAKS, LIES

NOTHING: Final = "nothing"
FUZZING: Final = "fuzzing"
STATEFUL: Final = "stateful"
SWITCH: Final = {**LIES, **BREAKS}
NAMES: Final = (NOTHING, *ATTACKS, *SWITCH, FUZZING, STATEFUL)
REQUESTS: Final = 100_000
SECONDS: Final = 10.0
CAMPAIGNS: Final = 3000
CONTACTS: Final = 20_000
LIMITS: Final = Limits()


def main() -> int:
    """Exit status: 0 when every promise was kept, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.attack", description=__doc__, epilog=f"Attacks: {', '.join(NAMES)}."
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="ATTACK", help="default: all of them")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each attack (default: %(default)g)")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="made up in all (default: %(default)s)")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="that make requests up (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything that is left to chance (default: %(default)s)")
    options = parser.parse_args()
    broken: list[str] = []
    for name in options.only:
        if name in (FUZZING, STATEFUL):
            found = fuzzed(name, options.requests, options.processes, options.seed)
        else:
            found = list(attempted(name, options.seconds, options.seed))
        for text in found:
            say(f"  BROKEN: {text}")
        broken += [name] * bool(found)
    say(f"broken: {', '.join(broken)}" if broken else "every promise was kept")
    return 1 if broken else 0


def attempted(name: str, seconds: float, seed: int) -> Iterator[str]:
    """One attack; its broken promises."""
    campaigns = CAMPAIGNS if name == "many_campaigns" else 0
    with (
        tempfile.TemporaryDirectory(prefix="dialer-attack-") as folder,
        calling(Path(folder), seconds, campaigns=campaigns, contacts=CONTACTS, seed=seed) as stage,
    ):
        figures = stage.attacked(name, _attacker(stage, name, seed), seconds, LIMITS)
        say(figures.line())
        yield from _judged(stage, name, figures)


def _attacker(stage: Stage, name: str, seed: int) -> Attacker:
    if name in SWITCH:
        return stage.between.saying(SWITCH[name])
    return attacked(stage.place, [name] if name in ATTACKS else [], seed)


def _judged(stage: Stage, name: str, figures: Figures) -> Iterator[str]:
    """A switch that breaks its connections takes calls with it; there are calls again afterwards."""
    yield from figures.broken(LIMITS, calls=name not in BREAKS)
    try:
        stage.calls_go_on()
    except AssertionError as error:
        yield str(error)
    if stage.place.node.died_by_itself():
        yield f"the dialer has ended: {stage.place.node.last_words()}"


def fuzzed(name: str, number: int, processes: int, seed: int) -> list[str]:
    """So many requests, shared by processes; what was wrong about answers."""
    from tests.attack import stateful  # the extra `attack`
    from tests.attack.fuzz import Found, rounds

    found, began = Found(), time.monotonic()
    made = rounds(number, seed, processes)
    if name == STATEFUL:
        made = stateful.rounds(max(number // stateful.STEPS, 1), seed, processes)
    for at, each in made:
        found.add(each)
        say(f"{name}: seed {at}, {found.asked.total()} requests, {len(found.defects)} kinds of defects so far")
    found.seconds = time.monotonic() - began
    for line in found.lines():
        say(line)
    return [f"{kind}\n{text}" for kind, text in found.defects.items()]


def say(text: str) -> None:
    """At once, whoever reads it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
