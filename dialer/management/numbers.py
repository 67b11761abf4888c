"""Numbers that are not called: by nobody (the do-not-call list), or not by one user (its blacklist and whitelist), in whatever
spelling. `begin` obeys them, and so does the search for candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import orjson
from attrs import frozen

from dialer.errors import BadValue
from dialer.management.management import Transaction, reads, verb
from dialer.model import DoNotCallEntry
from dialer.patterns import matcher
from dialer.store.connection import LISTED, PAIRS, Connection
from dialer.store.times import to_column
from dialer.stored import value_of

ADD_ALL: Final = PAIRS.within(
    "INSERT INTO do_not_call (number, identity, reason, created_at) SELECT j.number, j.identity, ?, ? FROM %s WHERE true "
    "ON CONFLICT DO NOTHING"
)
"""`WHERE true` keeps SQLite from reading ON as a join's. Parameters: reason, now, numbers with their
identities as a JSON list."""

REMOVE: Final = LISTED.within("DELETE FROM do_not_call WHERE identity IN (SELECT j.value FROM %s)")

PATTERNS: Final = "SELECT n.kind, n.pattern FROM number_pattern n JOIN phonebook p ON p.user_id = n.user_id WHERE p.id = ?"


@verb
def forbid(t: Transaction, numbers: Sequence[str], reason: str = "") -> int:
    """No campaign calls these any more, however they are spelled. Returns how many were not forbidden before. Raises
    `BadValue` for what is no number."""
    pairs = [t.numbering.read(number, "number") for number in numbers]
    row = (reason, to_column(t.now), orjson.dumps(pairs).decode())
    return t.connection.execute(ADD_ALL.of(t.connection), row).rowcount


@verb
def permit(t: Transaction, numbers: Sequence[str]) -> int:
    """They may be called again. Returns how many were forbidden. Subscribers that were set to NOT_AUTHORISED meanwhile stay
    so. Raises `BadValue` for what is no number."""
    identities = [t.numbering.read(number, "number")[1] for number in numbers]
    return t.connection.execute(REMOVE.of(t.connection), (orjson.dumps(identities).decode(),)).rowcount


@reads
def forbidden(t: Transaction, after: str = "", limit: int = 1000) -> list[DoNotCallEntry]:
    """Forbidden numbers in their order, those behind `after`."""
    query = t.entities.DoNotCallEntry.select(lambda d: d.number > after).order_by(lambda d: d.number)
    return [value_of(DoNotCallEntry, row) for row in query.limit(limit)]


@frozen
class NumberRules:
    """Whom a user may call: nobody on the blacklist, and only those on the whitelist when there is one."""

    is_black: Callable[[str], object]
    is_white: Callable[[str], object] | None

    def refusal(self, number: str, identity: str) -> str:
        """Why a number is not called, "" when it is. A blacklist holds for the number as it was entered, too."""
        if self.is_black(identity) or self.is_black(number.removeprefix("+")):
            return f"{number} is on the blacklist of this user"
        if self.is_white is not None and not self.is_white(identity):
            return f"{number} is not on the whitelist of this user"
        return ""


def number_rules(connection: Connection, phonebook_id: int) -> NumberRules:
    """Those of the phonebook's owner."""
    found = connection.execute(PATTERNS, (phonebook_id,)).fetchall()
    black, white = (frozenset(pattern for kind, pattern in found if kind == wanted) for wanted in ("blacklist", "whitelist"))
    return NumberRules(matcher(black), matcher(white) if white else None)


def check_numbers(connection: Connection, phonebook_id: int, numbers: Sequence[tuple[str, str]]) -> None:
    """Raise `BadValue` for the first of `numbers`, each with its identity, that the owner of the phonebook may not call."""
    rules = number_rules(connection, phonebook_id)
    for number, identity in numbers:
        if reason := rules.refusal(number, identity):
            raise BadValue("number", reason)
