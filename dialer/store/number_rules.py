"""The users' blacklists and whitelists: asked when a contact is added, and (in `statements`) when one is to be called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dialer.errors import BadValue
from dialer.patterns import NumberRules, like
from dialer.store.database import Connection

BLACKLIST = "blacklist"
WHITELIST = "whitelist"

ALL = "SELECT user_id, kind, pattern FROM number_pattern ORDER BY user_id, kind, pattern"
OF_PHONEBOOK = (
    "SELECT n.kind, n.pattern FROM phonebook p JOIN number_pattern n ON n.user_id = p.user_id WHERE p.id = ? "
    "ORDER BY n.pattern"
)
CLEAR = "DELETE FROM number_pattern WHERE user_id = ? AND kind = ?"
ADD = "INSERT INTO number_pattern (user_id, kind, pattern, matcher) VALUES (?, ?, ?, ?)"


def read_all(connection: Connection) -> dict[int, NumberRules]:
    """The rules of the users that have some, by the user's id."""
    found: dict[int, dict[str, list[str]]] = {}
    for user_id, kind, pattern in connection.execute(ALL):
        found.setdefault(user_id, {}).setdefault(kind, []).append(pattern)
    return {user_id: _rules(lists) for user_id, lists in found.items()}


def write(connection: Connection, user_id: int, kind: str, patterns: Iterable[str]) -> None:
    """Replace a list of a user. `patterns` are as `parse_pattern` gives them."""
    connection.execute(CLEAR, (user_id, kind))
    connection.executemany(ADD, [(user_id, kind, pattern, like(pattern)) for pattern in patterns])


def check_numbers(connection: Connection, phonebook_id: int, numbers: Sequence[str]) -> None:
    """Raise `BadValue` for the first of `numbers` that the owner of the phonebook may not call."""
    lists: dict[str, list[str]] = {}
    for kind, pattern in connection.execute(OF_PHONEBOOK, (phonebook_id,)):
        lists.setdefault(kind, []).append(pattern)
    if not lists:
        return
    rules = _rules(lists)
    for number in numbers:
        refusal = rules.refusal(number)
        if refusal is not None:
            raise BadValue("contact", f"{number} {refusal} of this user")


def _rules(lists: dict[str, list[str]]) -> NumberRules:
    return NumberRules(blacklist=tuple(lists.get(BLACKLIST, ())), whitelist=tuple(lists.get(WHITELIST, ())))
