"""Numbers that the calls of a user may not reach or show: its blacklist and whitelist, its caller ids, and for the legs of its
calls the do-not-call lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dialer import gate
from dialer.errors import BadValue
from dialer.gate import GatedLeg, NumberRules
from dialer.management.caller_ids import check_pool
from dialer.management.management import Transaction
from dialer.model import Campaign
from dialer.store.call_rules import call_rules
from dialer.store.caller_ids import is_pooled
from dialer.store.connection import Connection

PATTERNS: Final = "SELECT n.kind, n.pattern FROM number_pattern n JOIN phonebook p ON p.user_id = n.user_id WHERE p.id = ?"

NOBODY: Final = 0
"""The id of no user: no patterns hold."""


def number_rules(connection: Connection, phonebook_id: int) -> NumberRules:
    """Those of the phonebook's owner."""
    return _rules(connection.execute(PATTERNS, (phonebook_id,)).fetchall())


def _rules(found: Sequence[tuple[str, str]]) -> NumberRules:
    black, white = (frozenset(pattern for kind, pattern in found if kind == wanted) for wanted in ("blacklist", "whitelist"))
    return gate.number_rules(black, white)


def refusals(t: Transaction, user_id: int) -> gate.Refusal:
    """Why the calls of a user may not have a leg; `NOBODY` has no patterns."""

    def refusal(leg: GatedLeg) -> str:
        asked = gate.identities((leg,), t.numbering)
        return gate.refusal(leg, t.numbering, call_rules(t.connection, user_id, asked, t.now))

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
    allowed = call_rules(t.connection, user_id, (), t.now).caller_ids if number else ""
    return gate.caller_id_refusal(number, allowed, t.numbering)


def check_numbers(connection: Connection, phonebook_id: int, numbers: Sequence[tuple[str, str]]) -> None:
    """Raise `BadValue` for the first of `numbers`, each with its identity, that the owner of the phonebook may not call."""
    rules = number_rules(connection, phonebook_id)
    for number, identity in numbers:
        if reason := rules.refusal(number, identity):
            raise BadValue("number", reason)
