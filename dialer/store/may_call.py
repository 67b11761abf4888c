"""May a campaign call this number now, and else why not: the one decision, for the search for candidates, for `begin`, for
events and for whoever asks.

Each condition is a fragment of SQL about a row `s` with `campaign_id`, `contact_id`, `number` and `identity`: a subscriber, or
what somebody asks for. The statements of the flow take the word of the strongest that holds (`BLOCKED`), within the statement
itself; the sentences are made afterwards, of the few that are blocked. Numbers are compared by their identities. All of it is
found by indexes, whatever is on the lists. The patterns are those of `dialer.patterns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from dialer.model import Block, BlockReason
from dialer.model.do_not_call import EVERYBODYS
from dialer.store.connection import Connection
from dialer.store.times import from_column, from_column_or_none, to_column

FOR_EVER: Final = "9999-12-31 23:59:59.999999"
"""When an entry without an end expires."""


def holds(campaign: str, user: str) -> str:
    """Whether an entry `d` holds for a campaign of a user. Parameter: now, and those of the two operands in this order."""
    return (
        "d.removed_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > ?) AND EXISTS (SELECT 1 FROM do_not_call_list l "  # noqa: S608
        f"WHERE l.id = d.list_id AND l.archived_at IS NULL AND (l.campaign_id = {campaign} OR (l.campaign_id IS NULL "
        f"AND (l.user_id IS NULL OR l.user_id = {user}))))"
    )


_USER: Final = "(SELECT w.user_id FROM campaign w WHERE w.id = s.campaign_id)"
_ENTRIES: Final = f"FROM do_not_call d WHERE d.identity = s.identity AND {holds('s.campaign_id', _USER)}"
LISTED_UNTIL: Final = f"(SELECT max(coalesce(d.expires_at, '{FOR_EVER}')) {_ENTRIES})"
"""The moment until which `s` is on a list that holds; null when it is on none. A subquery that gives one value: a server
cannot make a join of it, for which it would read the lists. Parameter: now."""

_PATTERNS: Final = "FROM number_pattern n WHERE n.user_id = " + _USER + " AND n.kind = '{}'"
_BLACK, _WHITE = _PATTERNS.format("blacklist"), _PATTERNS.format("whitelist")
_MATCHES: Final = "s.identity LIKE n.matcher"

_POLICY: Final = "(SELECT w.consent FROM campaign w WHERE w.id = s.campaign_id)"
_ENOUGH: Final = f"(k.consent_basis IN ('express', 'written') OR (k.consent_basis IS NOT NULL AND {_POLICY} = 'recorded'))"
_CONSENT: Final = (
    "SELECT 1 FROM contact k WHERE k.id = s.contact_id AND k.consent_given_at <= ? "  # noqa: S608
    f"AND (k.consent_expires_at IS NULL OR k.consent_expires_at > ?) AND {_ENOUGH}"
)
AGREED_FROM: Final = (
    "CASE WHEN k.consent_given_at > ? AND (k.consent_expires_at IS NULL OR k.consent_expires_at > k.consent_given_at) "
    f"AND {_ENOUGH} THEN k.consent_given_at END"
)
"""The moment from which the contact `k` of `s` has the consent that its campaign asks for, when that is still to come; else
null. Parameter: now."""
_AGREED_FROM: Final = f"(SELECT {AGREED_FROM} FROM contact k WHERE k.id = s.contact_id)"  # noqa: S608

CONDITIONS: Final = (
    (BlockReason.DO_NOT_CALL, f"{LISTED_UNTIL} IS NOT NULL"),
    (BlockReason.BLACKLIST, f"EXISTS (SELECT 1 {_BLACK} AND ({_MATCHES} OR ltrim(s.number, '+') LIKE n.matcher))"),
    (BlockReason.WHITELIST, f"(EXISTS (SELECT 1 {_WHITE}) AND NOT EXISTS (SELECT 1 {_WHITE} AND {_MATCHES}))"),
    (BlockReason.CONSENT, f"({_POLICY} <> 'not-asked' AND NOT EXISTS ({_CONSENT}))"),
)
"""The strongest first."""

_WHEN: Final = " ".join(f"WHEN {condition} THEN '{reason}'" for reason, condition in CONDITIONS)
BLOCKED: Final = f"CASE {_WHEN} END"
"""The word why `s` is not called now, or null. Parameters: now, as often as `MOMENTS` says."""
MOMENTS: Final = BLOCKED.count("?")


_POSSIBLE: Final = (
    "SELECT EXISTS (SELECT 1 FROM number_pattern n WHERE n.user_id = c.user_id AND n.kind = 'blacklist'), "
    "EXISTS (SELECT 1 FROM number_pattern n WHERE n.user_id = c.user_id AND n.kind = 'whitelist'), c.consent <> 'not-asked' "
    "FROM campaign c WHERE c.id = ?"
)
"""Parameter: campaign."""


def blocked_otherwise(connection: Connection, campaign_id: int) -> str:
    """The word why `s`, a subscriber of that campaign, is not called now whatever is on lists, or null: without the conditions
    that hold for none of its contacts. Its parameters are all now."""
    possible = connection.execute(_POSSIBLE, (campaign_id,)).fetchone() or ()
    unlisted = [each for each in CONDITIONS if each[0] is not BlockReason.DO_NOT_CALL]
    when = " ".join(f"WHEN {each[1]} THEN '{each[0]}'" for each, may in zip(unlisted, possible, strict=True) if may)
    return f"CASE {when} END" if when else "NULL"


def moments(now: str) -> tuple[str, ...]:
    """The parameters of `BLOCKED`."""
    return (now,) * MOMENTS


def moments_without_ends(now: str) -> tuple[str, ...]:
    """The parameters of `BLOCKED` that have it as if all that is to expire on lists had expired."""
    return (FOR_EVER, *moments(now)[1:])


def blocked_among(count: int) -> str:
    """Why so many subscribers are not called, until when they are on a list, from when on they have agreed, and their
    campaigns, contacts, numbers and identities. Parameters: those of `BLOCKED`, now, now, subscribers."""
    return (
        f"SELECT s.id, {BLOCKED}, {LISTED_UNTIL}, {_AGREED_FROM}, s.campaign_id, s.contact_id, s.number, s.identity "  # noqa: S608
        f"FROM subscriber s WHERE s.id IN ({', '.join('?' * count)})"
    )


def ends(listed_until: str | None) -> datetime | None:
    """The moment until which something is listed, of a column; None for ever."""
    return None if listed_until is None or listed_until >= FOR_EVER else from_column(listed_until)


def listed_until(
    connection: Connection, asked: Sequence[str], campaign_id: int, user_id: int, now: datetime
) -> dict[str, str]:
    """Those of the identities that are on a list which holds for a campaign of a user, each with the moment until which it is,
    as a column has it. No campaign and no user have the id 0."""
    if not asked:
        return {}
    statement = (
        f"SELECT d.identity, max(coalesce(d.expires_at, '{FOR_EVER}')) FROM do_not_call d "  # noqa: S608
        f"WHERE d.identity IN ({', '.join('?' * len(asked))}) AND {holds('?', '?')} GROUP BY d.identity"
    )
    found = connection.execute(statement, (*asked, to_column(now), campaign_id, user_id))
    return dict(found.fetchall())


# --- in words ---------------------------------------------------------------------------------------------------------------


@frozen
class AskedContact:
    """A number that a campaign might call; `contact_id` is 0 when it has no such contact."""

    campaign_id: int
    contact_id: int
    number: str
    identity: str

    @property
    def row(self) -> tuple[object, ...]:
        """The parameters of `_ASKED`."""
        return (self.campaign_id, self.contact_id, self.number, self.identity)


_ASKED: Final = (
    "(SELECT CAST(? AS BIGINT) AS campaign_id, CAST(? AS BIGINT) AS contact_id, CAST(? AS TEXT) AS number, "
    "CAST(? AS TEXT) AS identity) AS s"
)
_EACH: Final = ", ".join(f"CASE WHEN {condition} THEN 1 ELSE 0 END" for _, condition in CONDITIONS)
_WHICH: Final = f"SELECT {_EACH} FROM {_ASKED}"  # noqa: S608
_STRONGEST: Final = (
    "SELECT d.reason, d.created_at, d.expires_at, d.number, l.id, l.name "  # noqa: S608
    f"FROM {_ASKED} CROSS JOIN do_not_call d JOIN do_not_call_list l ON l.id = d.list_id "
    f"WHERE d.identity = s.identity AND {holds('s.campaign_id', _USER)} "
    f"ORDER BY coalesce(d.expires_at, '{FOR_EVER}') DESC, l.id LIMIT 1"
)
_AGREED: Final = (
    f"SELECT k.consent_basis, k.consent_given_at, k.consent_expires_at, {AGREED_FROM} FROM {_ASKED} "  # noqa: S608
    "JOIN contact k ON k.id = s.contact_id"
)


def blocks(connection: Connection, asked: AskedContact, now: datetime) -> Iterator[Block]:
    """All that keeps a campaign from calling a number now, the strongest first; nothing when it may be called."""
    moment = to_column(now)
    flags = connection.execute(_WHICH, (*moments(moment), *asked.row)).fetchone()
    for (reason, _), holds_now in zip(CONDITIONS, flags, strict=True):
        if holds_now:
            yield in_words(connection, reason, asked, now)


def in_words(connection: Connection, reason: BlockReason, asked: AskedContact, now: datetime) -> Block:
    """Why a number is not called, for one of the reasons of `CONDITIONS` that holds."""
    match reason:
        case BlockReason.DO_NOT_CALL:
            return _listed(connection, asked, now)
        case BlockReason.CONSENT:
            agreed = connection.execute(_AGREED, (to_column(now), *asked.row)).fetchone()
            return Block(
                reason=reason,
                text=f"{asked.number} has not got the consent that the campaign asks for: {_lacking(agreed, now)}",
                until=None if agreed is None else from_column_or_none(agreed[-1]),
            )
        case BlockReason.BLACKLIST:
            return Block(reason=reason, text=f"{asked.number} is on the blacklist of this user")
    return Block(reason=reason, text=f"{asked.number} is not on the whitelist of this user")


def _listed(connection: Connection, asked: AskedContact, now: datetime) -> Block:
    row = connection.execute(_STRONGEST, (*asked.row, to_column(now))).fetchone()
    if row is None:  # on a server, somebody has just removed it
        return Block(reason=BlockReason.DO_NOT_CALL, text=f"{asked.number} was on a do-not-call list")
    why, since, expires_at, number, list_id, name = row
    until = from_column_or_none(expires_at)
    spelled = f" as {number}" if number != asked.number else ""
    lasting = f" since {shown(from_column(since))}" + (f" until {shown(until)}" if until is not None else "")
    text = f"{asked.number} is on the do-not-call list{'' if list_id == EVERYBODYS else f' {name}'}{spelled}{lasting}"
    return Block(reason=BlockReason.DO_NOT_CALL, text=f"{text}: {why}" if why else text, until=until)


def _lacking(agreed: tuple[Any, ...] | None, now: datetime) -> str:
    """The consent that is not there."""
    basis, given_at, expires_at, begins_at = agreed or (None,) * 4
    if basis is None:
        return "none is recorded"
    if given_at is None:
        return f"that ({basis}) has no date, and so does not hold"
    if begins_at is not None:
        return f"that ({basis}) does not hold before {shown(from_column(begins_at))}"
    if expires_at is not None and from_column(expires_at) <= now:
        return f"that ({basis}) expired on {shown(from_column(expires_at))}"
    if expires_at is not None and expires_at <= given_at:
        return f"that ({basis}) expires before it begins"
    return f"that ({basis}) is no express one"


def shown(moment: datetime) -> str:
    """A moment for people, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
