"""Numbers that are not called: by nobody (the do-not-call list), or not by one user (its blacklist and whitelist). `begin`
obeys them, and so does the search for candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from dialer.errors import BadValue
from dialer.management.management import Transaction, reads, verb
from dialer.model import DoNotCallEntry
from dialer.store.connection import LISTED, Connection
from dialer.store.faults import refused_value
from dialer.store.times import to_column
from dialer.stored import value_of

ADD_ALL: Final = LISTED.within(
    "INSERT INTO do_not_call (number, reason, created_at) SELECT j.value, ?, ? FROM %s WHERE true "
    "ON CONFLICT (number) DO NOTHING"
)
"""`WHERE true` keeps SQLite from reading ON as a join's. Parameters: reason, now, JSON list of numbers."""

REMOVE: Final = LISTED.within("DELETE FROM do_not_call WHERE number IN (SELECT j.value FROM %s)")

FIRST_REFUSED: Final = LISTED.within(
    "SELECT value, is_black FROM (SELECT j.key AS place, j.value AS value, p.user_id AS user_id, EXISTS (SELECT 1 "
    "FROM number_pattern n WHERE n.user_id = p.user_id AND n.kind = 'blacklist' AND ltrim(j.value, '+') LIKE n.matcher) "
    "AS is_black FROM %s CROSS JOIN phonebook p WHERE p.id = ?) e WHERE is_black OR ("
    "EXISTS (SELECT 1 FROM number_pattern n WHERE n.user_id = e.user_id AND n.kind = 'whitelist') "
    "AND NOT EXISTS (SELECT 1 FROM number_pattern n "
    "WHERE n.user_id = e.user_id AND n.kind = 'whitelist' AND ltrim(e.value, '+') LIKE n.matcher)) ORDER BY place LIMIT 1"
)
"""Parameters: numbers as a JSON list, phonebook."""


@verb
def forbid(t: Transaction, numbers: Sequence[str], reason: str = "") -> int:
    """No campaign calls these any more. Returns how many were not forbidden before. Raises `BadValue` for what is no
    number."""
    row = (reason, to_column(t.now), orjson.dumps(list(numbers)).decode())
    try:
        return t.connection.execute(ADD_ALL.of(t.connection), row).rowcount
    except Exception as error:
        raise refused_value(error) or error from error


@verb
def permit(t: Transaction, numbers: Sequence[str]) -> int:
    """They may be called again. Returns how many were forbidden. Subscribers that were set to NOT_AUTHORISED meanwhile stay
    so."""
    return t.connection.execute(REMOVE.of(t.connection), (orjson.dumps(list(numbers)).decode(),)).rowcount


@reads
def forbidden(t: Transaction, after: str = "", limit: int = 1000) -> list[DoNotCallEntry]:
    """Forbidden numbers in their order, those behind `after`."""
    query = t.entities.DoNotCallEntry.select(lambda d: d.number > after).order_by(lambda d: d.number)
    return [value_of(DoNotCallEntry, row) for row in query.limit(limit)]


def check_numbers(connection: Connection, phonebook_id: int, numbers: Sequence[str]) -> None:
    """Raise `BadValue` for the first of `numbers` that the owner of the phonebook may not call."""
    refused = connection.execute(FIRST_REFUSED.of(connection), (orjson.dumps(list(numbers)).decode(), phonebook_id)).fetchone()
    if refused is not None:
        number, is_black = refused
        reason = "is on the blacklist" if is_black else "is not on the whitelist"
        raise BadValue("number", f"{number} {reason} of this user")
