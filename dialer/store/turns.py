"""How many contacts are called before one, in the order of its campaign (`dialer.store.ready`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from dialer.model import Campaign
from dialer.model.campaign import CallOrder
from dialer.store.connection import Connection
from dialer.store.ready import NEW, RETRY
from dialer.store.statements import LANE
from dialer.store.times import to_column

MOST_COUNTED: Final = 10_000
"""Contacts: a millisecond or two."""

_ONE: Final = f"SELECT s.priority, {LANE}, s.ready_at FROM subscriber s WHERE s.id = ? AND s.status = 1"  # noqa: S608
_READY: Final = "SELECT 1 FROM subscriber s WHERE s.campaign_id = ? AND s.status = 1 AND s.ready_at <= ? AND "
_HIGHER: Final = f"{_READY} s.priority > ?"
_OF_LANE: Final = f"{_READY} s.priority = ? AND {LANE} = ?"
_BEFORE: Final = " AND (s.ready_at, s.id) < (?, ?)"


def ahead(connection: Connection, campaign: Campaign, subscriber_id: int, now: datetime) -> int:
    """How many are called before a pending contact that is ready, `MOST_COUNTED` when there are more; 0 for any other. Where
    the campaign mixes retries and new contacts, it is about so many."""
    row = connection.execute(_ONE, (subscriber_id,)).fetchone()
    if row is None or row[2] is None or row[2] > to_column(now):
        return 0
    priority, lane, ready_at = row
    base = (campaign.id, to_column(now), priority)

    def count(statement: str, *values: object) -> int:
        limited = f"SELECT count(*) FROM ({statement} LIMIT ?) AS found"  # noqa: S608
        found: Any = connection.execute(limited, (*base, *values, MOST_COUNTED)).fetchone()
        return int(found[0])

    before = count(_HIGHER) + count(_OF_LANE + _BEFORE, lane, ready_at, subscriber_id)
    other = NEW if lane == RETRY else RETRY
    match campaign.order:
        case CallOrder.LIST:
            before += count(_OF_LANE + _BEFORE, other, ready_at, subscriber_id)
        case CallOrder.MIX:
            share = campaign.retry_share if lane == RETRY else 100 - campaign.retry_share
            before += min(count(_OF_LANE, other), round((before + 1) * (100 - share) / share))
        case CallOrder.RETRIES_FIRST if lane == NEW:
            before += count(_OF_LANE, other)
        case CallOrder.FRESH_FIRST if lane == RETRY:
            before += count(_OF_LANE, other)
    return min(before, MOST_COUNTED)
