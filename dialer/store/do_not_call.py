"""The entries of do-not-call lists: added, removed, and read, by identities. An entry is never changed: one that is to last
longer takes the place of the other, which is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import orjson
from attrs import frozen

from dialer.model import DoNotCallEntry
from dialer.model.do_not_call import RESTS
from dialer.store.connection import LISTED, Connection, Variants
from dialer.store.held import RELEASE
from dialer.store.may_call import FOR_EVER
from dialer.store.times import to_column, to_column_or_none
from dialer.stored import Reader, reader

READ: Final[Reader[DoNotCallEntry]] = reader(DoNotCallEntry, "d")

_NUMBERS: Final = Variants(sqlite="json_each(?) j", postgresql="json_each_text(?::json) j")
"""Parameter: a JSON object of numbers by their identities, as rows `j.value`, `j.key` in its order."""

_MAKE_ROOM: Final = _NUMBERS.within(
    "UPDATE do_not_call SET removed_at = ?, removed_by = ? WHERE id IN (SELECT d.id FROM %s CROSS JOIN do_not_call d "
    "WHERE d.identity = j.key AND d.list_id = ? AND d.removed_at IS NULL AND d.expires_at < ?)"
)
"""Entries that would expire before the new ones. CROSS JOIN has SQLite look each new one up, instead of reading the list.
Parameters: now, by whom, the new ones, list, their expiry."""

_ADD: Final = _NUMBERS.within(
    "INSERT INTO do_not_call (list_id, number, identity, reason, source, expires_at, created_at, added_by) "
    "SELECT ?, j.value, j.key, ?, ?, ?, ?, ? FROM %s WHERE true "
    "ON CONFLICT (identity, list_id) WHERE removed_at IS NULL DO NOTHING"
)
"""Those that are not on the list. `WHERE true` keeps SQLite from reading ON as a join's. Parameters: list, reason, source,
expiry, now, by whom, the new ones."""
_ADD_OR_PROLONG: Final = Variants(
    sqlite=_ADD.sqlite.removesuffix("NOTHING"), postgresql=_ADD.postgresql.removesuffix("NOTHING")
).within(
    "%sUPDATE SET expires_at = excluded.expires_at, reason = excluded.reason, source = excluded.source, "
    "added_by = excluded.added_by WHERE do_not_call.expires_at IS NOT NULL "
    "AND (excluded.expires_at IS NULL OR excluded.expires_at > do_not_call.expires_at)"
)
"""The same where room was made. An entry is changed only when another transaction has written it since, which can be on a
server alone: a wish must not be lost beside a shorter one."""

_REMOVE: Final = LISTED.within(
    "UPDATE do_not_call SET removed_at = ?, removed_by = ? WHERE list_id = ? AND removed_at IS NULL "
    "AND identity IN (SELECT j.value FROM %s)"
)
_READY_AGAIN: Final = LISTED.within(
    f"{RELEASE} blocked_by = 'do-not-call' AND status = 1 AND identity IN (SELECT j.value FROM %s)"  # noqa: S608
)
"""Those that wait for an entry to expire. They are looked at once more, lest they wait for nothing. Parameter: identities."""
_FORMS_READY_AGAIN: Final = (
    f"{RELEASE} blocked_by = 'dialled-form' AND status = 1 AND EXISTS (SELECT 1 FROM do_not_call_list l "  # noqa: S608
    "JOIN campaign c ON c.id = subscriber.campaign_id WHERE l.id = ? AND (l.campaign_id = c.id "
    "OR (l.campaign_id IS NULL AND (l.user_id IS NULL OR l.user_id = c.user_id))))"
)
"""Those that wait for an entry of what their gateway makes of their numbers, as far as the list holds for their campaigns:
which entry that is depends on their gateways, and they are few. Parameter: list."""

COUNT: Final = LISTED.within(
    "SELECT count(*) FROM do_not_call WHERE list_id = ? AND removed_at IS NULL AND (expires_at IS NULL OR expires_at > ?) "
    "AND identity IN (SELECT j.value FROM %s)"
)
"""How many are on a list, and have not expired. Parameters: list, now, identities."""

_ENTRY: Final = f"SELECT {READ.columns} FROM do_not_call d WHERE"  # noqa: S608
_IN_FORCE: Final = "d.removed_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > ?)"
ON_LIST: Final = f"{_ENTRY} d.identity = ? AND d.list_id = ? AND {_IN_FORCE}"
"""Parameters: identity, list, now."""
ON_ANY: Final = f"{_ENTRY} d.identity = ? AND {_IN_FORCE} ORDER BY d.list_id"
"""Parameters: identity, now."""
PAGE: Final = f"{_ENTRY} d.list_id = ? AND d.number > ? AND {_IN_FORCE} ORDER BY d.number LIMIT ?"
"""Those that hold, by their numbers. Parameters: list, the number before these, now, how many."""
HISTORY: Final = f"{_ENTRY} d.list_id = ? AND d.id > ? ORDER BY d.id LIMIT ?"
"""Those of the past, too. Parameters: list, the id before these, how many."""
HISTORY_OF_NUMBER: Final = (
    f"SELECT * FROM ({_ENTRY} d.identity = ? AND d.removed_at IS NULL UNION ALL {_ENTRY} d.identity = ? "  # noqa: S608
    "AND d.removed_at IS NOT NULL) AS d WHERE d.list_id = ? AND d.id > ? ORDER BY d.id LIMIT ?"
)
"""The same of one number. Parameters: identity, identity, list, the id before these, how many."""

_MAKE_RESTS: Final = (
    "INSERT INTO do_not_call_list (name, description, user_id, created_at, added_by, removed_by) "
    "VALUES (?, 'numbers that rest after a call', ?, ?, 'dialer', '') ON CONFLICT (coalesce(user_id, 0), name) DO NOTHING"
)
_RESTS: Final = "SELECT id FROM do_not_call_list WHERE coalesce(user_id, 0) = ? AND name = ?"


@frozen(kw_only=True)
class NewNumbers:
    """Numbers for a list, by their identities, which have everything else in common. Lists have millions of entries: to make
    one of each takes as long as to store it."""

    numbers: Mapping[str, str]
    reason: str = ""
    source: str = ""
    expires_at: datetime | None = None


def alike(entries: Iterable[DoNotCallEntry]) -> list[NewNumbers]:
    """Entries, those together that have the same reason, source and expiry; of several of a number, the one that holds
    longest."""
    new: dict[str, DoNotCallEntry] = {}
    for entry in entries:
        known = new.setdefault(entry.identity, entry)
        if known is not entry and _end(known.expires_at) < _end(entry.expires_at):
            new[entry.identity] = entry
    found: dict[tuple[str, str, datetime | None], dict[str, str]] = {}
    for identity, each in new.items():
        found.setdefault((each.reason, each.source, each.expires_at), {})[identity] = each.number
    return [
        NewNumbers(numbers=numbers, reason=reason, source=source, expires_at=expires_at)
        for (reason, source, expires_at), numbers in found.items()
    ]


def add(connection: Connection, list_id: int, entries: Iterable[DoNotCallEntry], by: str, now: datetime) -> int:
    """Put numbers with their identities on a list. One that stands there stays as it is, unless the new entry holds longer.
    Returns how many are new."""
    return sum(add_numbers(connection, list_id, each, by, now) for each in alike(entries))


def add_numbers(connection: Connection, list_id: int, new: NewNumbers, by: str, now: datetime) -> int:
    """The same for those that have everything but their numbers in common."""
    moment, numbers = to_column(now), orjson.dumps(new.numbers).decode()
    values = (list_id, new.reason, new.source, to_column_or_none(new.expires_at), moment, by, numbers)
    added = connection.execute(_ADD.of(connection), values).rowcount
    if added < len(new.numbers):
        shorter = (moment, by, numbers, list_id, _end(new.expires_at))
        if connection.execute(_MAKE_ROOM.of(connection), shorter).rowcount:
            added += connection.execute(_ADD_OR_PROLONG.of(connection), values).rowcount
    return added


def _end(expires_at: datetime | None) -> str:
    return FOR_EVER if expires_at is None else to_column(expires_at)


def remove(connection: Connection, list_id: int, identities: Sequence[str], by: str, now: datetime) -> int:
    """Take numbers off a list. Contacts that wait for that are ready again. Returns how many entries were removed, those among
    them that had expired."""
    listed, moment = orjson.dumps(list(identities)).decode(), to_column(now)
    removed = connection.execute(_REMOVE.of(connection), (moment, by, list_id, listed)).rowcount
    if removed:
        connection.execute(_READY_AGAIN.of(connection), (listed,))
        release_forms(connection, list_id)
    return removed


def release_forms(connection: Connection, list_id: int) -> None:
    """Entries of a list do not hold any more: contacts that wait for those of what their gateway makes of their numbers are
    looked at again."""
    connection.execute(_FORMS_READY_AGAIN, (list_id,))


def rests_of(connection: Connection, user_id: int, now: datetime) -> int:
    """The id of the list of numbers that rest after calls of a user; it is made when it is needed first."""
    found = connection.execute(_RESTS, (user_id, RESTS)).fetchone()
    if found is None:
        connection.execute(_MAKE_RESTS, (RESTS, user_id, to_column(now)))
        found = connection.execute(_RESTS, (user_id, RESTS)).fetchone()
    return int(found[0])
