"""The SQL of previews: the pending contacts of a campaign in the order in which they are ready, a few at a time, and those
that may not be called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
from attrs import evolve, frozen

from dialer.model import Candidate
from dialer.store.connection import LISTED, Connection
from dialer.store.mapping import CANDIDATE_COLUMNS, candidate
from dialer.store.may_call import BLOCKED, LISTED_UNTIL, blocked_among, moments, moments_without_ends
from dialer.store.statements import LANE

_ROW: Final = (
    f"SELECT s.id, s.contact_id, s.number, s.identity, {{}}, s.priority, {LANE}, s.blocked_by, "  # noqa: S608
    f"coalesce(k.time_zone, ''), {BLOCKED}, {LISTED_UNTIL}, k.consent_expires_at FROM subscriber s "
    "LEFT JOIN contact k ON k.id = s.contact_id "
)
"""Parameters: those of `BLOCKED`, now."""
_AT: Final = (
    _ROW.format("s.ready_at")
    + "WHERE s.campaign_id = ? AND s.status = 1 AND s.ready_at = ? AND s.id > ? ORDER BY s.id LIMIT ?"
)
"""Parameters: those of `_ROW`, campaign, moment, the id before, how many."""
_BEHIND: Final = (
    _ROW.format("s.ready_at") + "WHERE s.campaign_id = ? AND s.status = 1 AND s.ready_at > ? ORDER BY s.ready_at, s.id LIMIT ?"
)
"""Parameters: those of `_ROW`, campaign, moment, how many. Two statements, since of a pair of bounds SQLite would use
the first only."""
_HELD: Final = (
    _ROW.format("s.held_from") + "WHERE s.campaign_id = ? AND s.held_from IS NOT NULL AND s.status IN (1, 7) AND s.id > ? "
    "ORDER BY s.id LIMIT ?"
)
"""Those that will be looked at again, as ready as they were before. Parameters: those of `_ROW`, campaign, the id before,
how many."""

_ALL: Final = (
    "SELECT s.id, s.contact_id, s.number, s.identity, s.status, "  # noqa: S608
    f"CASE WHEN s.status = 7 THEN coalesce(s.blocked_by, {BLOCKED}) END, s.held_from FROM subscriber s "
    "WHERE s.campaign_id = ? AND s.identity > ? ORDER BY s.identity LIMIT ?"
)
"""Parameters: those of `BLOCKED`, campaign, the identity before, how many."""
_NOT_AUTHORISED: Final = 7
WILL_RECHECK: Final = "SELECT c.recheck > 0 OR (SELECT i.rule_book FROM installation i) <> ? FROM campaign c WHERE c.id = ?"
"""Whether its held contacts are looked at again soon. Parameters: the fingerprint of the rules, campaign."""
MEAN_SECONDS: Final = (
    "SELECT avg(CAST(duration_ms AS DOUBLE PRECISION)) FROM "
    "(SELECT duration_ms FROM attempt WHERE campaign_id = ? AND duration_ms > 0 "
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


class ScannedContact(NamedTuple):
    """A pending contact: as `ready_at` says, when it is ready, as the column has it; `waits_for` is what it was set aside for,
    `blocked_by` what keeps it from being called now (words of `BlockReason`), `listed_until` the moment until which it is on a
    list, `agreed_until` the one at which its consent expires, as the columns have them; None for nothing."""

    id: int
    contact_id: int
    number: str
    identity: str
    ready_at: str
    priority: int
    lane: int
    waits_for: str | None
    time_zone: str
    blocked_by: str | None
    listed_until: str | None
    agreed_until: str | None


def pending(connection: Connection, campaign_id: int, place: ScanPlace, limit: int, now: str) -> list[ScannedContact]:
    """The next ones behind a place, in the order of their ready times and ids; fewer than `limit` at the end."""
    asked = (*moments(now), now, campaign_id)
    rows = connection.execute(_AT, (*asked, place.ready_at, place.id, limit)).fetchall() if place.ready_at else []
    if len(rows) < limit:
        rows += connection.execute(_BEHIND, (*asked, place.ready_at or "0001-01-01", limit - len(rows))).fetchall()
    return [_scanned(row) for row in rows]


def held_before(connection: Connection, campaign_id: int, after: int, limit: int, now: str) -> list[ScannedContact]:
    """Those that were set aside, and will be looked at again, by their ids behind `after`, with the moments at which they
    would be ready without that."""
    asked = (*moments(now), now, campaign_id, after, limit)
    return [_scanned(row) for row in connection.execute(_HELD, asked).fetchall()]


def _scanned(row: Sequence[Any]) -> ScannedContact:
    return ScannedContact._make(row)


def blocked_behind_lists(connection: Connection, ids: Sequence[int], now: str) -> dict[int, str]:
    """What will keep those subscribers from being called once all that is to expire on lists has expired."""
    if not ids:
        return {}
    found = connection.execute(blocked_among(len(ids)), (*moments_without_ends(now), now, *ids)).fetchall()
    return {row[0]: row[1] for row in found if row[1] is not None}


@frozen
class BlockedContact:
    """A contact that may not be called; `blocked_by` is for what (a word of `BlockReason`), None where
    somebody has set it so."""

    id: int
    contact_id: int
    number: str
    identity: str
    blocked_by: str | None


def blocked(
    connection: Connection, campaign_id: int, after: str, limit: int, now: str, *, without_held: bool
) -> tuple[list[BlockedContact], str | None]:
    """Those among the next `limit` contacts in the order of their identities, and the identity behind which it goes on; None
    at the end. `without_held` leaves those out that will be looked at again."""
    rows = connection.execute(_ALL, (*moments(now), campaign_id, after, limit)).fetchall()
    found = [
        BlockedContact(key, contact_id, number, identity, word)
        for key, contact_id, number, identity, status, word, held_from in rows
        if status == _NOT_AUTHORISED and not (without_held and held_from is not None)
    ]
    return found, rows[-1][3] if len(rows) == limit else None


def candidates(connection: Connection, campaign_id: int, ids: Sequence[int]) -> dict[int, Candidate]:
    """Subscribers of the campaign as candidates, with the time zones of their contacts, by their ids."""
    rows = connection.execute(CANDIDATES.of(connection), (campaign_id, orjson.dumps(list(ids)).decode())).fetchall()
    return {row[0]: evolve(candidate(row), time_zone=row[-1]) for row in rows}
