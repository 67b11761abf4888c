"""The SQL of call records: attempts with what they refer to, in the order of their begin, by the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.store.connection import Connection
from dialer.store.times import to_column

COLUMNS: Final = {
    "id": "a.id",
    "attempt_id": "a.call_uuid",
    "campaign_id": "a.campaign_id",
    "campaign": "c.name",
    "contact_id": "s.contact_id",
    "reference": "k.reference",
    "number": "a.number",
    "number_of_attempt": "a.number_of_attempt",
    "gateway_id": "a.gateway_id",
    "gateway": "g.name",
    "state": "a.state",
    "planned_at": "a.planned_at",
    "rang_at": "a.rang_at",
    "answered_at": "a.answered_at",
    "ended_at": "a.ended_at",
    "ring_ms": "a.ring_ms",
    "talk_ms": "a.talk_ms",
    "duration_ms": "a.duration_ms",
    "disposition": "a.disposition",
    "cause": "a.cause",
    "q850": "a.q850",
    "sip_status": "a.sip_status",
    "ended_by": "a.sip_disposition",
    "counts": "a.counts_as_attempt",
    "reason": "a.reason",
    "machine": "a.machine",
    "session": "a.session",
}
"""The facts of a call record, and where they come from. Moments are in UTC; `attempt_id` is the UUID of the channel."""

NAMES: Final = tuple(COLUMNS)
_MOMENTS: Final = frozenset(NAMES.index(name) for name in NAMES if name.endswith("_at"))
_FLAGS: Final = frozenset(NAMES.index(name) for name in ("counts", "machine"))
_SESSION: Final = NAMES.index("session")

PAGE: Final = (
    f"SELECT {', '.join(COLUMNS.values())} FROM attempt a JOIN subscriber s ON s.id = a.subscriber_id "  # noqa: S608
    "JOIN contact k ON k.id = s.contact_id JOIN campaign c ON c.id = a.campaign_id JOIN gateway g ON g.id = a.gateway_id "
    "WHERE a.id > ?"
)
"""Parameter: the last id before these. Conditions and an order follow."""

Record = list[Any]
"""By `NAMES`."""


@frozen(kw_only=True)
class RecordFilter:
    """Which attempts: of a campaign, of a user's campaigns, begun in a span of time, with an end of this kind, over or not;
    all of them unless it is given."""

    campaign_id: int | None = None
    user_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    disposition: str | None = None
    ended: bool | None = None

    def conditions(self) -> tuple[str, list[object]]:
        """The text that follows `PAGE`, with its parameters."""
        found: list[tuple[str, object]] = []
        if self.campaign_id is not None:
            found.append(("a.campaign_id = ?", self.campaign_id))
        if self.user_id is not None:
            found.append(("c.user_id = ?", self.user_id))
        if self.since is not None:
            found.append(("a.planned_at >= ?", to_column(self.since)))
        if self.until is not None:
            found.append(("a.planned_at < ?", to_column(self.until)))
        if self.disposition is not None:
            found.append(("a.disposition = ?", self.disposition))
        text = "".join(f" AND {condition}" for condition, _ in found)
        if self.ended is not None:
            text += " AND a.ended_at IS NOT NULL" if self.ended else " AND a.ended_at IS NULL"
        return text, [value for _, value in found]


def page(connection: Connection, wanted: RecordFilter, after: int, limit: int) -> list[Record]:
    """The next records behind the id `after`."""
    conditions, values = wanted.conditions()
    rows = connection.execute(f"{PAGE}{conditions} ORDER BY a.id LIMIT ?", (after, *values, limit))
    return [_record(row) for row in rows]


def one(connection: Connection, call_uuid: str, user_id: int | None) -> Record | None:
    """The record of a call, of that user's campaigns where it is given; None when there is none."""
    conditions, values = RecordFilter(user_id=user_id).conditions()
    row = connection.execute(f"{PAGE} AND a.call_uuid = ?{conditions}", (0, call_uuid, *values)).fetchone()
    return None if row is None else _record(row)


def _record(row: Sequence[Any]) -> Record:
    record = list(row)
    for index in _MOMENTS:
        moment = record[index]
        if moment is not None:
            record[index] = _rfc3339(moment)
    for index in _FLAGS:
        if record[index] is not None:
            record[index] = bool(record[index])
    return record


def _rfc3339(column: str) -> str:
    """In UTC, to the millisecond. A server leaves zeros at the end out."""
    text = column if "." in column else f"{column}."
    return f"{text[:10]}T{text[11:23]:0<12}Z"


def as_object(record: Record) -> dict[str, Any]:
    """The record by its names; the session's JSON stays as it is, for `orjson.dumps`."""
    found = dict(zip(NAMES, record, strict=True))
    found["session"] = orjson.Fragment(record[_SESSION] or "{}")
    return found
