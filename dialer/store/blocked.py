"""Contacts that must not be called: they become NOT_AUTHORISED, which is told. One that is only on lists which let it go later
waits until then instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from dialer.model import Block, BlockReason, EventKind
from dialer.store import events, statements
from dialer.store.connection import Connection
from dialer.store.may_call import FOR_EVER, Asked, blocked_among, blocks, moments
from dialer.store.times import to_column
from dialer.store.told_state import tell_finished

_BLOCKED: Final = " RETURNING id, campaign_id, contact_id, number, identity"
_OWNER: Final = "SELECT user_id FROM campaign WHERE id = ?"

NO_REASONS: Final[Mapping[int, str]] = MappingProxyType({})


@frozen(kw_only=True)
class Blocking:
    """Why now: the moment, the kinds of events that somebody asks for, and by subscriber why, where that is not to be found in
    the lists; `until` are the moments until which what their gateways dial is listed, as columns have them."""

    at: datetime
    wanted: frozenset[EventKind]
    reasons: Mapping[int, str] = NO_REASONS
    until: Mapping[int, str] = NO_REASONS


def block(connection: Connection, subscriber_ids: Sequence[int], why: Blocking) -> None:
    """These are never called, unless a call of theirs is live; they and campaigns that have finished by that are told of.
    Those that may be called later wait."""
    now = to_column(why.at)
    found = connection.execute(blocked_among(len(subscriber_ids)), (*moments(now), now, *subscriber_ids)).fetchall()
    never: dict[str, list[int]] = {}
    later: list[tuple[str, str, int]] = []
    for key, word, listed_until in found:
        reason, until = _judged(key, word, listed_until, why)
        if until < FOR_EVER:
            later.append((until, reason, key))
        else:
            never.setdefault(reason, []).append(key)
    if later:
        connection.executemany(statements.WAIT, later)
    by_campaign: dict[int, list[Any]] = {}
    for reason, keys in never.items():
        for row in connection.execute(statements.forbid(len(keys)) + _BLOCKED, [reason, *keys]).fetchall():
            by_campaign.setdefault(row[1], []).append(row)
    if EventKind.CONTACT_BLOCKED in why.wanted:
        for campaign_id, rows in by_campaign.items():
            tell(connection, campaign_id, rows, why)
    tell_finished(connection, by_campaign, why.at, why.wanted)


def _judged(key: int, word: str | None, listed_until: str | None, why: Blocking) -> tuple[str, str]:
    """The word for which a subscriber is not called, and until when."""
    if key in why.reasons:
        return BlockReason.NEVER_DIALLED, FOR_EVER
    if word is None:
        return BlockReason.DIALLED_FORM, why.until.get(key, FOR_EVER)
    return word, (listed_until or FOR_EVER) if word == BlockReason.DO_NOT_CALL else FOR_EVER


def tell(connection: Connection, campaign_id: int, rows: Sequence[Any], why: Blocking) -> None:
    """The events of subscribers of a campaign: their ids, campaigns, contacts, numbers and identities."""
    (user_id,) = connection.execute(_OWNER, (campaign_id,)).fetchone()
    for subscriber_id, _, contact_id, number, identity in rows:
        given = why.reasons.get(subscriber_id)
        if given:
            found = Block(reason=BlockReason.NEVER_DIALLED, text=given)
        else:
            asked = Asked(campaign_id=campaign_id, contact_id=contact_id, number=number, identity=identity)
            found = next(blocks(connection, asked, why.at), None) or _dialled_form(number)
        facts = {"number": number, "subscriber_id": subscriber_id, "reason": str(found.reason), "text": found.text}
        about = events.About(user_id=user_id, campaign_id=campaign_id, contact_id=contact_id)
        events.add(connection, EventKind.CONTACT_BLOCKED, why.at, about, facts)


def _dialled_form(number: str) -> Block:
    text = f"{number} as its gateway dials it is on a do-not-call list, or on the blacklist of this user"
    return Block(reason=BlockReason.DIALLED_FORM, text=text)
