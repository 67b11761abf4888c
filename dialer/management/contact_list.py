"""The contacts of a phonebook, for people: page by page, one with what became of it, and changes of one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from dialer.declare import entered, noun_of, valid
from dialer.errors import AlreadyExists, BadValue, NotFound
from dialer.kinds import whole_number
from dialer.management import contacts, removals, rows
from dialer.management.listing import Place, Slice, in_sql
from dialer.management.management import Management, Transaction, call_soon, verb, writes
from dialer.model import Account, Contact, SubscriberStatus
from dialer.store import contact_list as sql
from dialer.store import contacts as subscriptions
from dialer.store import held
from dialer.store.times import from_column, from_column_or_none

PAGE: Final = 1000
"""Contacts that are read at once: about 10 ms on the database thread."""

MOST_ATTEMPTS: Final = 20
"""Of a contact that are shown: the newest."""

VARIABLES: Final = "additional_vars"
RULED_BY: Final = frozenset({"time_zone", "consent_basis", "consent_given_at", "consent_expires_at"})
"""By which it may be called, or not."""


@frozen(kw_only=True)
class InCampaign:
    """What a contact is in a campaign; `status` is what a user asked for, while a call is live. `ready_at` is None unless it
    waits."""

    campaign_id: int
    campaign: str
    status: SubscriberStatus
    count_attempt: int
    last_attempt_at: datetime | None
    ready_at: datetime | None


@frozen(kw_only=True)
class Tried:
    """An attempt to reach a contact; `disposition` is None while it is live."""

    id: int
    campaign: str
    number: str
    planned_at: datetime
    state: str
    disposition: str | None
    reason: str | None


@frozen(kw_only=True)
class Found:
    """A contact; its other spellings in its phonebook, what it is in campaigns, and the newest attempts to reach it. The
    campaigns and attempts of a double are those of the contact that it is a double of."""

    contact: Contact
    doubles: tuple[str, ...]
    campaigns: tuple[InCampaign, ...]
    attempts: tuple[Tried, ...]


@verb
def page(t: Transaction, who: Account, phonebook_id: int, part: Slice) -> list[Contact]:
    """The contacts of a phonebook; doubles are among them. Raises `NotFound`."""
    _check_ours(t, who, phonebook_id)
    order, values = in_sql(part, "k")
    found = t.connection.execute(f"{sql.HERE}{order}", (phonebook_id, *values))
    return [sql.READ_CONTACT(row) for row in found.fetchall()]


async def pages(management: Management, who: Account, phonebook_id: int) -> AsyncIterator[list[Contact]]:
    """All contacts of a phonebook, page by page: those that come meanwhile are there, too. Fails with `NotFound`,
    `StoreError`."""
    after: Place | None = None
    while True:
        found = await management.ask(page, who, phonebook_id, Slice(after=after, limit=PAGE))
        yield found
        if len(found) < PAGE:
            return
        after = (found[-1].id, found[-1].id)


@verb
def find(t: Transaction, who: Account, phonebook_id: int, text: str) -> Contact:
    """The contact of a number in any spelling, or else of an id. Raises `NotFound`, and `BadValue` for a text that is
    neither."""
    _check_ours(t, who, phonebook_id)
    as_id = whole_number(text)
    try:
        _, identity = contacts.phonebook_numbering(t, phonebook_id).read(text, "number")
    except BadValue:
        if as_id is None:
            raise
    else:
        for row in t.connection.execute(sql.BY_IDENTITY, (phonebook_id, identity)):
            return sql.READ_CONTACT(row)
    for row in t.connection.execute(sql.BY_ID, (phonebook_id, as_id)) if as_id is not None else ():
        return sql.READ_CONTACT(row)
    raise NotFound("contact", text)


@verb
def read(t: Transaction, who: Account, phonebook_id: int, contact_id: int) -> Found:
    """A contact with all that is known of it. Raises `NotFound`."""
    _check_ours(t, who, phonebook_id)
    row = t.connection.execute(sql.BY_ID, (phonebook_id, contact_id)).fetchone()
    if row is None:
        raise NotFound("contact", contact_id)
    contact = sql.READ_CONTACT(row)
    called = contact.double_of or contact.id
    subscribers = t.connection.execute(sql.SUBSCRIBERS, (called, contact.identity, phonebook_id)).fetchall()
    return Found(
        contact=contact,
        doubles=tuple(number for (number,) in t.connection.execute(sql.DOUBLES, (contact.id,)).fetchall()),
        campaigns=tuple(_in_campaign(row, t.now) for row in subscribers),
        attempts=tuple(map(_tried, t.connection.execute(sql.ATTEMPTS, (called, MOST_ATTEMPTS)).fetchall())),
    )


def _in_campaign(row: tuple[Any, ...], now: datetime) -> InCampaign:
    key, name, status, count, last_attempt_at, ready_at = row
    ready = from_column_or_none(ready_at)
    return InCampaign(
        campaign_id=key,
        campaign=name,
        status=SubscriberStatus(status),
        count_attempt=count,
        last_attempt_at=from_column_or_none(last_attempt_at),
        ready_at=ready if ready is not None and ready > now else None,
    )


def _tried(row: tuple[Any, ...]) -> Tried:
    key, campaign, number, planned_at, state, disposition, reason = row
    return Tried(
        id=key,
        campaign=campaign,
        number=number,
        planned_at=from_column(planned_at),
        state=state,
        disposition=disposition,
        reason=reason,
    )


async def add(management: Management, who: Account, phonebook_id: int, given: Mapping[str, Any]) -> Contact:
    """Add a contact, as `contacts.create` does. Fails with what that raises; `AlreadyExists` names the number as the phonebook
    has it."""
    new = Contact(**entered(Contact, given))
    try:
        return (await management.ask(contacts.create, who, phonebook_id, new)).contact
    except AlreadyExists as error:
        try:
            known = await management.ask(find, who, phonebook_id, new.number)
        except NotFound:  # removed a moment ago
            raise error from None
        raise AlreadyExists("contact", "number", known.number) from None


@writes
def change(
    t: Transaction, who: Account, contact_id: int, given: Mapping[str, Any], variables: Mapping[str, str] | None = None
) -> Contact:
    """Change what is given. Of `variables`, each is set, or taken away where it is empty; the others stay. Another spelling of
    the number is taken; a campaign that has the contact already dials the one that it knows. With another consent, campaigns
    that asked for one ask again. Raises `NotFound`, and `BadValue`, for another number, too."""
    row = t.entities.Contact.get_for_update(id=contact_id)
    if row is None or rows.is_archived(row):
        raise NotFound("contact", contact_id)
    phonebook_id = rows.ours(who, row.phonebook, "contact", contact_id).id
    checked = entered(Contact, given)
    if "number" in checked:
        checked["number"] = _respelled(t, phonebook_id, row, checked["number"])
    if variables:
        kept = {**checked.get(VARIABLES, _variables(row)), **variables}
        checked[VARIABLES] = valid(noun_of(Contact).field(VARIABLES), {key: text for key, text in kept.items() if text})
    rows.change(t, Contact, row, checked)
    if "priority" in checked:
        t.connection.execute(subscriptions.SET_PRIORITY, (checked["priority"], contact_id, checked["priority"]))
    if RULED_BY & checked.keys():
        held.release_contact(t.connection, contact_id)
        t.then(call_soon)
    return _value(t, phonebook_id, contact_id)


@writes
def locked(t: Transaction, who: Account, phonebook_id: int, contact_id: int) -> Contact:
    """A contact of a phonebook, which nobody changes until the end of the transaction. Raises `NotFound`."""
    _row_of(t, who, phonebook_id, contact_id)
    return _value(t, phonebook_id, contact_id)


@writes
def changed(
    t: Transaction,
    who: Account,
    phonebook_id: int,
    contact_id: int,
    given: Mapping[str, Any],
    variables: Mapping[str, str] | None,
) -> Contact:
    """Change the given fields of a contact of that phonebook, and return the contact. Raises what `change` raises, and
    `NotFound` for a contact of another phonebook."""
    rows.asking(t, who)
    row = _row_of(t, who, phonebook_id, contact_id)
    reference = given.get("reference")
    if (
        reference
        and reference != row.reference
        and t.connection.execute(sql.HAS_REFERENCE, (phonebook_id, reference)).fetchone()
    ):
        raise AlreadyExists("contact", "reference", reference)
    return change(t, who, contact_id, given, variables)


@writes
def remove(t: Transaction, who: Account, phonebook_id: int, contact_id: int) -> None:
    """Remove a contact of a phonebook, as `removals.contact` does. Raises `NotFound`."""
    rows.asking(t, who)
    _row_of(t, who, phonebook_id, contact_id)
    removals.contact(t, who, contact_id)


def _row_of(t: Transaction, who: Account, phonebook_id: int, contact_id: int) -> Any:
    _check_ours(t, who, phonebook_id)
    row = t.entities.Contact.get_for_update(id=contact_id)
    if row is None or rows.is_archived(row) or row.phonebook.id != phonebook_id:
        raise NotFound("contact", contact_id)
    return row


def _respelled(t: Transaction, phonebook_id: int, row: Any, text: str) -> str:
    """A spelling of the contact's number that its phonebook does not have yet. Raises `BadValue`."""
    rules = contacts.phonebook_numbering(t, phonebook_id)
    number, identity = contacts.allowed_number(text, rules)
    if identity != row.identity:
        problem = f"{number} is another number than {row.number}: add it as a new contact, and remove this one"
        raise BadValue("number", problem)
    for other in t.connection.execute(sql.BY_NUMBER, (phonebook_id, number)):
        if sql.READ_CONTACT(other).id != row.id:
            raise AlreadyExists("contact", "number", number)
    return number


def _value(t: Transaction, phonebook_id: int, contact_id: int) -> Contact:
    return sql.READ_CONTACT(t.connection.execute(sql.BY_ID, (phonebook_id, contact_id)).fetchone())


def _variables(row: Any) -> Mapping[str, str]:
    found: Mapping[str, str] = noun_of(Contact).field(VARIABLES).kind.load(row.additional_vars)
    return found


def _check_ours(t: Transaction, who: Account, phonebook_id: int) -> None:
    if t.connection.execute(sql.OUR_PHONEBOOK, (phonebook_id, who.id, who.is_superuser)).fetchone() is None:
        raise NotFound("phonebook", phonebook_id)
