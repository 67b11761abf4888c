"""The campaign that is called while things go wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from attrs import define, field, frozen

from dialer.accounts import hash_password
from dialer.cli.blocking import with_database
from dialer.model import Contact
from dialer.store.database import Database
from dialer.store.schema import upgrade
from tests.chaos.grounds import Ground
from tests.harness.campaign import ATTEMPT_SPAN, HINDRANCES, CampaignRules, PlayedCallerId, seed
from tests.integration.run_support import PASSWORD
from tests.seeding import Seeds

CALLEES: Final = (
    "busy",
    "busy_ringing",
    "rejected",
    "no_answer",
    "never_replies",
    "answers:ring=0.1-0.8,talk=0.3-1.5",
    "answers:ring=0.1-0.8,talk=0.3-1.5",
    "answers:ring=0.5-1.5,talk=1-4",
    "early_media:ring=0.2-1,talk=0.5-2",
    "stays",
)
"""Who answers, by the last digit of the number."""


def pool(cap: int) -> tuple[PlayedCallerId, ...]:
    """Caller ids that soon have their `cap` calls of the day, and one without a cap, lest the campaign ends with them."""
    return (
        PlayedCallerId(number="+12125550000"),
        *(PlayedCallerId(number=f"+12125551{index:03}", cap=cap) for index in range(12)),
        *(PlayedCallerId(number=f"+12125552{index:03}", cap=cap, hindrance=each) for index, each in enumerate(HINDRANCES)),
    )


_CREATING: Final = Lock()


@frozen(kw_only=True)
class Rules(CampaignRules):
    """The campaign's rules, and the dialer's times: short ones, so that much happens. Seconds, and calls per minute. The
    interval is longer than a dialer needs to give up a call that it cannot find, lest a hasty retry look like a right one."""

    frequency: int = 1500
    max_retry: int = 2
    interval: int = 6
    call_timeout: int = 3
    max_duration: int = 20
    grace: float = 2.0
    window: float = 3.0
    silence: float = 5.0


CALLING_RULES: Final = {"apply": "file", "file": "rules.toml", "unknown_zone": "campaign"}
"""The section of a node's configuration, where the rules of the campaign count attempts."""


def calling_rules(rules: CampaignRules) -> str:
    """The file that it names."""
    row = 'place = "*"\nname = "played"\nsource = "played"\nread_on = 2026-01-01\nconfidence = "low"\n'
    return f"[[row]]\n{row}attempts = [{{most = {rules.attempts or 1}, seconds = {ATTEMPT_SPAN:.0f}}}]\n"


def callees() -> list[str]:
    """The simulator's options."""
    return [text for digit, script in enumerate(CALLEES) for text in ("--callee", f"*{digit}={script}")]


@define(eq=False)
class PlayedCampaign:
    """One campaign with one phonebook; contacts come as they are needed."""

    ground: Ground
    rules: Rules
    id: int = field(default=0, init=False)
    contacts: int = field(default=0, init=False)
    _phonebook: int = field(default=0, init=False)

    def create(self) -> None:
        """Make the schema, and everything that a campaign needs. Pony imports the driver of a database when it opens the
        first one, which only one thread may do at a time."""
        with _CREATING:
            upgrade(self.ground.url)
            with_database(self.ground.url, self._seed)

    def add(self, count: int) -> None:
        """More contacts, beside the dialers that run."""
        numbers = [Contact(number=f"1555{index:07d}") for index in range(self.contacts, self.contacts + count)]
        self.contacts += count
        with_database(self.ground.url, lambda database: Seeds(database, datetime.now(UTC)).add(self._phonebook, numbers))

    def forbid(self, numbers: Sequence[str]) -> float:
        """Put numbers on the list that holds for everybody; when that was durable, in seconds since 1970."""
        with_database(self.ground.url, lambda database: Seeds(database, datetime.now(UTC)).forbid(*numbers, reason="asked"))
        return time.time()

    def waiting(self) -> Sequence[str]:
        """Numbers that are to be called: again first, then for the first time."""
        found = self.ground.rows("SELECT number FROM subscriber WHERE status = 1 ORDER BY count_attempt DESC, id")
        return [number for (number,) in found]

    def fresh(self) -> int:
        """How many contacts have not been called yet."""
        ((count,),) = self.ground.rows("SELECT count(*) FROM subscriber WHERE status = 1 AND count_attempt = 0")
        return int(count)

    async def _seed(self, database: Database) -> None:
        seeded = await seed(database, self.rules, datetime.now(UTC), password_hash=hash_password(PASSWORD))
        self.id, self._phonebook = seeded.campaign_id, seeded.phonebook_id
