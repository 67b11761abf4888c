"""The users' blacklists and whitelists: asked when a contact is added, and (in `statements`) when one is to be called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson
from attrs import frozen

from dialer.errors import BadValue
from dialer.patterns import like
from dialer.store.connection import LISTED, Connection

BLACKLIST = "blacklist"
WHITELIST = "whitelist"

ALL = "SELECT user_id, kind, pattern FROM number_pattern ORDER BY user_id, kind, pattern"
CLEAR = "DELETE FROM number_pattern WHERE user_id = ? AND kind = ?"
ADD = "INSERT INTO number_pattern (user_id, kind, pattern, matcher) VALUES (?, ?, ?, ?)"
FIRST_REFUSED = LISTED.within(
    "SELECT value, is_black FROM (SELECT j.key AS place, j.value AS value, p.user_id AS user_id, EXISTS (SELECT 1 "
    "FROM number_pattern n WHERE n.user_id = p.user_id AND n.kind = 'blacklist' AND ltrim(j.value, '+') LIKE n.matcher) "
    "AS is_black FROM %s CROSS JOIN phonebook p WHERE p.id = ?) e WHERE is_black OR ("
    "EXISTS (SELECT 1 FROM number_pattern n WHERE n.user_id = e.user_id AND n.kind = 'whitelist') "
    "AND NOT EXISTS (SELECT 1 FROM number_pattern n "
    "WHERE n.user_id = e.user_id AND n.kind = 'whitelist' AND ltrim(e.value, '+') LIKE n.matcher)) ORDER BY place LIMIT 1"
)
"""Parameters: numbers as a JSON list, phonebook."""


@frozen(kw_only=True)
class NumberRules:
    """Whom a user may call: nobody on the blacklist, and nobody but those on the whitelist when that is not empty."""

    blacklist: tuple[str, ...] = ()
    whitelist: tuple[str, ...] = ()


def read_all(connection: Connection) -> dict[int, NumberRules]:
    """The rules of the users that have some, by the user's id."""
    found: dict[int, dict[str, list[str]]] = {}
    for user_id, kind, pattern in connection.execute(ALL):
        found.setdefault(user_id, {}).setdefault(kind, []).append(pattern)
    return {
        user_id: NumberRules(blacklist=tuple(lists.get(BLACKLIST, ())), whitelist=tuple(lists.get(WHITELIST, ())))
        for user_id, lists in found.items()
    }


def write(connection: Connection, user_id: int, kind: str, patterns: Iterable[str]) -> None:
    """Replace a list of a user. `patterns` are as `parse_pattern` gives them."""
    connection.execute(CLEAR, (user_id, kind))
    connection.executemany(ADD, [(user_id, kind, pattern, like(pattern)) for pattern in patterns])


def check_numbers(connection: Connection, phonebook_id: int, numbers: Sequence[str]) -> None:
    """Raise `BadValue` for the first of `numbers` that the owner of the phonebook may not call."""
    refused = connection.execute(FIRST_REFUSED.of(connection), (orjson.dumps(list(numbers)).decode(), phonebook_id)).fetchone()
    if refused is not None:
        number, is_black = refused
        reason = "is on the blacklist" if is_black else "is not on the whitelist"
        raise BadValue("contact", f"{number} {reason} of this user")
