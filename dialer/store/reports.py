"""What a campaign has come to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from attrs import define, frozen
from twisted.internet.defer import Deferred

from dialer.model import Disposition
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.times import from_column, from_column_or_none

BY_DISPOSITION = (
    "SELECT disposition, cause, count(*), sum(counts), sum(talk_ms) FROM attempt "
    "WHERE campaign_id = ? AND ended_at IS NOT NULL GROUP BY disposition, cause ORDER BY count(*) DESC, disposition, cause"
)
TOTALS = (
    "SELECT count(*), count(ended_at), coalesce(sum(counts), 0), coalesce(sum(talk_ms), 0), min(planned_at), max(ended_at) "
    "FROM attempt WHERE campaign_id = ?"
)
ATTEMPTS = (
    "SELECT id, call_uuid, subscriber_id, number, number_of_attempt, state, planned_at, due_at, rang_at, answered_at, "
    "ended_at, disposition, cause, counts, q850, sip_status, ring_ms, talk_ms, duration_ms, session FROM attempt "
    "WHERE campaign_id = ? AND id > ? ORDER BY id LIMIT ?"
)


@frozen(kw_only=True)
class DispositionCount:
    """A row of a campaign's report."""

    disposition: Disposition
    cause: str
    attempts: int
    counted: int
    talk_ms: int


@frozen(kw_only=True)
class Totals:
    """The sums of a campaign: attempts begun, ended, and counted; the time talked; the first begin and the last end."""

    attempts: int
    ended: int
    counted: int
    talk_ms: int
    first_planned_at: datetime | None
    last_ended_at: datetime | None


@frozen(kw_only=True)
class AttemptRecord:
    """An attempt as it is stored. What belongs to its end is None while it is open."""

    id: int
    call_uuid: str
    subscriber_id: int
    number: str
    number_of_attempt: int
    state: str
    planned_at: datetime
    due_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    disposition: Disposition | None
    cause: str | None
    counts: bool | None
    q850: int | None
    sip_status: int | None
    ring_ms: int | None
    talk_ms: int | None
    duration_ms: int | None
    session: Mapping[str, str]


@define(eq=False)
class Reports:
    """Fails with: `StoreError`."""

    database: Database

    def dispositions(self, campaign_id: int) -> Deferred[list[DispositionCount]]:
        """Ended attempts by disposition and cause, the most frequent first."""

        def read(connection: Connection) -> list[DispositionCount]:
            return [
                DispositionCount(
                    disposition=Disposition(disposition), cause=cause, attempts=attempts, counted=counted, talk_ms=talk_ms
                )
                for disposition, cause, attempts, counted, talk_ms in connection.execute(BY_DISPOSITION, (campaign_id,))
            ]

        return self.database.run(read)

    def totals(self, campaign_id: int) -> Deferred[Totals]:
        """The sums over all attempts."""

        def read(connection: Connection) -> Totals:
            attempts, ended, counted, talk_ms, first, last = connection.execute(TOTALS, (campaign_id,)).fetchone()
            return Totals(
                attempts=attempts,
                ended=ended,
                counted=counted,
                talk_ms=talk_ms,
                first_planned_at=from_column_or_none(first),
                last_ended_at=from_column_or_none(last),
            )

        return self.database.run(read)

    def attempts(self, campaign_id: int, after: int = 0, limit: int = 10_000) -> Deferred[list[AttemptRecord]]:
        """Attempts in the order of their begin, those behind the id `after`."""
        return self.database.run(
            lambda connection: [_record(row) for row in connection.execute(ATTEMPTS, (campaign_id, after, limit))]
        )


def _record(row: tuple[Any, ...]) -> AttemptRecord:
    return AttemptRecord(
        id=row[0],
        call_uuid=row[1],
        subscriber_id=row[2],
        number=row[3],
        number_of_attempt=row[4],
        state=row[5],
        planned_at=from_column(row[6]),
        due_at=from_column(row[7]),
        rang_at=from_column_or_none(row[8]),
        answered_at=from_column_or_none(row[9]),
        ended_at=from_column_or_none(row[10]),
        disposition=None if row[11] is None else Disposition(row[11]),
        cause=row[12],
        counts=None if row[13] is None else bool(row[13]),
        q850=row[14],
        sip_status=row[15],
        ring_ms=row[16],
        talk_ms=row[17],
        duration_ms=row[18],
        session=orjson.loads(row[19] or "{}"),
    )
