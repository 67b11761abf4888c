"""The campaign that is called while things go wrong, and what the database says of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import frozen

from dialer.calls.settings import FlowSettings
from dialer.cli.blocking import with_database
from dialer.model import Contact, VoipAppType
from dialer.store.admin import Admin
from dialer.store.contacts import Contacts
from dialer.store.database import Database
from dialer.store.drafts import NewCampaign, NewGateway, NewPhonebook, NewUser, NewVoipApp
from dialer.store.schema import upgrade
from tests.grounds import rows


@frozen(kw_only=True)
class Rules:
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


@frozen(kw_only=True)
class StoredAttempt:
    """A row of attempts. Times are seconds since 1970."""

    uuid: str
    number: str
    owner: str
    planned_at: float
    deadline: float
    ended_at: float | None
    disposition: str | None
    cause: str | None


@frozen(kw_only=True)
class StoredContact:
    """A row of subscribers; `counted` are its attempts in the table that count."""

    number: str
    status: int
    count_attempt: int
    counted: int


ATTEMPTS = "SELECT call_uuid, number, owner, planned_at, deadline, ended_at, disposition, cause FROM attempt ORDER BY id"
CONTACTS = (
    "SELECT s.number, s.status, s.count_attempt, "
    "(SELECT count(*) FROM attempt a WHERE a.subscriber_id = s.id AND a.counts = 1) FROM subscriber s ORDER BY s.id"
)


@frozen
class PlayedCampaign:
    """A campaign with one phonebook, in a database of its own."""

    url: str
    account_code: str

    @classmethod
    def create(cls, url: str, dial_string: str, rules: Rules) -> PlayedCampaign:
        """Make the schema, and everything that a campaign needs."""
        upgrade(url)

        async def furnish(database: Database) -> str:
            await _furnish(database, dial_string, rules)
            return FlowSettings(installation=database.installation_id, outbound="").account_code

        return cls(url, with_database(url, furnish))

    def count(self, what: str) -> int:
        """How many rows there are: a table with its condition."""
        ((count,),) = rows(self.url, f"SELECT count(*) FROM {what}")
        return int(count)

    def attempts(self) -> Sequence[StoredAttempt]:
        """In the order in which they were begun."""
        return [
            StoredAttempt(
                uuid=uuid,
                number=number,
                owner=owner,
                planned_at=_seconds(planned_at) or 0.0,
                deadline=_seconds(deadline) or 0.0,
                ended_at=_seconds(ended_at),
                disposition=disposition,
                cause=cause,
            )
            for uuid, number, owner, planned_at, deadline, ended_at, disposition, cause in rows(self.url, ATTEMPTS)
        ]

    def contacts(self) -> Sequence[StoredContact]:
        """All of them."""
        return [
            StoredContact(number=number, status=status, count_attempt=count, counted=counted)
            for number, status, count, counted in rows(self.url, CONTACTS)
        ]


async def _furnish(database: Database, dial_string: str, rules: Rules) -> None:
    admin, now = Admin(database), datetime.now(UTC)
    user_id = await admin.create_user(NewUser(username="admin", is_superuser=True), now)
    gateway_id = await admin.create_gateway(NewGateway(name="callees", dial_string=dial_string), now)
    tone = f"tone_stream://%({rules.message * 1000:.0f},0,440)"
    app_id = await admin.create_voip_app(NewVoipApp(name="tone", type=VoipAppType.PLAY_AUDIO, data=tone), now)
    draft = NewCampaign(
        user_id=user_id,
        name="real",
        gateway_id=gateway_id,
        voip_app_id=app_id,
        starting_at=now - timedelta(days=1),
        expires_at=now + timedelta(days=30),
        frequency=rules.frequency,
        max_retry=rules.max_retry,
        interval_retry=rules.interval,
        call_timeout=rules.call_timeout,
        call_max_duration=rules.max_duration,
    )
    campaign_id = await admin.create_campaign(draft, now)
    phonebook_id = await admin.create_phonebook(NewPhonebook(user_id=user_id, name="all"), now)
    contacts = Contacts(database)
    await contacts.subscribe(campaign_id, phonebook_id, now)
    numbers = [f"1555{n:06d}{rules.digits[n % len(rules.digits)]}" for n in range(rules.contacts)]
    await contacts.import_contacts(phonebook_id, [Contact(number=number) for number in numbers], now)


def _seconds(moment: str | None) -> float | None:
    """A time as a database gives it, naive UTC."""
    return None if moment is None else datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
