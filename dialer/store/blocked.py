"""Contacts that must not be called: they become NOT_AUTHORISED, which is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from dialer.gate import number_rules
from dialer.model import CallRules, EventKind
from dialer.store import events, statements
from dialer.store.call_rules import call_rules
from dialer.store.connection import Connection
from dialer.store.told_state import tell_finished

RETURNED: Final = " RETURNING id, campaign_id, contact_id, number, identity"
"""Behind a statement that changes subscribers: those that are told of."""
OWNER: Final = "SELECT user_id FROM campaign WHERE id = ?"

NO_REASONS: Final[Mapping[int, str]] = MappingProxyType({})


@frozen(kw_only=True)
class Blocking:
    """Why now: the moment, the kinds of events that somebody asks for, and by subscriber why, where that is not to be found in
    the lists, with the word for all of these."""

    at: datetime
    wanted: frozenset[EventKind]
    reasons: Mapping[int, str] = NO_REASONS
    word: str = "never-dialled"


def block(connection: Connection, subscriber_ids: Sequence[int], why: Blocking) -> None:
    """These are never called, unless a call of theirs is live; they and campaigns that have finished by that are told of."""
    statement = statements.forbid(len(subscriber_ids)) + RETURNED
    by_campaign: dict[int, list[Any]] = {}
    for row in connection.execute(statement, list(subscriber_ids)).fetchall():
        by_campaign.setdefault(row[1], []).append(row)
    tell_blocked(connection, by_campaign, why)


def tell_blocked(connection: Connection, by_campaign: Mapping[int, Sequence[Any]], why: Blocking) -> None:
    """The events of subscribers that were just blocked, by their campaigns, as rows of `RETURNED`; and of campaigns that have
    finished by that."""
    if EventKind.CONTACT_BLOCKED in why.wanted:
        for campaign_id, rows in by_campaign.items():
            tell(connection, campaign_id, rows, why)
    tell_finished(connection, by_campaign, why.at, why.wanted)


def tell(connection: Connection, campaign_id: int, rows: Sequence[Any], why: Blocking) -> None:
    """The events of subscribers of a campaign: their ids, campaigns, contacts, numbers and identities."""
    (user_id,) = connection.execute(OWNER, (campaign_id,)).fetchone()
    rules = call_rules(connection, user_id, [row[-1] for row in rows if row[0] not in why.reasons])
    for subscriber_id, _, contact_id, number, identity in rows:
        given = why.reasons.get(subscriber_id)
        reason, text = (why.word, given) if given else why_blocked(number, identity, rules)
        facts = {"number": number, "subscriber_id": subscriber_id, "reason": reason, "text": text}
        about = events.About(user_id=user_id, campaign_id=campaign_id, contact_id=contact_id)
        events.add(connection, EventKind.CONTACT_BLOCKED, why.at, about, facts)


def why_blocked(number: str, identity: str, rules: CallRules) -> tuple[str, str]:
    """A word and a sentence."""
    known = number_rules(rules.blacklist, rules.whitelist)
    if identity in rules.do_not_call:
        return "do-not-call", f"{number} is on the do-not-call list"
    if known.is_forbidden(number, identity):
        return "blacklist", known.refusal(number, identity)
    if text := known.refusal(number, identity):
        return "whitelist", text
    return "dialled-form", f"{number} as its gateway dials it is on the do-not-call list, or on the blacklist of this user"
