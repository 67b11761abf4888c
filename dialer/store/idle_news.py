"""The started campaigns, and what was told of them: `dialer.campaigns.idle_news.IdleStore` on a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred

from dialer.model import Campaign, EventKind, IdleReason, Progress, SubscriberStatus
from dialer.store import mapping, told_state
from dialer.store import reports as sql
from dialer.store.caller_ids import ANY_CALLER_ID, Assigning, CallerIdRules, CallerIdWaits
from dialer.store.connection import Connection
from dialer.store.consumers import Consumers
from dialer.store.database import Database
from dialer.store.statements import STARTED_PAGE
from dialer.store.times import from_column_or_none

HOLDER: Final = "idle campaigns"
"""The reader of events that stands for this: whoever holds it tells."""
PAGE: Final = 100
"""Campaigns that are read, and explained, at once: two milliseconds on each thread."""


@define(eq=False)
class StoredIdleNews:
    """On a database, for the node of that name. `wanted` are the kinds of events that somebody asks for."""

    database: Database
    node: str
    wanted: Callable[[], frozenset[EventKind]]
    caller_ids: CallerIdRules = ANY_CALLER_ID
    _readers: Consumers = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._readers = Consumers(self.database, self.node)

    def hold(self, now: datetime) -> Deferred[bool]:
        return self._readers.hold_own(HOLDER, now)

    def started(self, after: int, now: datetime) -> Deferred[tuple[list[tuple[Campaign, Progress, str]], int | None]]:
        def read(connection: Connection) -> tuple[list[tuple[Campaign, Progress, str]], int | None]:
            how = self.caller_ids.assigning(self.database.region, now)
            found, following = started(connection, after, how)
            last = found[-1][0].id if found else after
            told = dict(connection.execute(told_state.STATES, (after, last)).fetchall())
            return [(campaign, progress, told.get(campaign.id, "")) for campaign, progress in found], following

        return self.database.run(read)

    def tell(self, campaign: Campaign, reason: IdleReason | None, now: datetime) -> Deferred[None]:
        def tell(connection: Connection) -> None:
            if reason is None:
                told_state.forget_idle(connection, [campaign.id])
            else:
                told_state.tell_idle(connection, campaign, reason, now, self.wanted())

        return self.database.run(tell, may_wait=True)

    def forget_gone(self) -> Deferred[None]:
        def forget(connection: Connection) -> None:
            connection.execute(told_state.FORGET_GONE)

        return self.database.run(forget, may_wait=True)


def started(connection: Connection, after: int, how: Assigning) -> tuple[list[tuple[Campaign, Progress]], int | None]:
    """The next started campaigns and how far they are, and the id behind which the next page begins; None after the last."""
    rows = connection.execute(STARTED_PAGE, (after, PAGE + 1)).fetchall()
    if not rows:
        return [], None
    campaigns = [mapping.started(tuple(row))[0] for row in rows[:PAGE]]
    last = campaigns[-1].id
    counts: dict[int, dict[SubscriberStatus, int]] = {}
    for campaign_id, status, subscribers in connection.execute(sql.COUNTS_OF_STARTED, (after, last)):
        counts.setdefault(campaign_id, {})[SubscriberStatus(status)] = int(subscribers)
    first_ready = {key: first for key, *first in connection.execute(sql.FIRST_READY, (after, last)).fetchall()}
    waits = CallerIdWaits(connection, how, campaigns)
    page = []
    for campaign in campaigns:
        ready_at, *held = first_ready.get(campaign.id, (None, None, None))
        wait = waits.of(campaign)
        progress = Progress.of(counts.get(campaign.id, {}), from_column_or_none(ready_at), held, how.now, wait)
        page.append((campaign, progress))
    return page, last if len(rows) > PAGE else None
