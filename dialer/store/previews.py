"""The SQL of previews: the pending contacts of a campaign in the order in which they are ready, a few at a time, and those
that may not be called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from attrs import evolve, frozen

from dialer.model import Candidate
from dialer.store.connection import LISTED, Connection
from dialer.store.mapping import CANDIDATE_COLUMNS, candidate
from dialer.store.statements import FORBIDDEN, LANE

_ROW: Final = (
    f"SELECT s.id, s.contact_id, s.number, s.identity, {{}}, s.priority, {LANE}, s.held_by, "  # noqa: S608
    f"coalesce(k.time_zone, ''), {FORBIDDEN} FROM subscriber s LEFT JOIN contact k ON k.id = s.contact_id "
)
_AT: Final = (
    _ROW.format("s.ready_at")
    + "WHERE s.campaign_id = ? AND s.status = 1 AND s.ready_at = ? AND s.id > ? ORDER BY s.id LIMIT ?"
)
"""Parameters: campaign, moment, the id before, how many."""
_BEHIND: Final = (
    _ROW.format("s.ready_at") + "WHERE s.campaign_id = ? AND s.status = 1 AND s.ready_at > ? ORDER BY s.ready_at, s.id LIMIT ?"
)
"""Parameters: campaign, moment, how many. Two statements, since of a pair of bounds SQLite would use the first only."""
_HELD: Final = (
    _ROW.format("s.held_from") + "WHERE s.campaign_id = ? AND s.held_from IS NOT NULL AND s.status IN (1, 7) AND s.id > ? "
    "ORDER BY s.id LIMIT ?"
)
"""Those that will be looked at again, as ready as they were before. Parameters: campaign, the id before, how many."""

_ALL: Final = (
    "SELECT s.id, s.contact_id, s.number, s.identity, s.status, s.held_by, s.held_from FROM subscriber s "
    "WHERE s.campaign_id = ? AND s.identity > ? ORDER BY s.identity LIMIT ?"
)
_NOT_AUTHORISED: Final = 7
WILL_RECHECK: Final = "SELECT c.recheck > 0 OR (SELECT i.rule_book FROM installation i) <> ? FROM campaign c WHERE c.id = ?"
"""Whether its held contacts are looked at again soon. Parameters: the fingerprint of the rules, campaign."""
MEAN_SECONDS: Final = (
    "SELECT avg(duration_ms) FROM (SELECT duration_ms FROM attempt WHERE campaign_id = ? AND duration_ms > 0 "
    "ORDER BY planned_at DESC, id DESC LIMIT 1000) AS newest"
)
"""How long the newest calls of a campaign lasted, in milliseconds. Parameter: campaign."""
OPEN_OF_CAMPAIGN_BY_GATEWAY: Final = (
    "SELECT gateway_id, count(*) FROM attempt WHERE campaign_id = ? AND ended_at IS NULL GROUP BY gateway_id"
)
CANDIDATES: Final = LISTED.within(
    f"SELECT {CANDIDATE_COLUMNS}, coalesce(k.time_zone, '') FROM subscriber s LEFT JOIN contact k ON k.id = s.contact_id "  # noqa: S608
    "WHERE s.campaign_id = ? AND s.id IN (SELECT CAST(j.value AS BIGINT) FROM %s)"
)
"""Parameters: campaign, a JSON list of ids."""


@frozen
class ScanPlace:
    """Where a scan of pending contacts stands: behind that moment, and at it behind that id."""

    ready_at: str = ""
    id: int = 0


@frozen
class ScannedContact:
    """A pending contact: as `ready_at` says, when it is ready, as the column has it; `held_by` is the ruling that keeps it
    waiting, "" for none; `is_forbidden` tells that it is on a list."""

    id: int
    contact_id: int
    number: str
    identity: str
    ready_at: str
    priority: int
    lane: int
    held_by: str
    time_zone: str
    is_forbidden: bool


def pending(connection: Connection, campaign_id: int, place: ScanPlace, limit: int) -> list[ScannedContact]:
    """The next ones behind a place, in the order of their ready times and ids; fewer than `limit` at the end."""
    rows = connection.execute(_AT, (campaign_id, place.ready_at, place.id, limit)).fetchall() if place.ready_at else []
    if len(rows) < limit:
        rows += connection.execute(_BEHIND, (campaign_id, place.ready_at or "0001-01-01", limit - len(rows))).fetchall()
    return [_scanned(row) for row in rows]


def held_before(connection: Connection, campaign_id: int, after: int, limit: int) -> list[ScannedContact]:
    """Those that the rules keep waiting, or have refused, by their ids behind `after`, with the moments at which they would be
    ready without that."""
    return [_scanned(row) for row in connection.execute(_HELD, (campaign_id, after, limit)).fetchall()]


def _scanned(row: Sequence[Any]) -> ScannedContact:
    key, contact_id, number, identity, ready_at, priority, lane, held_by, time_zone, is_forbidden = row
    return ScannedContact(
        key, contact_id, number, identity, ready_at, priority, lane, held_by or "", time_zone, bool(is_forbidden)
    )


@frozen
class BlockedContact:
    """A contact that may not be called; `held_by` is the ruling that refuses it, "" where a list or its number does."""

    id: int
    contact_id: int
    number: str
    identity: str
    held_by: str


def blocked(
    connection: Connection, campaign_id: int, after: str, limit: int, *, without_held: bool
) -> tuple[list[BlockedContact], str | None]:
    """Those among the next `limit` contacts in the order of their identities, and the identity behind which it goes on; None
    at the end. `without_held` leaves those out that the rules have refused."""
    rows = connection.execute(_ALL, (campaign_id, after, limit)).fetchall()
    found = [
        BlockedContact(key, contact_id, number, identity, held_by or "")
        for key, contact_id, number, identity, status, held_by, held_from in rows
        if status == _NOT_AUTHORISED and not (without_held and held_from is not None)
    ]
    return found, rows[-1][3] if len(rows) == limit else None


def candidates(connection: Connection, campaign_id: int, ids: Sequence[int]) -> dict[int, Candidate]:
    """Subscribers of the campaign as candidates, with the time zones of their contacts, by their ids."""
    rows = connection.execute(CANDIDATES.of(connection), (campaign_id, orjson.dumps(list(ids)).decode())).fetchall()
    return {row[0]: evolve(candidate(row), time_zone=row[-1]) for row in rows}
