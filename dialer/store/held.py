"""Subscribers that the calling rules keep waiting, or refuse: each is asked about when its turn comes, and set aside until the
moment that the ruling names (`dialer.store.blocked`). What is set aside, for whatever reason, is looked at again when
something changes by which that might."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import evolve

from dialer.calls.causes import OWN_CAUSES
from dialer.model import Block, BlockReason, Campaign, Candidate
from dialer.rules.book import RuleBook
from dialer.rules.decide import EarlierCall, Ruling, decide, longest_memory
from dialer.store import blocked
from dialer.store.blocked import Blocking
from dialer.store.connection import Connection, Dialect
from dialer.store.maintenance import LOCKS
from dialer.store.times import from_column, to_column

CHUNK: Final = 2000
"""Subscribers that are looked at again in one transaction: about 10 ms."""

CAMPAIGNS: Final = 50
"""Campaigns that are gone through in one transaction as long as nobody is held in them."""

_UNTRIED: Final = ", ".join(f"'{cause}'" for cause, verdict in OWN_CAUSES.items() if not verdict.tried)
DIALLED: Final = f"(cause IS NULL OR cause NOT IN ({_UNTRIED}))"
"""Of an attempt that may have reached somebody's line."""

RECHECK: Final = "SELECT id, recheck FROM campaign WHERE recheck > 0 ORDER BY id LIMIT 1"
RELEASE: Final = (
    "UPDATE subscriber SET ready_at = CASE WHEN status IN (1, 7) THEN coalesce(held_from, ready_at) ELSE ready_at END, "
    "status = CASE WHEN status = 7 THEN 1 ELSE status END, held_from = NULL, held_by = NULL, blocked_by = NULL WHERE "
)
"""Before a condition: those for which it holds are as ready as they were before."""
RELEASE_SOME: Final = (
    f"{RELEASE} id IN "  # noqa: S608
    "(SELECT id FROM subscriber WHERE campaign_id = ? AND held_from IS NOT NULL ORDER BY id LIMIT ?)"
)
RELEASE_CONTACT: Final = f"{RELEASE} contact_id = ? AND held_from IS NOT NULL"
_RECHECKED: Final = "UPDATE campaign SET recheck = 0 WHERE id = ? AND recheck = ?"
_RECHECK_ONE: Final = "UPDATE campaign SET recheck = recheck + 1 WHERE id = ?"
_RECHECK_ALL: Final = "UPDATE campaign SET recheck = recheck + 1 WHERE archived_at IS NULL OR (single = 1 AND status < 3)"

NUMBER_LOCKS: Final = LOCKS + 1
"""The first half of the keys of locks on numbers; the second is a hash of the identity."""
_LOCK_NUMBER: Final = "SELECT pg_advisory_xact_lock(?, hashtext(?))"


def history(count: int) -> str:
    """The attempts to so many numbers. Parameters: their identities, the moment after which."""
    return (
        "SELECT identity, deadline, answered_at FROM attempt "  # noqa: S608
        f"WHERE identity IN ({', '.join('?' * count)}) AND deadline > ? AND {DIALLED}"
    )


def time_zones(count: int) -> str:
    """Where so many contacts are known to be, as far as that is known. Parameters: their ids."""
    return f"SELECT id, time_zone FROM contact WHERE id IN ({', '.join('?' * count)}) AND time_zone <> ''"  # noqa: S608


def histories(
    connection: Connection, book: RuleBook, wanted: Iterable[tuple[Candidate, Campaign]], now: datetime
) -> Mapping[str, Sequence[EarlierCall]]:
    """The attempts to the numbers of candidates, by their identities, as far as rulings look back. An attempt counts at the
    last moment at which the switch may have made it."""
    spans: dict[str, int] = {}
    for candidate, campaign in wanted:
        span = longest_memory(book, candidate, campaign)
        if span:
            spans[candidate.identity] = max(span, spans.get(candidate.identity, 0))
    if not spans:
        return {}
    since = now - timedelta(seconds=max(spans.values()))
    found: dict[str, list[EarlierCall]] = {}
    for identity, deadline, answered_at in connection.execute(history(len(spans)), (*spans, to_column(since))):
        found.setdefault(identity, []).append(EarlierCall(at=from_column(deadline), answered=answered_at is not None))
    return found


