"""The requests to webhooks that told of an attempt.

Deliveries know the calls that they tell of, and no index does. Their ids grow about as the moments do at which they were made,
so they are looked for where they can be: behind the begin of the attempt, behind its end, and among the newest, where those
are that were sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from dialer.model import WebhookDelivery
from dialer.store.connection import Connection
from dialer.store.times import from_column
from dialer.stored import reader

LOOKED_AT: Final = 10_000
"""Deliveries behind each of the places: all together, some milliseconds on the database thread."""
EARLIER: Final = timedelta(seconds=30)
"""By about so much, ids and moments may disagree."""
MOST: Final = 50

_READ: Final = reader(WebhookDelivery, "d")
_NEXT: Final = "SELECT d.id, d.created_at FROM webhook_delivery d WHERE d.id >= ? ORDER BY d.id LIMIT 1"
_LAST: Final = "SELECT coalesce(max(id), 0) FROM webhook_delivery"
WITHIN: Final = (
    f"SELECT {_READ.columns}, w.url FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id "  # noqa: S608
    "WHERE d.id >= ? AND d.id < ? AND d.attempts LIKE ? AND (? OR w.user_id = ?) ORDER BY d.id LIMIT ?"
)
"""Parameters: the first id, the one behind the last, a pattern, whether anybody's, user, how many."""


@frozen(kw_only=True)
class AttemptDelivery:
    """A request that told of an attempt, and the address of its webhook."""

    delivery: WebhookDelivery
    url: str


def of_attempt(
    connection: Connection,
    call_uuid: str,
    moments: Sequence[datetime],
    user_id: int | None,
    after: int = 0,
    limit: int = MOST,
) -> list[AttemptDelivery]:
    """Those that are found around these moments and among the newest, in order; of a user's webhooks, or of everybody's. Those
    with ids above `after`, `limit` of them at most."""
    (last,) = connection.execute(_LAST).fetchone()
    starts = sorted({*(_id_at(connection, at - EARLIER, last) for at in moments), max(last - LOOKED_AT, 0) + 1})
    found: dict[int, AttemptDelivery] = {}
    behind = 0
    for start in starts:
        first, behind = max(start, behind, after + 1), start + LOOKED_AT
        rows = connection.execute(WITHIN, (first, behind, f"%{call_uuid}%", user_id is None, user_id or 0, limit))
        for row in rows.fetchall():
            one = AttemptDelivery(delivery=_READ(row[:-1]), url=row[-1])
            if call_uuid in one.delivery.keys:
                found[one.delivery.id] = one
    return [found[key] for key in sorted(found)][:limit]


def _id_at(connection: Connection, moment: datetime, last: int) -> int:
    """The id of about the first delivery that was made from that moment on; above all of them when there is none."""
    low, high = 0, last + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_NEXT, (middle,)).fetchone()
        if row is None or from_column(row[1]) >= moment:
            high = middle
        else:
            low = int(row[0]) + 1
    return low
