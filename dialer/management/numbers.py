"""Numbers that are not called: by nobody (the do-not-call list), or not by one user (its blacklist and whitelist), in whatever
spelling. `begin` obeys them, and so does the search for candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from dialer import gate
from dialer.declare import entered
from dialer.errors import BadValue
from dialer.gate import GatedLeg, NumberRules
from dialer.management.caller_ids import check_pool
from dialer.management.management import Transaction, verb
from dialer.model import Campaign, DoNotCallEntry
from dialer.store.call_rules import call_rules
from dialer.store.caller_ids import is_pooled
from dialer.store.connection import LISTED, TRIPLES, Connection
from dialer.store.times import from_column, to_column

ADD_ALL: Final = TRIPLES.within(
    "INSERT INTO do_not_call (number, identity, reason, created_at) SELECT j.number, j.identity, j.more, ? FROM %s "
    "WHERE true ORDER BY j.key ON CONFLICT DO NOTHING"
)
"""`WHERE true` keeps SQLite from reading ON as a join's. Parameters: now, numbers with their identities
and reasons as a JSON list."""

COUNT_LISTED: Final = LISTED.within("SELECT count(*) FROM do_not_call WHERE identity IN (SELECT j.value FROM %s)")
LISTED_AS: Final = "SELECT number, identity, reason, created_at FROM do_not_call WHERE identity = ?"

PAGE: Final = "SELECT number, identity, reason, created_at FROM do_not_call WHERE number > ? ORDER BY number LIMIT ?"

REMOVE: Final = LISTED.within("DELETE FROM do_not_call WHERE identity IN (SELECT j.value FROM %s)")

PATTERNS: Final = "SELECT n.kind, n.pattern FROM number_pattern n JOIN phonebook p ON p.user_id = n.user_id WHERE p.id = ?"

NOBODY: Final = 0
"""The id of no user: no patterns hold."""

PATTERNS_OF_CAMPAIGN: Final = (
    "SELECT n.kind, n.pattern FROM number_pattern n JOIN campaign c ON c.user_id = n.user_id WHERE c.id = ?"
)


@verb
def forbid(t: Transaction, numbers: Sequence[str], reason: str = "") -> int:
    """No campaign calls these any more, however they are spelled. Returns how many were not forbidden before. Raises
    `BadValue` for what is no number, or no reason."""
    why = entered(DoNotCallEntry, {"reason": reason})["reason"]
    return forbid_all(t, [(*t.numbering.read(number, "number"), why) for number in numbers])


@verb
def forbid_all(t: Transaction, entries: Sequence[tuple[str, str, str]]) -> int:
    """The same for numbers with their identities, each with its reason."""
    row = (to_column(t.now), orjson.dumps(entries).decode())
    return t.connection.execute(ADD_ALL.of(t.connection), row).rowcount


@verb
def unknown(t: Transaction, identities: Sequence[str]) -> int:
    """How many of them may be called."""
    (found,) = t.connection.execute(COUNT_LISTED.of(t.connection), (orjson.dumps(identities).decode(),)).fetchone()
    return len(identities) - int(found)


@verb
def check(t: Transaction, numbers: Sequence[str]) -> list[DoNotCallEntry | None]:
    """The entry of each number, in whatever spelling it is listed; None for one that may be called. Raises `BadValue` for
    what is no number."""
    found = []
    for number in numbers:
        row = t.connection.execute(LISTED_AS, (t.numbering.read(number, "number")[1],)).fetchone()
        found.append(None if row is None else _entry(row))
    return found


@verb
def permit(t: Transaction, numbers: Sequence[str]) -> int:
    """They may be called again. Returns how many were forbidden. Subscribers that were set to NOT_AUTHORISED meanwhile stay
    so. Raises `BadValue` for what is no number."""
    identities = [t.numbering.read(number, "number")[1] for number in numbers]
    return t.connection.execute(REMOVE.of(t.connection), (orjson.dumps(identities).decode(),)).rowcount


@verb
def forbidden(t: Transaction, after: str = "", limit: int = 1000) -> list[DoNotCallEntry]:
    """Forbidden numbers in their order, those behind `after`."""
    return [_entry(row) for row in t.connection.execute(PAGE, (after, limit))]


def _entry(row: tuple[str, str, str, str]) -> DoNotCallEntry:
    number, identity, reason, created_at = row
    return DoNotCallEntry(number=number, identity=identity, reason=reason, created_at=from_column(created_at))


def number_rules(connection: Connection, phonebook_id: int) -> NumberRules:
    """Those of the phonebook's owner."""
    return _rules(connection.execute(PATTERNS, (phonebook_id,)).fetchall())


def rules_of_campaign(connection: Connection, campaign_id: int) -> NumberRules:
    """Those of the campaign's user."""
    return _rules(connection.execute(PATTERNS_OF_CAMPAIGN, (campaign_id,)).fetchall())


def _rules(found: Sequence[tuple[str, str]]) -> NumberRules:
    black, white = (frozenset(pattern for kind, pattern in found if kind == wanted) for wanted in ("blacklist", "whitelist"))
    return gate.number_rules(black, white)


def refusals(t: Transaction, user_id: int) -> gate.Refusal:
    """Why the calls of a user may not have a leg; `NOBODY` has no patterns."""

    def refusal(leg: GatedLeg) -> str:
        asked = gate.identities((leg,), t.numbering)
        return gate.refusal(leg, t.numbering, call_rules(t.connection, user_id, asked))

    return refusal


def check_caller_id(t: Transaction, user_id: int, number: str, pool_id: int | None = None) -> None:
    """Raise `BadValue` for a number that the user's calls may not show as the caller's, `NotFound` for a pool of caller ids
    that is not the user's."""
    check_pool(t, user_id, pool_id)
    if (
        pool_id is None
        and t.strict_caller_ids
        and number
        and not is_pooled(t.connection, user_id, t.numbering.identity(number))
    ):
        raise BadValue("caller_id", f"{number} stands in no pool of caller ids of this user, which this installation requires")
    if reason := _caller_id_refusal(t, user_id, number):
        raise BadValue("caller_id", reason)


def caller_id_refusal(t: Transaction, campaign: Campaign) -> str:
    """Why a campaign may not show its caller id or its caller's name, "" when it may."""
    named = gate.caller_name_refusal(campaign.caller_name)
    own = "" if campaign.caller_id_pool_id is not None else campaign.caller_id
    return named or _caller_id_refusal(t, campaign.user_id, own)


def _caller_id_refusal(t: Transaction, user_id: int, number: str) -> str:
    allowed = call_rules(t.connection, user_id, ()).caller_ids if number else ""
    return gate.caller_id_refusal(number, allowed, t.numbering)


def check_numbers(connection: Connection, phonebook_id: int, numbers: Sequence[tuple[str, str]]) -> None:
    """Raise `BadValue` for the first of `numbers`, each with its identity, that the owner of the phonebook may not call."""
    rules = number_rules(connection, phonebook_id)
    for number, identity in numbers:
        if reason := rules.refusal(number, identity):
            raise BadValue("number", reason)
