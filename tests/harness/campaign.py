"""The campaign that is called while things go wrong, and its rows in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen

from dialer.model import UnknownPolicy, VoipAppType
from dialer.store.database import Database
from tests.seeding import Seeds


@frozen(kw_only=True)
class CampaignRules:
    """Seconds, and calls per minute."""

    frequency: int
    max_retry: int
    interval: int
    call_timeout: int
    max_duration: int
    policy: UnknownPolicy = UnknownPolicy.RETRY


@frozen
class Seeded:
    """A campaign, and its one phonebook, which is empty."""

    campaign_id: int
    phonebook_id: int


async def seed(
    database: Database,
    rules: CampaignRules,
    now: datetime,
    *,
    dial_string: str = "sofia/gateway/carrier/{number}",
    audio: str = "hello.wav",
    password_hash: str = "",
) -> Seeded:
    """Create everything that a campaign needs; its user is the superuser `admin`."""
    seeds = Seeds(database, now)
    user_id = await seeds.user(username="admin", password_hash=password_hash, is_superuser=True)
    gateway_id = await seeds.gateway(name="carrier", dial_string=dial_string)
    app_id = await seeds.voip_app(name="message", type=VoipAppType.PLAY_AUDIO, data=audio)
    details = await seeds.campaign(
        user_id,
        name="played",
        gateway_id=gateway_id,
        voip_app_id=app_id,
        expires_at=now + timedelta(days=30),
        frequency=rules.frequency,
        max_retry=rules.max_retry,
        interval_retry=rules.interval,
        call_timeout=rules.call_timeout,
        call_max_duration=rules.max_duration,
        unknown_policy=rules.policy,
    )
    return Seeded(details.campaign.id, details.phonebooks[0].id)


@frozen(kw_only=True)
class StoredAttempt:
    """A row of attempts; `counts` tells whether its contact was charged. Times are seconds since 1970."""

    uuid: str
    number: str
    state: str
    owner: str
    planned_at: float
    due_at: float
    deadline: float
    ended_at: float | None = None
    disposition: str | None = None
    cause: str | None = None
    core_uuid: str = ""
    counts: bool = False


@frozen(kw_only=True)
class StoredContact:
    """A row of subscribers; `counted` are its attempts in the table that count."""

    number: str
    status: int
    ready_at: float | None
    count_attempt: int
    counted: int


ATTEMPTS = (
    "SELECT call_uuid, number, state, owner, planned_at, due_at, deadline, ended_at, disposition, cause, core_uuid, "
    "counts_as_attempt FROM attempt ORDER BY id"
)
CONTACTS = (
    "SELECT s.number, s.status, s.ready_at, s.count_attempt, "
    "(SELECT count(*) FROM attempt a WHERE a.subscriber_id = s.id AND a.counts_as_attempt = 1) FROM subscriber s ORDER BY s.id"
)

Query = Callable[[str], Sequence[tuple[Any, ...]]]
"""Gives the rows of a statement that every kind of database understands."""


def stored_attempts(query: Query) -> list[StoredAttempt]:
    """In the order in which they were begun."""
    return [
        StoredAttempt(
            uuid=uuid,
            number=number,
            state=state,
            owner=owner,
            planned_at=seconds(planned_at) or 0.0,
            due_at=seconds(due_at) or 0.0,
            deadline=seconds(deadline) or 0.0,
            ended_at=seconds(ended_at),
            disposition=disposition,
            cause=cause,
            core_uuid=core_uuid,
            counts=bool(counts),
        )
        for uuid, number, state, owner, planned_at, due_at, deadline, ended_at, disposition, cause, core_uuid, counts in query(
            ATTEMPTS
        )
    ]


def stored_contacts(query: Query) -> list[StoredContact]:
    """In the order in which they came."""
    return [
        StoredContact(number=number, status=status, ready_at=seconds(ready_at), count_attempt=count, counted=counted)
        for number, status, ready_at, count, counted in query(CONTACTS)
    ]


def seconds(moment: datetime | str | None) -> float | None:
    """A time as a database gives it, naive UTC, in seconds since 1970."""
    if moment is None:
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.replace(tzinfo=UTC).timestamp()
