"""The SQL of previews: the pending contacts of a campaign in the order in which they are ready, some at a time, and those that
may not be called.

Some thousands of contacts are one answer, a list for each column, which SQLite gives in a single step: a thread that fetches
rows one by one wants the interpreter again for each of them, and so does whoever else runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson
from attrs import evolve, frozen

from dialer.model import Candidate
from dialer.rules.decide import EarlierCall
from dialer.store.connection import LISTED, Connection, Dialect, Variants
from dialer.store.held import DIALLED
from dialer.store.mapping import CANDIDATE_COLUMNS, candidate
from dialer.store.may_call import AGREED_FROM, BLOCKED, LISTED_UNTIL, blocked_otherwise, moments
from dialer.store.statements import LANE
from dialer.store.times import from_column, to_column

_AT: Final = "s.status = 1 AND s.ready_at = ? AND s.id > ? ORDER BY s.id LIMIT ?"
"""Parameters: moment, the id before, how many."""
_BEHIND: Final = "s.status = 1 AND s.ready_at > ? ORDER BY s.ready_at, s.id LIMIT ?"
"""Parameters: moment, how many. Two statements, since of a pair of bounds SQLite would use the first only."""
_HELD: Final = "s.held_from IS NOT NULL AND s.status IN (1, 7) AND s.id > ? ORDER BY s.id LIMIT ?"
"""Those that will be looked at again, as ready as they were before. Parameters: the id before, how many."""

LAST_OF_SOME: Final = (
    "SELECT identity FROM subscriber WHERE campaign_id = ? AND identity > ? ORDER BY identity LIMIT 1 OFFSET ?"
)
_NOT_AUTHORISED: Final = (
    f"SELECT s.id, s.number, coalesce(s.blocked_by, {BLOCKED}), s.held_from FROM subscriber s "  # noqa: S608
    "WHERE s.campaign_id = ? AND s.status = 7 AND s.identity > ? {}ORDER BY s.identity"
)
"""Parameters: those of `BLOCKED`, campaign, the identity before, the last one."""
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
    f"SELECT {CANDIDATE_COLUMNS}, coalesce(k.time_zone, ''), s.ready_at, (SELECT a.disposition FROM attempt a "  # noqa: S608
    "WHERE a.subscriber_id = s.id ORDER BY a.id DESC LIMIT 1) FROM %s CROSS JOIN subscriber s "
    "LEFT JOIN contact k ON k.id = s.contact_id WHERE s.id = CAST(j.value AS BIGINT) AND s.campaign_id = ?"
)
"""From id to id. Parameters: a JSON list of ids, campaign."""
_CALLS: Final = "SELECT a.identity, a.deadline, a.answered_at FROM "
EARLIER: Final = Variants(
    sqlite=f"{_CALLS}{LISTED.sqlite} CROSS JOIN attempt a WHERE a.identity = j.value AND a.deadline > ? AND {DIALLED}",
    postgresql=f"{_CALLS}{LISTED.postgresql} CROSS JOIN LATERAL (SELECT identity, deadline, answered_at FROM attempt "  # noqa: S608
    f"WHERE identity = j.value AND deadline > ? AND {DIALLED} OFFSET 0) AS a",
)
"""From number to number, each by the index: OFFSET 0 keeps a server from reading all attempts to join them. Parameters: a JSON
list of identities, the moment after which."""


@frozen
class ScanPlace:
    """Where a scan of pending contacts stands: behind that moment, and at it behind that id."""

    ready_at: str = ""
    id: int = 0


class ScannedContacts(NamedTuple):
    """Pending contacts, a list for each fact: when they are ready, as the column has it; twice the priority, and one more for
    a retry; what they were set aside for; what keeps them from being called now whatever is on lists (words of
    `BlockReason`); until when they are on a list, when their consent expires, and from when on they have one that is still to
    begin, as the columns have it; None for nothing."""

    ids: list[int]
    ready_at: list[str]
    numbers: list[str]
    identities: list[str]
    lanes: list[int]
    waits_for: list[str | None]
    time_zones: list[str]
    blocked_by: list[str | None]
    listed_until: list[str | None]
    agreed_until: list[str | None]
    agreed_from: list[str | None]


@frozen
class ContactScan:
    """The reading of a campaign's contacts. Where nobody looks at their time zones and consents, they are not read."""

    connection: Connection
    campaign_id: int
    now: datetime
    with_contacts: bool = True

    def pending(self, place: ScanPlace, limit: int) -> ScannedContacts:
        """The next ones behind a place, in the order of their ready times and ids; fewer than `limit` at the end."""
        found = self._read("s.ready_at", _AT, (place.ready_at, place.id), limit) if place.ready_at else NOBODY
        if len(found.ids) == limit:
            return found
        more = self._read("s.ready_at", _BEHIND, (place.ready_at or "0001-01-01",), limit - len(found.ids))
        both: Iterable[tuple[list[Any], list[Any]]] = zip(found, more, strict=True)
        return ScannedContacts._make(here + there for here, there in both)

    def held(self, after: int, limit: int) -> ScannedContacts:
        """Those that were set aside, and will be looked at again, by their ids behind `after`, with the moments at which they
        would be ready without that."""
        return self._read("s.held_from", _HELD, (after,), limit)

    def _read(self, ready_at: str, which: str, given: Sequence[object], limit: int) -> ScannedContacts:
        otherwise = blocked_otherwise(self.connection, self.campaign_id)
        with_k = "LEFT JOIN contact k ON k.id = s.contact_id "
        contact = ("coalesce(k.time_zone, '')", "k.consent_expires_at", AGREED_FROM, with_k)
        zone, agreed_until, agreed_from, join = contact if self.with_contacts else ("''", "NULL", "NULL", "")
        rows = (
            f"SELECT s.id AS c0, {ready_at} AS c1, s.number AS c2, s.identity AS c3, s.priority * 2 + {LANE} AS c4, "  # noqa: S608
            f"s.blocked_by AS c5, {zone} AS c6, {otherwise} AS c7, {LISTED_UNTIL} AS c8, {agreed_until} AS c9, "
            f"{agreed_from} AS c10 FROM subscriber s {join}WHERE s.campaign_id = ? AND {which}"
        )
        moment = to_column(self.now)
        values = (*(moment,) * (otherwise + LISTED_UNTIL + agreed_from).count("?"), self.campaign_id, *given, limit)
        if self.connection.dialect is Dialect.SQLITE:
            lists = ", ".join(f"json_group_array(c{column})" for column in range(len(ScannedContacts._fields)))
            texts = self.connection.execute(f"SELECT {lists} FROM ({rows})", values).fetchone()  # noqa: S608
            return ScannedContacts._make(map(orjson.loads, texts))
        found = self.connection.execute(rows, values).fetchall()
        return ScannedContacts._make(map(list, zip(*found, strict=True))) if found else NOBODY


