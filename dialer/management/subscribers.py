"""Subscribers: what became of the contacts of a campaign."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from dialer.errors import BadValue, NotFound
from dialer.management.contacts import numbering_of
from dialer.management.management import Management, Transaction, call_soon, verb
from dialer.model import (
    Account,
    Contact,
    ContactDetails,
    Disposition,
    Phonebook,
    Subscriber,
    SubscriberReport,
    SubscriberStatus,
)
from dialer.model.user import ADMINISTRATOR
from dialer.numbers import parse_number
from dialer.store import contacts as sql
from dialer.store import reports
from dialer.store.connection import Connection
from dialer.store.times import from_column_or_none, to_column
from dialer.stored import reader

PAGE: Final = 1000
"""Subscribers that are read at once: about 5 ms on the database thread."""

MOST_STEPS: Final = 25
"""Pages for one part of a list: 25,000 contacts are looked at."""

DONE: Final = frozenset({SubscriberStatus.ABORT, SubscriberStatus.FAIL, SubscriberStatus.COMPLETE})
PENDING: Final = frozenset(SubscriberStatus) - DONE

_READ_CONTACT = reader(Contact, "k")
_READ_PHONEBOOK = reader(Phonebook, "p")
_CAMPAIGN = "SELECT 1 FROM campaign WHERE id = ? AND archived_at IS NULL"
_CONTACT = (
    f"SELECT {_READ_CONTACT.columns}, {_READ_PHONEBOOK.columns} FROM contact k "  # noqa: S608
    "JOIN phonebook p ON p.id = k.phonebook_id WHERE k.id = ?"
)


@frozen
class SubscriberPage:
    """Some subscribers, and the number behind which the next page begins; None after the last."""

    entries: list[SubscriberReport]
    after: str | None


async def listed(
    management: Management, who: Account, campaign_id: int, statuses: Collection[SubscriberStatus] = PENDING
) -> list[SubscriberReport]:
    """The subscribers of a campaign that have one of these statuses, in the order in which they came. Read page by page, so
    that the flow's transactions find their way between. Fails with: `NotFound`, `StoreError`."""
    found = await some(management, who, campaign_id, statuses)
    found.sort(key=lambda entry: entry.subscriber.contact_id)
    return found


async def read_pages(
    management: Management,
    who: Account,
    campaign_id: int,
    statuses: Collection[SubscriberStatus],
    take: Callable[[list[SubscriberReport]], Awaitable[None]],
) -> None:
    """The same, given to `take` page by page, in the order of their numbers: they are never in memory all at once."""
    last: str | None = ""
    while last is not None:
        read = await management.ask_in_turn(page, who, campaign_id, last, PAGE, statuses)
        await take(read.entries)
        last = read.after


async def some(
    management: Management,
    who: Account,
    campaign_id: int,
    statuses: Collection[SubscriberStatus],
    after: str = "",
    limit: int | None = None,
) -> list[SubscriberReport]:
    """At most `limit` of them whose numbers are behind `after`, in the order of their numbers as texts."""
    found: list[SubscriberReport] = []
    last: str | None = after
    while last is not None and (limit is None or len(found) < limit):
        size = PAGE if limit is None or len(statuses) < len(SubscriberStatus) else min(PAGE, limit - len(found))
        read = await management.ask_in_turn(page, who, campaign_id, last, size, statuses)
        found += read.entries
        last = read.after
    return found[:limit]


async def portion(
    management: Management,
    who: Account,
    campaign_id: int,
    statuses: Collection[SubscriberStatus],
    after: str,
    limit: int,
) -> SubscriberPage:
    """Subscribers in one of these states, at most `limit`, in no more than `MOST_STEPS` steps: there may be fewer by then, and
    more behind."""
    found: list[SubscriberReport] = []
    last: str | None = after
    for _ in range(MOST_STEPS):
        size = PAGE if len(statuses) < len(SubscriberStatus) else limit
        read = await management.ask_in_turn(page, who, campaign_id, last or "", size, statuses)
        found += read.entries[: limit - len(found)]
        last = read.after
        if len(found) == limit:
            if read.entries and found[-1] is not read.entries[-1]:
                last = found[-1].subscriber.number
            break
        if last is None:
            break
    return SubscriberPage(found, last)


@verb
def page(
    t: Transaction,
    who: Account,
    campaign_id: int,
    after: str,
    size: int,
    statuses: Collection[SubscriberStatus] = frozenset(SubscriberStatus),
) -> SubscriberPage:
    """Those with one of the statuses among the next `size` subscribers in the order of their numbers, which the index has.
    Raises `NotFound` for the campaign."""
    check_ours(t.connection, who, campaign_id)
    ask = t.connection.execute
    if len(statuses) == len(SubscriberStatus):
        found = ask(reports.SUBSCRIBERS, (campaign_id, after, size)).fetchall()
        return SubscriberPage(
            [_report(campaign_id, row, t.now) for row in found], found[-1][0] if len(found) == size else None
        )
    row = ask(reports.LAST_OF_SUBSCRIBERS, (campaign_id, after, size - 1)).fetchone()
    bounds = (after,) if row is None else (after, row[0])
    wanted = sorted(map(int, statuses))
    statement = reports.subscribers_between(len(wanted), to_the_end=row is None)
    found = ask(statement, (campaign_id, *bounds, *wanted)).fetchall() if wanted else []
    return SubscriberPage([_report(campaign_id, each, t.now) for each in found], None if row is None else row[0])