def lock_numbers(connection: Connection, book: RuleBook, wanted: Iterable[tuple[Candidate, Campaign]]) -> None:
    """On a server, until the end of the transaction: nobody else begins a call to a number whose calls are counted. In the
    order of the numbers, so that two who want several do not wait for each other."""
    if connection.dialect is Dialect.POSTGRESQL:
        counted = {candidate.identity for candidate, campaign in wanted if longest_memory(book, candidate, campaign)}
        for identity in sorted(counted):
            connection.execute(_LOCK_NUMBER, (NUMBER_LOCKS, identity))


def allowed(
    connection: Connection, book: RuleBook, candidates: Sequence[Candidate], campaign: Campaign, why: Blocking
) -> list[Candidate]:
    """Those that the campaign may call at that moment, with the time zones of their contacts; the others are set aside."""
    candidates = _located(connection, candidates)
    known = histories(connection, book, ((candidate, campaign) for candidate in candidates), why.at)
    rulings = [(each, decide(book, each, campaign, known.get(each.identity, ()), why.at)) for each in candidates]
    set_aside(connection, [(candidate.subscriber_id, ruling) for candidate, ruling in rulings if not ruling.is_open], why)
    return [candidate for candidate, ruling in rulings if ruling.is_open]


def _located(connection: Connection, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """With where their contacts are known to be."""
    if not candidates:
        return candidates
    contacts = [candidate.contact_id for candidate in candidates]
    zones = dict(connection.execute(time_zones(len(contacts)), contacts).fetchall())
    return [
        evolve(candidate, time_zone=zones[candidate.contact_id]) if candidate.contact_id in zones else candidate
        for candidate in candidates
    ]


def set_aside(connection: Connection, rulings: Sequence[tuple[int, Ruling]], why: Blocking) -> None:
    """Pending subscribers by their ids, with the rulings that keep them waiting, or refuse them."""
    blocked.set_aside(connection, {key: as_block(ruling) for key, ruling in rulings}, why)


def as_block(ruling: Ruling) -> Block:
    """A ruling that is not open."""
    return Block(reason=BlockReason.CALLING_RULES, text=ruling.text, until=ruling.until)


# --- looking again ----------------------------------------------------------------------------------------------------------


def release_some(connection: Connection) -> None:
    """Some of those that are to be looked at again are as ready as they were before; most of the time there are none."""
    for _ in range(CAMPAIGNS):
        row = connection.execute(RECHECK).fetchone()
        if row is None:
            return
        campaign_id, recheck = row
        released = connection.execute(RELEASE_SOME, (campaign_id, CHUNK)).rowcount
        if released < CHUNK:
            connection.execute(_RECHECKED, (campaign_id, recheck))
        if released:
            return


def release_contact(connection: Connection, contact_id: int) -> None:
    """A contact is to be looked at again in all of its campaigns."""
    connection.execute(RELEASE_CONTACT, (contact_id,))


def recheck(connection: Connection, campaign_id: int) -> None:
    """The held contacts of a campaign are to be looked at again."""
    connection.execute(_RECHECK_ONE, (campaign_id,))


def recheck_all(connection: Connection) -> None:
    """Those of all campaigns are."""
    connection.execute(_RECHECK_ALL)


def use_book(connection: Connection, fingerprint: str) -> bool:
    """The rules are these from now on: when they are others than before, all that is held is to be looked at again, and some
    of it is at once. Returns whether they are."""
    row: tuple[Any, ...] | None = connection.execute("SELECT rule_book FROM installation").fetchone()
    if row is None or row[0] == fingerprint:
        return False
    connection.execute("UPDATE installation SET rule_book = ?", (fingerprint,))
    connection.execute(_RECHECK_ALL)
    release_some(connection)
    return True
