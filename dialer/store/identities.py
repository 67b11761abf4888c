"""The identities of stored numbers: made for numbers that have none yet, and made anew for another region.

Numbers that turn out to be one are called once from then on. Nothing is lost: a contact stays, and names the one that it is;
subscribers become one, which has the attempts of all; of several entries of a do-not-call list the one that holds longest
stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.numbering import Numbering, numbering
from dialer.patterns import like
from dialer.store.connection import Variants

CHUNK: Final = 10_000
"""Numbers that are read at once."""

ARCHIVED: Final = "#*"
"""Between the number of a removed contact and its id: the number itself is free again in its phonebook."""

_SET: Final = {
    (table, key): Variants(
        sqlite=f"UPDATE {table} SET identity = j.value FROM json_each(?) j WHERE {table}.{key} = {on_sqlite}",  # noqa: S608
        postgresql=f"UPDATE {table} SET identity = j.value FROM jsonb_each_text(?::jsonb) j WHERE {table}.{key} = {on_server}",  # noqa: S608
    )
    for table, key, on_sqlite, on_server in (
        ("contact", "id", "CAST(j.key AS INTEGER)", "j.key::bigint"),
        ("do_not_call", "number", "j.key", "j.key"),
        ("do_not_call", "id", "CAST(j.key AS INTEGER)", "j.key::bigint"),
        ("caller_id", "id", "CAST(j.key AS INTEGER)", "j.key::bigint"),
    )
}
"""Parameter: a JSON object of identities by key."""

_FIND_DOUBLES: Final = (
    "UPDATE contact SET double_of = d.first FROM (SELECT id, min(id) OVER (PARTITION BY phonebook_id, identity) AS first "
    "FROM contact%s) AS d WHERE d.id = contact.id AND d.first <> d.id"
)
_LIVE: Final = " WHERE archived_at IS NULL"
_DOUBLES: Final = (
    "SELECT p.name, k.number, f.number FROM contact k JOIN contact f ON f.id = k.double_of JOIN phonebook p "
    "ON p.id = k.phonebook_id ORDER BY k.id"
)
_DOUBLE_SUBSCRIBERS: Final = (
    "SELECT campaign_id, identity, id, status, requested_status, ready_at FROM (SELECT s.*, count(*) OVER (PARTITION BY "
    "campaign_id, identity) AS spellings FROM subscriber s) AS s WHERE spellings > 1 ORDER BY campaign_id, identity, id"
)
_GIVEN_UP: Final = "another call to this number, in another spelling, was under way"
_GIVE_UP: Final = (
    "UPDATE attempt SET state = 'ended', ended_at = coalesce(moved_at, planned_at), cause = 'UNKNOWN', "  # noqa: S608
    "disposition = 'UNKNOWN', counts_as_attempt = 1, duration_ms = 0, "
    f"reason = '{_GIVEN_UP}' WHERE id IN "
    "(SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY identity ORDER BY id) AS place FROM attempt "
    "WHERE ended_at IS NULL) AS o WHERE place > 1)"
)
_WITHOUT_ATTEMPT: Final = (
    "UPDATE subscriber SET status = coalesce(requested_status, 1), requested_status = NULL, "  # noqa: S608
    "ready_at = CASE coalesce(requested_status, 1) WHEN 1 THEN coalesce(ready_at, (SELECT max(a.planned_at) FROM attempt a "
    "WHERE a.subscriber_id = subscriber.id)) END WHERE status = 6 AND NOT EXISTS "
    "(SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.ended_at IS NULL) "
    f"AND EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.reason = '{_GIVEN_UP}')"
)
_COUNT: Final = (
    "UPDATE subscriber SET count_attempt = ? + (SELECT coalesce(sum(a.counts_as_attempt), 0) FROM attempt a "
    "WHERE a.subscriber_id = subscriber.id AND a.ended_at IS NOT NULL), last_attempt_at = (SELECT max(a.planned_at) "
    "FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.counts_as_attempt = 1) WHERE id = ?"
)
_RENUMBER: Final = (
    "UPDATE attempt SET number_of_attempt = n.counted FROM (SELECT id, "
    "1 + ? + coalesce(sum(counts_as_attempt) OVER (ORDER BY id "
    "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS counted FROM attempt WHERE subscriber_id = ?) AS n "
    "WHERE n.id = attempt.id"
)
_HAS_PURGED: Final = Variants(
    sqlite="SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'purged_attempts')",
    postgresql="SELECT to_regclass('purged_attempts') IS NOT NULL",
)
"""Whether the schema knows of attempts that were purged: identities are made on the way to a newer one, too."""
_HAS_CALLER_IDS: Final = Variants(
    sqlite="SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'caller_id')",
    postgresql="SELECT to_regclass('caller_id') IS NOT NULL",
)
_ONE_CALLER_ID: Final = (
    "UPDATE caller_id SET archived_at = coalesce(archived_at, updated_at), "  # noqa: S608
    f"identity = substr(identity, 1, 40) || '{ARCHIVED}' || id WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER "
    "(PARTITION BY identity ORDER BY CASE WHEN archived_at IS NULL THEN 0 ELSE 1 END, id) AS place FROM caller_id) AS d "
    "WHERE place > 1)"
)
_TAKE_PURGED: Final = (
    "INSERT INTO purged_attempts (subscriber_id, counted) SELECT ?, counted FROM purged_attempts WHERE subscriber_id = ? "
    "ON CONFLICT (subscriber_id) DO UPDATE SET counted = purged_attempts.counted + excluded.counted"
)
_FORBIDDEN_TWICE: Final = (
    "DELETE FROM do_not_call WHERE number IN (SELECT number FROM (SELECT number, row_number() OVER (PARTITION BY identity "
    "ORDER BY created_at, number) AS place FROM do_not_call) AS d WHERE place > 1)"
)
"""For databases from before there were several lists."""
_NOW: Final = Variants(
    sqlite="strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'", postgresql="CURRENT_TIMESTAMP AT TIME ZONE 'UTC'"
)
_LISTED_TWICE: Final = _NOW.within(
    "UPDATE do_not_call SET removed_at = %s, removed_by = 'dialer: another spelling of a number that is on the list' "
    "WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY list_id, identity "
    "ORDER BY coalesce(expires_at, '9999-12-31 23:59:59.999999') DESC, id) AS place "
    "FROM do_not_call WHERE removed_at IS NULL) AS d WHERE place > 1)"
)
"""The one stays that holds longest."""
_SURE_NOT_TO_BE_CALLED: Final = (7, 5, 3, 2, 4, 1)
"""Statuses of spellings of one number, the first of which the number has: it is called no more often than any of them says."""
_IN_PROCESS: Final = 6
_START: Final = 1

INDEXES: Final = (
    "contact_identity_key",
    "subscriber_identity_key",
    "do_not_call_identity_key",
    "attempt_open_identity",
    "caller_id_identity_key",
)
"""Those that would be in the way of new identities."""


@frozen(kw_only=True)
class DoubleContacts:
    """Numbers that turned out to be one: contacts as (phonebook, number, number that it is), and how many subscribers and
    do-not-call entries were joined with others."""

    contacts: tuple[tuple[str, str, str], ...] = ()
    subscribers: int = 0
    forbidden: int = 0


def identify(connection: Any, region: str, *, archive: bool = True, lists: bool = True) -> DoubleContacts:
    """Give every number its identity by the region of the installation, "" for none, and join those that are one. The
    indexes of identities must not be there; `archive` tells that there can be removed contacts, which are no doubles of
    anything, `lists` that there can be several do-not-call lists. A part of a transaction."""
    connection.execute("UPDATE installation SET region = ?", (region,))
    _identify_contacts(connection, region)
    key = "id" if lists else "number"
    _identify(connection, "do_not_call", f"{key}, number", key, lambda _: numbering(region))
    forbidden = connection.execute(_LISTED_TWICE.of(connection) if lists else _FORBIDDEN_TWICE).rowcount
    connection.execute("UPDATE contact SET double_of = NULL WHERE double_of IS NOT NULL")
    connection.execute(_FIND_DOUBLES % (_LIVE if archive else ""))
    connection.execute("UPDATE subscriber SET identity = (SELECT k.identity FROM contact k WHERE k.id = contact_id)")
    connection.execute("UPDATE attempt SET identity = (SELECT s.identity FROM subscriber s WHERE s.id = subscriber_id)")
    connection.execute(_GIVE_UP)
    subscribers = _join_subscribers(connection)
    connection.execute(_WITHOUT_ATTEMPT)
    _strip_patterns(connection)
    _identify_caller_ids(connection, region)
    contacts = tuple(tuple(row) for row in connection.execute(_DOUBLES).fetchall())
    return DoubleContacts(contacts=contacts, subscribers=subscribers, forbidden=forbidden)


def _identify_caller_ids(connection: Any, region: str) -> None:
    """Of several that turn out to be one number, the first that was not removed stays; the others are removed."""
    (there,) = connection.execute(_HAS_CALLER_IDS.of(connection)).fetchone()
    if not there:
        return
    _identify(connection, "caller_id", "id, number", "id", lambda _: numbering(region))
    connection.execute(_ONE_CALLER_ID)
    for key, identity in connection.execute("SELECT id, identity FROM caller_id").fetchall():
        connection.execute("UPDATE caller_id SET country = ? WHERE id = ?", (numbering(region).country(identity), key))


def _identify_contacts(connection: Any, region: str) -> None:
    regions: defaultdict[int, str] = defaultdict(lambda: region)
    for phonebook_id, rules in connection.execute("SELECT id, rules FROM phonebook").fetchall():
        regions[phonebook_id] = orjson.loads(rules).get("region") or region
    _identify(connection, "contact", "id, number, phonebook_id", "id", lambda row: numbering(regions[row[2]]))


def _identify(connection: Any, table: str, columns: str, key: str, rules: Callable[[Any], Numbering]) -> None:
    some = f"SELECT {columns} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT {CHUNK}"  # noqa: S608
    for rows in _chunks(connection, some, key):
        identities = {str(row[0]): rules(row).identity(row[1].partition(ARCHIVED)[0]) for row in rows}
        connection.execute(_SET[table, key].of(connection), (orjson.dumps(identities).decode(),))


def _chunks(connection: Any, statement: str, key: str) -> Iterator[list[Any]]:
    last: object = 0 if key == "id" else ""
    while rows := connection.execute(statement, (last,)).fetchall():
        yield rows
        last = rows[-1][0]


def _join_subscribers(connection: Any) -> int:
    """Returns how many are no more."""
    joined = 0
    (has_purged,) = connection.execute(_HAS_PURGED.of(connection)).fetchone()
    rows = connection.execute(_DOUBLE_SUBSCRIBERS).fetchall()
    for _, spellings in groupby(rows, key=lambda row: (row[0], row[1])):
        joined += _join(connection, [_Spelling(*row[2:]) for row in spellings], has_purged=bool(has_purged))
    return joined


@frozen
class _Spelling:
    """A subscriber among those of one number."""

    id: int
    status: int
    requested: int | None
    ready_at: str | None


def _join(connection: Any, spellings: Sequence[_Spelling], *, has_purged: bool) -> int:
    """One with an open attempt stays, or else the first."""
    stays = next((each for each in spellings if each.status == _IN_PROCESS), spellings[0])
    others = [each.id for each in spellings if each is not stays]
    settled = [each.status if each.status != _IN_PROCESS else each.requested or _START for each in spellings]
    status = next(each for each in _SURE_NOT_TO_BE_CALLED if each in settled)
    ready_at = max((each.ready_at for each in spellings if each.ready_at is not None), default=None)
    for other in others:
        connection.execute("UPDATE attempt SET subscriber_id = ? WHERE subscriber_id = ?", (stays.id, other))
        if has_purged:
            connection.execute(_TAKE_PURGED, (stays.id, other))
            connection.execute("DELETE FROM purged_attempts WHERE subscriber_id = ?", (other,))
        connection.execute("DELETE FROM subscriber WHERE id = ?", (other,))
    if stays.status == _IN_PROCESS:
        requested = None if status == _START else min(status, 5)
        connection.execute("UPDATE subscriber SET requested_status = ? WHERE id = ?", (requested, stays.id))
    else:
        ready = ready_at if status == _START else None
        connection.execute("UPDATE subscriber SET status = ?, ready_at = ? WHERE id = ?", (status, ready, stays.id))
    purged = _purged(connection, stays.id) if has_purged else 0
    connection.execute(_COUNT, (purged, stays.id))
    connection.execute(_RENUMBER, (purged, stays.id))
    return len(others)


def _purged(connection: Any, subscriber_id: int) -> int:
    row = connection.execute("SELECT counted FROM purged_attempts WHERE subscriber_id = ?", (subscriber_id,)).fetchone()
    return 0 if row is None else int(row[0])


def _strip_patterns(connection: Any) -> None:
    """A pattern has no prefix for calls abroad, as no identity has one."""
    listed = "SELECT user_id, kind, pattern FROM number_pattern WHERE pattern LIKE '00_%' OR pattern LIKE '=00_%'"
    for user_id, kind, pattern in connection.execute(listed).fetchall():
        key = (user_id, kind, pattern)
        stripped = pattern.replace("00", "", 1)
        connection.execute("DELETE FROM number_pattern WHERE user_id = ? AND kind = ? AND pattern = ?", key)
        row = (user_id, kind, stripped, like(stripped))
        connection.execute(
            "INSERT INTO number_pattern (user_id, kind, pattern, matcher) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row
        )
