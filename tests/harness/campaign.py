"""The campaign that is called while things go wrong, and its rows in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import frozen

from dialer.management import caller_ids
from dialer.model import UnknownPolicy, VoipAppType
from dialer.model.user import ADMINISTRATOR
from dialer.store.database import Database
from tests.seeding import Seeds, account


@frozen(kw_only=True)
class PlayedCallerId:
    """A number of the pool of the campaign: `cap` calls of a day may show it, None: any number; on the day on which the
    campaign was made, `first` of them, where that is given. With a `hindrance`, none may: it is one of `HINDRANCES`."""

    number: str
    cap: int | None = None
    first: int | None = None
    hindrance: str = ""


HINDRANCES: Final = ("rests", "is inactive", "is for another gateway", "was removed")


@frozen(kw_only=True)
class CampaignRules:
    """Seconds, and calls per minute. Calls show `caller_ids`, whose days begin at the midnight of `day_zone`; without any,
    they show no number. At most `attempts` calls reach a number in any `ATTEMPT_SPAN`. The campaign was `made_at` a moment."""

    frequency: int
    max_retry: int
    interval: int
    call_timeout: int
    max_duration: int
    policy: UnknownPolicy = UnknownPolicy.RETRY
    caller_ids: tuple[PlayedCallerId, ...] = ()
    day_zone: str = "UTC"
    made_at: datetime | None = None
    attempts: int | None = None


ATTEMPT_SPAN: Final = 60.0
"""Seconds: the shortest for which a calling rule can count."""


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
    if rules.caller_ids:
        await _add_pool(seeds, rules, details.campaign.id)
    return Seeded(details.campaign.id, details.phonebooks[0].id)


async def _add_pool(seeds: Seeds, rules: CampaignRules, campaign_id: int) -> None:
    """The campaign takes its numbers from a pool."""
    given = {"name": "played", "foreign_callees": "allow", "time_zone": rules.day_zone}
    pool = await seeds.ask(caller_ids.create_pool, account(), given)
    elsewhere = await seeds.gateway(name="elsewhere", dial_string="sofia/gateway/elsewhere/{number}")
    for each in rules.caller_ids:
        more: dict[str, Any] = {"pool_id": pool.id, "number": each.number, "daily_cap": each.cap}
        if each.first is not None:
            more |= {"warm_up_start": each.first, "warm_up_days": 1, "first_used_at": seeds.now}
        if each.hindrance == "is inactive":
            more["active"] = False
        if each.hindrance == "is for another gateway":
            more["gateways"] = [elsewhere]
        made = await seeds.ask(caller_ids.create, ADMINISTRATOR, more)
        if each.hindrance == "rests":
            await seeds.ask(caller_ids.rest, ADMINISTRATOR, made.caller_id.id, seeds.now + timedelta(days=3))
        if each.hindrance == "was removed":
            await seeds.ask(caller_ids.remove, ADMINISTRATOR, made.caller_id.id)
    await seeds.change_campaign(campaign_id, caller_id_pool_id=pool.id)


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
    caller: str = ""


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
    "counts_as_attempt, caller_id FROM attempt ORDER BY id"
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
            caller=caller or "",
        )
        for (
            uuid, number, state, owner, planned_at, due_at, deadline, ended_at, disposition, cause, core_uuid, counts, caller
        ) in query(ATTEMPTS)
    ]  # fmt: skip


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
