"""The purge of old call records: attempts that ended long ago are deleted, the oldest first, a few at a time.

What a contact has had stays known: its count of attempts, when the last one was, and how many of those that count are no more
here (`purged_attempts`), so that the numbers of its later attempts are right. The purge ends at the first attempt that is open
or did not end long ago. The newest attempt of all stays: an id is never given twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Final, TypeVar

from attrs import define
from twisted.internet.defer import Deferred

from dialer.store.connection import Connection, Dialect
from dialer.store.database import Database
from dialer.store.maintenance import LOCKS
from dialer.store.purge_calls import purge_calls
from dialer.store.times import to_column

T = TypeVar("T")

PURGE: Final = -1
"""The second half of the key of the lock that the purging node has for a step (`dialer.store.maintenance.LOCKS`)."""

ALONE: Final = "SELECT pg_try_advisory_xact_lock(?, ?)"
NEXT: Final = (
    "SELECT id, subscriber_id, counts_as_attempt, ended_at FROM attempt WHERE id > ? AND id < (SELECT max(id) FROM attempt) "
    "ORDER BY id LIMIT ?"
)
"""Parameters: the last id that is known to be gone, how many."""
NOTE: Final = (
    "INSERT INTO purged_attempts (subscriber_id, counted) VALUES (?, ?) "
    "ON CONFLICT (subscriber_id) DO UPDATE SET counted = purged_attempts.counted + excluded.counted"
)
DELETE: Final = "DELETE FROM attempt WHERE id > ? AND id <= ? AND ended_at < ?"
"""Parameters: the last id that is known to be gone, the last of these, the moment."""


@define(eq=False)
class StoredRecords:
    """`dialer.record_keeping.PurgeStore` on a database."""

    database: Database

    def purge(self, before: datetime, after: int, limit: int) -> Deferred[tuple[int, int]]:
        return self._alone(partial(purge, before=before, after=after, limit=limit), (0, after))

    def purge_calls(self, before: datetime, limit: int) -> Deferred[int]:
        return self._alone(partial(purge_calls, before=before, limit=limit), 0)

    def _alone(self, step: Callable[[Connection], T], otherwise: T) -> Deferred[T]:
        """In a transaction that is shared with nothing else, by one node at a time: another one gets `otherwise`."""

        def work(connection: Connection) -> T:
            if connection.dialect is Dialect.POSTGRESQL and not connection.execute(ALONE, (LOCKS, PURGE)).fetchone()[0]:
                return otherwise
            return step(connection)

        return self.database.run(work, alone=True)


def purge(connection: Connection, before: datetime, after: int, limit: int) -> tuple[int, int]:
    """Remove up to `limit` attempts that ended before a moment, from behind the id `after`. Returns how many went, and the
    last id that is gone."""
    moment = to_column(before)
    rows = connection.execute(NEXT, (after, limit)).fetchall()
    old = list(takewhile(lambda row: row[3] is not None and row[3] < moment, rows))
    if not old:
        return 0, after
    counted: Counter[int] = Counter()
    for _, subscriber_id, counts, _ in old:
        counted[subscriber_id] += int(counts)
    connection.executemany(NOTE, sorted(counted.items()))
    last = int(old[-1][0])
    connection.execute(DELETE, (after, last, moment))
    return len(old), last
