"""The readers of events: what they ask for, and how far they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from attrs import define
from twisted.internet.defer import Deferred

from dialer.interfaces.telling import Interest
from dialer.model.event import EventKind, EventPlace, Told, words_of
from dialer.store import events
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.leases import moment
from dialer.store.times import from_column_or_none, to_column, to_column_or_none

LEASE = timedelta(seconds=10)
"""For which a node serves a reader that it holds. It holds it again long before."""

ENTER = (
    "INSERT INTO event_consumer (name, kinds, position, holder, expires_at, created_at) VALUES (?, ?, ?, '', ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET kinds = excluded.kinds, expires_at = excluded.expires_at"
)
"""A reader begins with what comes next; one that is known goes on where it was."""

LEAVE = "DELETE FROM event_consumer WHERE name = ?"

HOLD = (
    "UPDATE event_consumer SET holder = ?, held_until = ? WHERE name = ? "
    "AND (holder = ? OR held_until IS NULL OR held_until < ?) RETURNING position"
)
"""Parameters: node, until when, name, node, now: both moments by the clock of the database."""

HOLDS = "SELECT holder FROM event_consumer WHERE name = ?"

ADVANCE = "UPDATE event_consumer SET position = ? WHERE name = ? AND holder = ? AND position < ?"

EXPIRED = "DELETE FROM event_consumer WHERE expires_at < ?"

SLOWEST = (
    "SELECT min(position) FROM (SELECT position FROM event_consumer WHERE expires_at IS NULL AND kinds <> '' "
    f"UNION ALL SELECT w.position FROM {events.TOLD}) AS reader"
)
"""A reader that asks for nothing waits for nothing."""


OLDEST = (
    "SELECT min(at) FROM (SELECT (SELECT e.at FROM event e WHERE e.id > reader.position ORDER BY e.id LIMIT 1) AS at FROM "
    "(SELECT position FROM event_consumer WHERE expires_at IS NULL AND kinds <> '' "
    f"UNION ALL SELECT w.position FROM {events.TOLD}) AS reader UNION ALL "
    "SELECT (SELECT d.created_at FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.status = 'due' "
    f"ORDER BY d.id LIMIT 1) FROM {events.TOLD}) AS waiting"
)
"""What comes next for each reader, and the oldest delivery that a webhook waits for: a step in an index for each."""


@define(eq=False)
class Consumers:
    """`dialer.interfaces.ConsumerStore` on a database, for the node of that name."""

    database: Database
    node: str

    def enter(self, name: str, kinds: frozenset[EventKind], now: datetime, lasts: timedelta | None = None) -> Deferred[None]:
        """Somebody asks for events of these kinds from now on, until it `leave`s, or for as long as it `lasts`."""
        return self.database.run(partial(enter, name=name, kinds=kinds, now=now, lasts=lasts))

    def leave(self, name: str) -> Deferred[None]:
        """Nobody asks any more."""
        return self.database.run(partial(leave, name=name))

    def show(self, kinds: frozenset[EventKind], now: datetime, lasts: timedelta) -> Deferred[None]:
        """Events of these kinds are listed for whoever looks, for as long as that `lasts`; nobody waits for them."""
        return self.enter(events.SHOWN, kinds, now, lasts)

    def wanted(self, now: datetime) -> Deferred[Interest]:
        """The kinds of events that are written."""
        return self.database.run(partial(events.interest, now=now))

    def hold(self, name: str, now: datetime) -> Deferred[EventPlace | None]:
        def hold(connection: Connection) -> EventPlace | None:
            at = moment(connection, now)
            row = (self.node, to_column(at + LEASE), name, self.node, to_column(at))
            found = connection.execute(HOLD, row).fetchone()
            return None if found is None else EventPlace(int(found[0]))

        return self.database.run(hold)

    def hold_own(self, name: str, now: datetime) -> Deferred[bool]:
        """Hold a reader that asks for nothing and stands for work that one node at a time does; it is made when it is not
        there. Fires with False while another node has it."""
        return Deferred.fromCoroutine(self._hold_own(name, now))

    async def _hold_own(self, name: str, now: datetime) -> bool:
        if await self.hold(name, now) is not None:
            return True
        if not await self.database.run(partial(_make, name=name, now=now)):
            return False
        return await self.hold(name, now) is not None

    def read(self, place: EventPlace, limit: int) -> Deferred[tuple[EventPlace, list[Told]]]:
        return self.database.run(partial(events.read, place=place, limit=limit))

    def advance(self, name: str, position: int) -> Deferred[bool]:
        row = (position, name, self.node, position)
        return self.database.run(lambda connection: connection.execute(ADVANCE, row).rowcount > 0, may_wait=True)

    def oldest_undelivered(self) -> Deferred[datetime | None]:
        """When the oldest event happened that a receiver waits for, a webhook or a reader that stays; None when none does."""
        return self.database.run(oldest_undelivered)

    def prune(self, before: datetime, limit: int) -> Deferred[int]:
        """Remove up to `limit` events that happened before, the oldest first, which no reader waits for. Fires with how many
        went."""
        return self.database.run(partial(prune, before=before, limit=limit))


def enter(
    connection: Connection, name: str, kinds: frozenset[EventKind], now: datetime, lasts: timedelta | None = None
) -> None:
    """Make the reader, at what comes next, or give one that is there these kinds. It stays, or it `lasts` for so long."""
    expires_at = None if lasts is None else moment(connection, now) + lasts
    row = (name, words_of(kinds), events.last(connection), to_column_or_none(expires_at), to_column(now))
    connection.execute(ENTER, row)


def _make(connection: Connection, name: str, now: datetime) -> bool:
    """Make the reader, when it is not there; whether it was not."""
    if connection.execute(HOLDS, (name,)).fetchone() is not None:
        return False
    enter(connection, name, frozenset(), now)
    return True


def leave(connection: Connection, name: str) -> None:
    """Remove the reader, whose events nobody waits for any more."""
    connection.execute(LEAVE, (name,))


def oldest_undelivered(connection: Connection) -> datetime | None:
    """The moment of the oldest event that a webhook or a lasting reader waits for; None when none does."""
    (found,) = connection.execute(OLDEST).fetchone()
    return from_column_or_none(found)


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Remove old events, at most `limit`, that no reader waits for, and readers whose time is over; how many events went."""
    oldest = to_column(before)
    connection.execute(EXPIRED, (oldest,))
    (slowest,) = connection.execute(SLOWEST).fetchone()
    most = events.last(connection) if slowest is None else int(slowest)
    return int(connection.execute(events.PRUNE.of(connection), (most, oldest, limit)).rowcount)
