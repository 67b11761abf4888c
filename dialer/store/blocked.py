"""Contacts whose turn came and that may not be called: they wait until they may be, or are called no more, and that is told.

Why a contact is not called is a `Block`, whoever found it: the lists, patterns and consents of `dialer.store.may_call`, the
calling rules (`dialer.store.held`), or what its gateway would dial. Where it names a moment, the contact waits for that, and
costs nothing before; else it becomes NOT_AUTHORISED: for good, or until something changes by which the reason might
(`LOOKED_AT_AGAIN`). Of those that may have another turn, `held_from` tells when they would have been ready.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import evolve, frozen

from dialer.model import Block, BlockReason, EventKind
from dialer.model.do_not_call import LOOKED_AT_AGAIN
from dialer.store import events, statements
from dialer.store.connection import Connection
from dialer.store.may_call import AskedContact, blocked_among, ends, in_words, moments
from dialer.store.times import from_column_or_none, to_column
from dialer.store.told_state import tell_finished

LONGEST: Final = 2000
"""Characters that are kept of a reason."""

HOLD: Final = (
    "UPDATE subscriber SET held_from = coalesce(held_from, ready_at), ready_at = ?, held_by = ?, blocked_by = ? "
    "WHERE id = ? AND status = 1"
)
"""It waits. Parameters: until when, why, the word for that, subscriber."""
_RETURNED: Final = " RETURNING id, campaign_id, contact_id, number, identity"
_HOLD_FIRST: Final = f"{HOLD} AND held_from IS NULL{_RETURNED}"
_OWNER: Final = "SELECT user_id FROM campaign WHERE id = ?"


@frozen(kw_only=True)
class Blocking:
    """When, and the kinds of events that somebody asks for."""

    at: datetime
    wanted: frozenset[EventKind]


def block(connection: Connection, subscriber_ids: Sequence[int], why: Blocking) -> None:
    """Those of these that `dialer.store.may_call` keeps from being called are set aside."""
    now = to_column(why.at)
    found: dict[int, Block] = {}
    statement = blocked_among(len(subscriber_ids))
    asked = (*moments(now), now, now, *subscriber_ids)
    for key, word, listed_until, agreed_from, *row in connection.execute(statement, asked).fetchall():
        if word is None:
            continue
        reason = BlockReason(word)
        until = None
        if reason is BlockReason.DO_NOT_CALL:
            until = ends(listed_until)
        elif reason is BlockReason.CONSENT:
            until = from_column_or_none(agreed_from)
        if until is None:
            found[key] = Block(reason=reason, text="")
        else:
            found[key] = evolve(in_words(connection, reason, AskedContact(*row), why.at), until=until)
    set_aside(connection, found, why)


def set_aside(connection: Connection, found: Mapping[int, Block], why: Blocking) -> None:
    """Pending subscribers by their ids, with what keeps each from being called; what has no text has it from
    `dialer.store.may_call`. Who did not wait before, and who is called no more, is told of, as far as somebody asks for it;
    campaigns that have finished by that are, too."""
    waiting = {key: each for key, each in found.items() if each.until is not None}
    again: Collection[int] = waiting
    if EventKind.CONTACT_HELD in why.wanted:
        again = _hold_and_tell(connection, waiting, why)
    if again:
        connection.executemany(HOLD, [(*_kept(waiting[key]), key) for key in again])
    refused = {key: each for key, each in found.items() if each.until is None}
    if refused:
        _refuse(connection, refused, why)


def _kept(found: Block) -> tuple[str, str, str]:
    """Until when a contact waits, why, and the word for that."""
    if found.until is None:
        raise ValueError(f"{found.reason} has no end")
    return to_column(found.until), found.text[:LONGEST], str(found.reason)


def _hold_and_tell(connection: Connection, waiting: Mapping[int, Block], why: Blocking) -> list[int]:
    """Those that did not wait do, and are told of; the others are given back."""
    again: list[int] = []
    owners: dict[int, int] = {}
    for key, found in waiting.items():
        row = connection.execute(_HOLD_FIRST, (*_kept(found), key)).fetchone()
        if row is None:
            again.append(key)
            continue
        _, campaign_id, contact_id, number, _ = row
        if campaign_id not in owners:
            (owners[campaign_id],) = connection.execute(_OWNER, (campaign_id,)).fetchone()
        about = events.About(user_id=owners[campaign_id], campaign_id=campaign_id, contact_id=contact_id)
        facts = {"number": number, "subscriber_id": key, "until": found.until}
        facts |= {"reason": str(found.reason), "text": found.text}
        events.add(connection, EventKind.CONTACT_HELD, why.at, about, facts)
    return again


def _refuse(connection: Connection, refused: Mapping[int, Block], why: Blocking) -> None:
    alike: dict[tuple[BlockReason, str], list[int]] = {}
    for key, found in refused.items():
        alike.setdefault((found.reason, found.text if found.reason in LOOKED_AT_AGAIN else ""), []).append(key)
    by_campaign: dict[int, list[Any]] = {}
    for (reason, text), keys in alike.items():
        if reason in LOOKED_AT_AGAIN:
            changed = connection.execute(
                statements.refuse(len(keys)) + _RETURNED, [text[:LONGEST] or None, str(reason), *keys]
            )
        else:
            changed = connection.execute(statements.forbid(len(keys)) + _RETURNED, [str(reason), *keys])
        for row in changed.fetchall():
            by_campaign.setdefault(row[1], []).append(row)
    if EventKind.CONTACT_BLOCKED in why.wanted:
        for campaign_id, rows in by_campaign.items():
            tell(connection, campaign_id, rows, refused, why)
    tell_finished(connection, by_campaign, why.at, why.wanted)


def tell(connection: Connection, campaign_id: int, rows: Sequence[Any], refused: Mapping[int, Block], why: Blocking) -> None:
    """The events of subscribers of a campaign: their ids, campaigns, contacts, numbers and identities."""
    (user_id,) = connection.execute(_OWNER, (campaign_id,)).fetchone()
    for subscriber_id, _, contact_id, number, identity in rows:
        found = refused[subscriber_id]
        text = (
            found.text
            or in_words(connection, found.reason, AskedContact(campaign_id, contact_id, number, identity), why.at).text
        )
        facts = {"number": number, "subscriber_id": subscriber_id, "reason": str(found.reason), "text": text}
        about = events.About(user_id=user_id, campaign_id=campaign_id, contact_id=contact_id)
        events.add(connection, EventKind.CONTACT_BLOCKED, why.at, about, facts)