NOBODY: Final = ScannedContacts(*([] for _ in ScannedContacts._fields))


@frozen
class BlockedContact:
    """A contact that may not be called, by the id of its subscriber; `blocked_by` is for what (a word of `BlockReason`), None
    where somebody has set it so."""

    id: int
    number: str
    blocked_by: str | None


def blocked(
    connection: Connection, campaign_id: int, after: str, limit: int, now: str, *, without_held: bool
) -> tuple[list[BlockedContact], str | None]:
    """Those among the next `limit` contacts in the order of their identities, and the identity behind which it goes on; None
    at the end. `without_held` leaves those out that will be looked at again."""
    row = connection.execute(LAST_OF_SOME, (campaign_id, after, limit - 1)).fetchone()
    last = None if row is None else row[0]
    bound = "" if last is None else "AND s.identity <= ? "
    values = (*moments(now), campaign_id, after, *(() if last is None else (last,)))
    found = [
        BlockedContact(key, number, word)
        for key, number, word, held_from in connection.execute(_NOT_AUTHORISED.replace("{}", bound), values).fetchall()
        if not (without_held and held_from is not None)
    ]
    return found, last


def earlier_calls(connection: Connection, identities: Sequence[str], since: datetime) -> Mapping[str, Sequence[EarlierCall]]:
    """The calls to these numbers that were made after a moment, by identity."""
    found: dict[str, list[EarlierCall]] = {}
    asked = (orjson.dumps(identities).decode(), to_column(since))
    for identity, deadline, answered_at in connection.execute(EARLIER.of(connection), asked).fetchall():
        found.setdefault(identity, []).append(EarlierCall(at=from_column(deadline), answered=answered_at is not None))
    return found


@frozen
class PreviewedContact:
    """A subscriber as a candidate, with the time zone of its contact; when it is ready, None for what is not pending, and the
    disposition of the last attempt to reach it, None when there was none."""

    candidate: Candidate
    ready_at: datetime | None
    last: str | None


def candidates(connection: Connection, campaign_id: int, ids: Sequence[int]) -> dict[int, PreviewedContact]:
    """Subscribers of the campaign by their ids."""
    rows = connection.execute(CANDIDATES.of(connection), (orjson.dumps(list(ids)).decode(), campaign_id)).fetchall()
    return {
        row[0]: PreviewedContact(
            evolve(candidate(row), time_zone=row[-3]), None if row[-2] is None else from_column(row[-2]), row[-1]
        )
        for row in rows
    }
