"""The campaign that is called on a real FreeSWITCH."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from dialer.calls.flow_settings import FlowSettings
from dialer.cli.blocking import with_database
from dialer.model import Contact
from dialer.store.database import Database
from dialer.store.schema import upgrade
from tests.grounds import rows
from tests.harness.campaign import CampaignRules, StoredAttempt, StoredContact, seed, stored_attempts, stored_contacts
from tests.seeding import Seeds


@frozen(kw_only=True)
class Rules(CampaignRules):
    """The campaign's rules: seconds, and calls per minute. What is played lasts `message` seconds; `digits` are what the
    numbers end with, in turn."""

    contacts: int = 80
    digits: str = "0123456789"
    frequency: int = 600
    max_retry: int = 2
    interval: int = 4
    call_timeout: int = 5
    max_duration: int = 30
    message: float = 1.5


@frozen
class PlayedCampaign:
    """A campaign with one phonebook, in a database of its own."""

    url: str
    account_code: str

    @classmethod
    def create(cls, url: str, dial_string: str, rules: Rules) -> PlayedCampaign:
        """Make the schema, and everything that a campaign needs."""
        upgrade(url)

        async def fill(database: Database) -> str:
            now, audio = datetime.now(UTC), f"tone_stream://%({rules.message * 1000:.0f},0,440)"
            seeded = await seed(database, rules, now, dial_string=dial_string, audio=audio)
            numbers = [f"1555{n:06d}{rules.digits[n % len(rules.digits)]}" for n in range(rules.contacts)]
            contacts = [Contact(number=number) for number in numbers]
            await Seeds(database, now).add(seeded.phonebook_id, contacts)
            return FlowSettings(installation=database.installation_id, outbound="").account_code

        return cls(url, with_database(url, fill))

    def count(self, what: str) -> int:
        """How many rows there are: a table with its condition."""
        ((count,),) = self._rows(f"SELECT count(*) FROM {what}")
        return int(count)

    def attempts(self) -> Sequence[StoredAttempt]:
        """In the order in which they were begun."""
        return stored_attempts(self._rows)

    def contacts(self) -> Sequence[StoredContact]:
        """All of them."""
        return stored_contacts(self._rows)

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        return rows(self.url, statement)
