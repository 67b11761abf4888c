"""What is played, in order: fixed lists for the test suite, and endless ones that a seed draws."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

from tests.chaos.disturbances import (
    Calling,
    CutLink,
    Disturbance,
    Freeze,
    KillBoth,
    KillDatabase,
    KillDialer,
    KillSwitch,
    LateOriginates,
    ListNumbers,
    Restart,
    SilentLink,
    SlowOther,
)
from tests.chaos.grounds import LEASE

KILLS: Final[Sequence[Disturbance]] = [KillDialer()] * 15
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

NODES: Final[Sequence[Disturbance]] = [
    Freeze(LEASE + 2),
    KillDatabase(),
    LateOriginates("rescued"),
    Restart(),
    KillDialer(pause=LEASE + 2),
    SilentLink(7, "heal"),
    KillSwitch(),
    KillDatabase(down=0.0),
]
"""What several nodes on one server have to get over."""

FLEET: Final[Sequence[Disturbance]] = [
    KillSwitch(),
    SlowOther(),
    KillSwitch(down=3.0),
    SlowOther(meanwhile=KillSwitch()),
    CutLink(),
]
"""What happens to one of two switches, or to each of them."""

POOLED: Final[Sequence[Disturbance]] = [
    Calling(150),
    ListNumbers(),
    KillDialer(),
    KillDialer(),
    KillSwitch(),
    ListNumbers(),
    KillDialer(),
    CutLink(),
    KillDialer(),
    LateOriginates("killed"),
]
"""What happens to a campaign whose calls show the numbers of a pool."""

POOLED_ON_SERVER: Final[Sequence[Disturbance]] = [
    Calling(150),
    ListNumbers(),
    KillDatabase(),
    KillDialer(),
    KillSwitch(),
    KillDatabase(down=0.0),
    ListNumbers(),
    KillDialer(pause=LEASE + 2),
    LateOriginates("rescued"),
    KillDialer(),
]
"""The same with nodes that share a database, and lose their connections to it."""

OUTAGE: Final = (
    "no calls are begun: the database does not serve",
    "no heartbeat: the database does not serve",
    "moves are not stored yet",
    "calls without a campaign are not woken: the database does not serve",
    "no events are handed over: the database does not serve",
    "no imports are taken: the database does not serve",
    "no live events are told: the database does not serve",
    "no webhooks are told: the database does not serve",
    "nothing is told of idle campaigns: the database does not serve",
    "old call records are not removed: the database does not serve",
    "readers of events are not known: the database does not serve",
    "the ends of second legs are not stored",
    "the database does not answer: the connection is given up",
    "the database is away",
)
"""What a dialer says when its database is away."""

TO_THE_END: Final[Sequence[Disturbance]] = [KillDialer(), KillDialer(), KillSwitch(), KillDialer(), CutLink()]
"""After which the campaign goes on until every contact is finished."""

_OFTEN: Final = 6
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
_SERVER: Final[Sequence[Disturbance]] = [KillDatabase(), KillDatabase(down=0.0), KillDatabase(down=8.0)]
_SEVERAL: Final[Sequence[Disturbance]] = [
    LateOriginates("rescued"),
    Freeze(LEASE + 2),
    KillDialer(pause=2 * LEASE),
    KillDialer(pause=2 * LEASE),
]


def endless(rng: random.Random, *, server: bool, several: bool) -> Iterator[Disturbance]:
    """Mostly kills of dialers, and every other disturbance in turn, in an order of chance; those of a database's server, and
    those of several dialers, where there are such."""
    kinds = [*_SELDOM, *(_SERVER if server else []), *(_SEVERAL if several else [])]
    while True:
        for seldom in rng.sample(kinds, len(kinds)):
            yield from [KillDialer()] * rng.randrange(2 * _OFTEN)
            yield seldom
