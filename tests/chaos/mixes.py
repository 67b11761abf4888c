"""What is played, in order: fixed lists for the test suite, and endless ones that a seed draws."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

from tests.chaos.disturbances import (
    CutLink,
    Disturbance,
    Freeze,
    KillBoth,
    KillDialer,
    KillSwitch,
    LateOriginates,
    Restart,
    SilentLink,
)

KILLS: Final[Sequence[Disturbance]] = [KillDialer()] * 25
"""Half of the kills of the test suite; each database has so many."""

LINKS: Final[Sequence[Disturbance]] = [
    LateOriginates("killed"),
    KillSwitch(),
    SilentLink(2, "heal"),
    CutLink(),
    LateOriginates("woken before"),
    SilentLink(7, "reset"),
    KillBoth(),
    LateOriginates("woken after"),
    Restart(),
]
"""Everything but the plain kills."""

TO_THE_END: Final[Sequence[Disturbance]] = [KillDialer(), KillDialer(), KillSwitch(), KillDialer(), CutLink()]
"""After which the campaign goes on until every contact is finished."""

_OFTEN: Final = 12
"""Plain kills for each of the others."""

_SELDOM: Final[Sequence[Disturbance]] = [
    *LINKS,
    SilentLink(1, "reset"),
    SilentLink(12, "heal"),
    SilentLink(2, "heal", meanwhile=KillDialer()),
    SilentLink(2, "reset", meanwhile=KillDialer()),
    Freeze(1),
    Freeze(7),
]


def endless(rng: random.Random) -> Iterator[Disturbance]:
    """Mostly kills of dialers, and every other disturbance in turn, in an order of chance."""
    while True:
        for seldom in rng.sample(_SELDOM, len(_SELDOM)):
            yield from [KillDialer()] * rng.randrange(2 * _OFTEN)
            yield seldom
