"""What is played: who is called, and what goes wrong when."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import Factory, evolve, frozen

from dialer.model import UnknownPolicy
from tests.crash.network import Fate
from tests.harness.campaign import CampaignRules

RULES = CampaignRules(frequency=600, max_retry=1, interval=6, call_timeout=2, max_duration=20)
"""The interval is more than the dialer needs to be sure that a call is gone."""


@frozen(kw_only=True)
class Scenario:
    """A campaign: `callees` are scripts of the simulator, one contact each; so many `forbidden` contacts, which are on the
    do-not-call list, are added to them. The first callee is on a list of the user for so many seconds of `rest`. It is called
    through so many `switches`. What is played lasts `message` seconds; with `inline`, calls bring their dialplan
    themselves."""

    name: str
    callees: tuple[str, ...]
    forbidden: int = 0
    rest: int = 0
    policy: UnknownPolicy = UnknownPolicy.RETRY
    switches: int = 1
    message: float = 0.5
    inline: bool = False

    @property
    def rules(self) -> CampaignRules:
        """The campaign's."""
        return evolve(RULES, policy=self.policy)


@frozen
class Kill:
    """`kill -9` of the dialer; `fate` is that of the bytes it had written. Another one is started after `restart` seconds."""

    fate: Fate = Fate.ARRIVES
    restart: float = 0.3


@frozen
class Restart:
    """FreeSWITCH dies, and another process of it serves after `down` seconds. `which` of several switches it is, is counted
    around."""

    down: float = 0.5
    which: int = 0


@frozen
class Slow:
    """Everything that FreeSWITCH sends leaves so many seconds `late`, for so many seconds; `which` as in `Restart`."""

    late: float = 1.5
    seconds: float = 4.0
    which: int = 0


@frozen
class Cut:
    """Every connection breaks."""


@frozen
class Silence:
    """What is open falls silent for ever; new connections can be had after so many seconds."""

    seconds: float = 1.0


@frozen
class Stall:
    """What the dialer has sent and sends on its open connections arrives so many seconds late, should it die meanwhile."""

    seconds: float = 12.0


@frozen
class Away:
    """The database cannot serve for so many seconds: locked, full, or its server is away."""

    seconds: float = 3.0


Fault = Kill | Restart | Slow | Cut | Silence | Stall | Away


@frozen
class Plan:
    """Faults by the number of the kill point, counted from the start of the run. `seed` decides the sizes of the pieces that
    the network delivers (at most `pieces` for each write), how long they and the commits take, and with it the order of what
    happens at the same time."""

    faults: Mapping[int, Fault] = Factory(dict)
    seed: int = 1
    pieces: int = 2


SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Scenario(name="mixed", callees=("busy_ringing", "answers:ring=0.5,talk=1.5", "no_answer"), forbidden=1, rest=3),
            Scenario(name="silent", callees=("never_replies", "rejected", "answers:ring=0.2,talk=0.7")),
            Scenario(
                name="never",
                callees=("answers:ring=1,talk=2", "early_media:ring=0.5,talk=1", "busy_ringing", "invalid"),
                policy=UnknownPolicy.NEVER,
            ),
            Scenario(
                name="fleet",
                callees=("answers:ring=0.5,talk=1.5", "answers:ring=0.3,talk=1", "busy_ringing", "no_answer"),
                switches=2,
            ),
        )
    }
)
