"""What is played: who is called, and what goes wrong when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from attrs import Factory, evolve, frozen

from dialer.model import UnknownPolicy
from dialer.rules.book import NO_RULES, RuleBook, UnknownZone
from dialer.rules.rows import RuleRow
from tests.crash.network import Fate
from tests.harness.campaign import ATTEMPT_SPAN, HINDRANCES, CampaignRules, PlayedCallerId

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""Noon of a Monday, and midnight in `AHEAD`."""
AHEAD = "Pacific/Tarawa"

HALF_HOURS: Final = [f"{at // 60:02}:{at % 60 + 1:02}-{(at + 30) // 60:02}:{(at + 30) % 60:02}" for at in range(0, 1440, 30)]
"""Without the first minute of each, lest it matter in which zone the made-up numbers are taken to be."""

RULES = CampaignRules(frequency=600, max_retry=1, interval=6, call_timeout=2, max_duration=20)
"""The interval is more than the dialer needs to be sure that a call is gone."""


@frozen(kw_only=True)
class Scenario:
    """A campaign: `callees` are scripts of the simulator, one contact each; so many `forbidden` contacts, which are on the
    do-not-call list, are added to them. The first callee is on a list of the user for so many seconds of `rest`; the last one
    is put on the list that holds for everybody after so many seconds, where `listed_after` is given. It is called through so
    many `switches`. What is played lasts `message` seconds; with `inline`, calls bring their dialplan themselves.

    The world begins so many seconds `before` `START`. Calls show `caller_ids`, whose day ends at `START`. With `attempts`, a
    number is called so often in a minute, and with `closes`, nobody in the minute that begins at `START`. Whatever goes wrong,
    the campaign, which has so many `retries`, comes to its end within `patience` seconds. Of a `long` scenario a sweep takes
    fewer of its kill points, and hardly any of those at which nothing is under way. The gateway is `down` for so many seconds,
    of which the dialer knows by its calls alone."""

    name: str
    callees: tuple[str, ...]
    forbidden: int = 0
    rest: int = 0
    policy: UnknownPolicy = UnknownPolicy.RETRY
    switches: int = 1
    message: float = 0.5
    inline: bool = False
    listed_after: float | None = None
    before: float = 0.0
    caller_ids: tuple[PlayedCallerId, ...] = ()
    retries: int = 1
    attempts: int | None = None
    closes: bool = False
    patience: float = 45.0
    long: bool = False
    down: float = 0.0

    @property
    def begins(self) -> datetime:
        """When the world does."""
        return START - timedelta(seconds=self.before)

    @property
    def rules(self) -> CampaignRules:
        """The campaign's."""
        pooled = {"caller_ids": self.caller_ids, "day_zone": AHEAD, "made_at": self.begins}
        return evolve(RULES, policy=self.policy, max_retry=self.retries, attempts=self.attempts, **pooled)

    @property
    def book(self) -> RuleBook:
        """The calling rules."""
        if not self.attempts and not self.closes:
            return NO_RULES
        said: dict[str, Any] = {
            "place": "*",
            "name": "played",
            "source": "played",
            "read_on": date(2026, 1, 1),
            "confidence": "low",
        }
        if self.closes:
            said |= {"weekday": HALF_HOURS}
        if self.attempts:
            said |= {"attempts": [{"most": self.attempts, "seconds": int(ATTEMPT_SPAN)}]}
        return RuleBook((RuleRow.model_validate(said),), UnknownZone.CAMPAIGN)


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


POOL: Final = (
    PlayedCallerId(number="+12125550001", cap=5, first=1),
    PlayedCallerId(number="+12125550002", cap=5, first=2),
    *(PlayedCallerId(number=f"+1212555001{index}", cap=5, hindrance=hindrance) for index, hindrance in enumerate(HINDRANCES)),
)
"""Of four contacts, the last one waits for the next day."""

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
            Scenario(name="down", callees=("busy_ringing", "answers:ring=0.2,talk=0.7", "no_answer"), down=4.0),
            Scenario(
                name="fleet",
                callees=("answers:ring=0.5,talk=1.5", "answers:ring=0.3,talk=1", "busy_ringing", "no_answer"),
                switches=2,
            ),
            Scenario(
                name="pool",
                callees=("answers:ring=0.5,talk=1.5", "busy_ringing", "no_answer", "busy_ringing"),
                switches=2,
                before=8.0,
                caller_ids=POOL,
                listed_after=13.0,
            ),
            Scenario(
                name="ruled",
                callees=("busy_ringing", "no_answer"),
                switches=2,
                before=66.0,
                retries=2,
                attempts=1,
                closes=True,
                patience=270.0,
                long=True,
            ),
        )
    }
)