@verb
def one(t: Transaction, who: Account, campaign_id: int, number: str) -> list[SubscriberReport]:
    """The subscriber of a number, in whatever spelling, if there is one. Raises `NotFound` for the campaign, `BadValue`."""
    wanted = parse_number(number, "number")
    check_ours(t.connection, who, campaign_id)
    identity = subscribed_identity(t, campaign_id, wanted)
    return [_report(campaign_id, row, t.now) for row in t.connection.execute(reports.SUBSCRIBER, (campaign_id, identity))]


@verb
def read(t: Transaction, who: Account, campaign_id: int, number: str) -> SubscriberReport:
    """The same. Raises also `NotFound` when there is none."""
    for found in one(t, who, campaign_id, number):
        return found
    raise NotFound("contact in the campaign", number)


@verb
def locked(t: Transaction, who: Account, campaign_id: int, number: str) -> SubscriberReport:
    """The same, which nobody changes until the end of the transaction."""
    check_ours(t.connection, who, campaign_id)
    identity = subscribed_identity(t, campaign_id, parse_number(number, "number"))
    t.connection.execute(sql.LOCK_SUBSCRIBER.of(t.connection), (campaign_id, identity))
    return read(t, who, campaign_id, number)


@verb
def changed(t: Transaction, who: Account, campaign_id: int, number: str, status: SubscriberStatus | None) -> SubscriberReport:
    """Set the status of one of them, as `set_status` does; None leaves it as it is. Returns what it is then. Raises
    `NotFound`, `BadValue`."""
    read(t, who, campaign_id, number)
    if status is not None:
        set_status(t, who, campaign_id, number, status)
    return read(t, who, campaign_id, number)


def _report(campaign_id: int, row: tuple[Any, ...], now: datetime) -> SubscriberReport:
    number, status, contact_id, last_attempt_at, count_attempt, ready_at, disposition, reason = row
    subscriber = Subscriber(
        campaign_id=campaign_id,
        contact_id=contact_id,
        number=number,
        status=SubscriberStatus(status),
        ready_at=from_column_or_none(ready_at),
        count_attempt=count_attempt,
        last_attempt_at=from_column_or_none(last_attempt_at),
    )
    waits = subscriber.status is SubscriberStatus.START and subscriber.ready_at is not None and subscriber.ready_at > now
    return SubscriberReport(
        subscriber=subscriber,
        disposition=None if disposition is None else Disposition(disposition),
        reason=reason,
        next_attempt_at=subscriber.ready_at if waits else None,
    )


def subscribed_identity(t: Transaction, campaign_id: int, number: str) -> str:
    """The identity that a number has in a campaign, whose phonebooks may be of several regions."""
    identities = {
        numbering_of(t, rules).identity(number) for (rules,) in t.connection.execute(sql.RULES_OF_CAMPAIGN, (campaign_id,))
    }
    for identity in sorted(identities):
        if t.connection.execute(sql.SUBSCRIBER_STATUS, (campaign_id, identity)).fetchone() is not None:
            return identity
    return t.numbering.identity(number)


@verb
def set_status(t: Transaction, who: Account, campaign_id: int, number: str, status: SubscriberStatus) -> ContactDetails:
    """One of the first five statuses, for the subscriber of a number as it was entered. While a call is live, it takes effect
    when that ends. Raises `BadValue`, and `NotFound`: a subscriber of a campaign that is not the user's is as if it did not
    exist."""
    if status > SubscriberStatus.COMPLETE:
        raise BadValue("status", "is not for users to set")
    wanted = parse_number(number, "number")
    try:
        check_ours(t.connection, who, campaign_id)
    except NotFound as error:
        raise (error if error.kind == "user" else NotFound("subscriber", wanted)) from None
    identity = subscribed_identity(t, campaign_id, wanted)
    row = (int(status), int(status), to_column(t.now), *[int(status)] * 4, campaign_id, identity)
    if not t.connection.execute(sql.SET_STATUS, row).rowcount:
        raise NotFound("subscriber", wanted)
    key, shown, contact_id = t.connection.execute(sql.SUBSCRIBER_STATUS, (campaign_id, identity)).fetchone()
    found = t.connection.execute(_CONTACT, (contact_id,)).fetchone()
    t.then(call_soon)
    return ContactDetails(
        id=key,
        status=SubscriberStatus(shown),
        contact=_READ_CONTACT(found),
        phonebook=_READ_PHONEBOOK(found[_READ_CONTACT.width :]),
    )


def check_ours(connection: Connection, who: Account, campaign_id: int) -> None:
    """Raise `NotFound` for a campaign that does not exist, or is somebody else's, and for a user that may do nothing."""
    if who is ADMINISTRATOR:  # whoever runs a command, and has no row
        if connection.execute(_CAMPAIGN, (campaign_id,)).fetchone() is None:
            raise NotFound("campaign", campaign_id)
        return
    row = connection.execute(sql.OUR_CAMPAIGN, (campaign_id, who.is_superuser, who.id)).fetchone()
    if row is None:
        raise NotFound("user", who.username)
    if not row[0]:
        raise NotFound("campaign", campaign_id)
