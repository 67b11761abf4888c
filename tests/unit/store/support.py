"""A database with one campaign in it, for the tests of the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.task import Clock

from dialer.model import (
    Attempt,
    AttemptResult,
    Campaign,
    Candidate,
    Contact,
    Decision,
    Disposition,
    Outcome,
    Plan,
    Snapshot,
    SubscriberStatus,
    VoipAppType,
)
from dialer.store.database import Database, NodeIdentity
from dialer.store.flow import Store
from tests.grounds import new_database, row, rows
from tests.seeding import Seeds

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=20)
NODE = NodeIdentity(name="here", lease=60.0)
"""It sends no heartbeats, so its lease is longer than a test."""


def numbers(count: int, start: int = 1000) -> list[str]:
    return [str(start + offset) for offset in range(count)]


@define(eq=False)
class World:
    """A user, a gateway, a voice application, a phonebook and a campaign; both of the latter have the id 1."""

    database: Database
    clock: Clock = field(factory=Clock)
    store: Store = field(init=False)
    seeds: Seeds = field(init=False)
    _calls: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.store = Store(self.database, self.clock, node=NODE.name)
        self.seeds = Seeds(self.database, NOW)

    async def seed(self, count: int) -> None:
        await self.seeds.user(username="ann")
        await self.seeds.gateway(name="carrier", dial_string="loopback/{number}", addparameter="a=1")
        await self.seeds.voip_app(name="hello", type=VoipAppType.PLAY_AUDIO, data="hello.wav")
        await self.add_campaign("spring", count)

    async def add_campaign(self, name: str, count: int = 0, **given: Any) -> int:
        """A campaign with a phonebook of its own, which holds `count` contacts; gives its id."""
        details = await self.seeds.campaign(name=name, **{"frequency": 60, **given})
        await self.seeds.add(details.phonebooks[0].id, [Contact(number=number) for number in numbers(count)])
        return details.campaign.id

    def sql(self, statement: str, *values: object) -> list[Any]:
        """What another program sees in the database: rows, or plain values when there is one column."""
        found = rows(self.database.url, statement, *values)
        return [row[0] if len(row) == 1 else row for row in found]

    def subscriber(self, subscriber_id: int) -> dict[str, Any]:
        return row(self.database.url, "SELECT * FROM subscriber WHERE id = ?", subscriber_id)

    def attempt(self, attempt: Attempt) -> dict[str, Any]:
        return row(self.database.url, "SELECT * FROM attempt WHERE id = ?", attempt.id)

    def plan(self, snapshot: Snapshot, candidate: Candidate, due_at: datetime = NOW) -> Plan:
        campaign = next(campaign for campaign in snapshot.campaigns if campaign.id == candidate.campaign_id)
        return self.plan_for(campaign, snapshot, candidate, due_at)

    def plan_for(self, campaign: Campaign, snapshot: Snapshot, candidate: Candidate, due_at: datetime = NOW) -> Plan:
        self._calls += 1
        return Plan(
            call_uuid=f"call-{self._calls}",
            candidate=candidate,
            campaign=campaign,
            gateway=snapshot.gateways[1],
            dial_string=f"loopback/{candidate.number}",
            due_at=due_at,
            switch="fs1:8021",
        )

    async def plans(self, count: int, campaign_id: int = 1, now: datetime = NOW) -> list[Plan]:
        snapshot = await self.store.snapshot()
        return [self.plan(snapshot, ready) for ready in await self.store.candidates(campaign_id, now, count)]

    async def begin(self, plans: Sequence[Plan], now: datetime = NOW) -> list[Attempt]:
        until = now + timedelta(seconds=60)
        return await self.store.begin(plans, now, until, until + timedelta(seconds=15))

    async def begun(self, count: int = 1) -> list[Attempt]:
        return await self.begin(await self.plans(count))


@asynccontextmanager
async def world(folder: Path, contacts: int = 3, *, url: str | None = None) -> AsyncIterator[World]:
    """A started database with a campaign of `contacts` contacts; stopped at the end."""
    from twisted.internet import reactor

    database = Database(url or new_database(folder), reactor, dialling=True, node=NODE)
    await database.start()
    try:
        here = World(database)
        await here.seed(contacts)
        yield here
    finally:
        await database.stop()


def ended(
    attempt: Attempt,
    status: SubscriberStatus = SubscriberStatus.COMPLETE,
    *,
    ready_at: datetime | None = None,
    counts: bool = True,
    at: datetime = LATER,
    **outcome: Any,
) -> AttemptResult:
    """An end of `attempt`."""
    facts = {"cause": "NORMAL_CLEARING", **outcome}
    return AttemptResult(
        attempt=attempt,
        outcome=Outcome(ended_at=at, **facts),
        disposition=Disposition.ANSWERED,
        decision=Decision(status=status, ready_at=ready_at, counts_as_attempt=counts, reason="because"),
    )
