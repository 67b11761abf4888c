"""Contacts: added to phonebooks, one or many, and what they are in campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

import orjson
from attrs import evolve, frozen

from dialer.declare import entered, noun_of
from dialer.errors import AlreadyExists, BadValue, Duplicate, NotFound
from dialer.gate import emergency_refusal
from dialer.management.management import Management, Transaction, call_soon, verb
from dialer.management.numbers import check_numbers
from dialer.management.rows import check_limit
from dialer.model import Account, Contact, ContactDetails, Phonebook, SubscriberStatus
from dialer.numbering import Numbering
from dialer.store import contacts as sql
from dialer.store.connection import Connection
from dialer.store.contact_list import HAS_REFERENCE
from dialer.store.faults import refused_value
from dialer.store.times import to_column, to_column_or_none

CHUNK: Final = 1000
"""Contacts in one transaction of a long import: about 15 ms on the database thread."""

MOST_NUMBERS: Final = 20_000
"""In one request, which is one transaction, since it is all or none whatever is killed: a fifth of a second in which no other
one is written, less than calls are planned ahead (`dialer.campaigns.scheduler.HORIZON`)."""

MOST_NAMES: Final = 20
"""Numbers of a list that a refusal names."""

LONG_LIST: Final = 2000
"""Characters of a list of numbers from which on it is read on a thread: about 200 numbers, a millisecond or two."""


# --- numbers as they are entered ------------------------------------------------------------------------------------------


Numbered = tuple[str, str]
"""A number as it is dialled, and its identity."""


def allowed_number(text: str, numbering: Numbering, field: str = "number") -> Numbered:
    """A number that may be dialled. Raises `BadValue` naming `field`."""
    number, identity = numbering.read(text, field)
    if reason := emergency_refusal((number,), numbering):
        raise BadValue(field, reason)
    return number, identity


def listed_numbers(listed: str | Sequence[str], numbering: Numbering, field: str) -> list[Numbered]:
    """The numbers of a list, or of a text in which commas separate them; empty items are skipped. Raises `BadValue` naming the
    items that are none, `AlreadyExists` for one that is there twice, in whatever spelling. It is pure, and takes about 10
    microseconds an item."""
    items = [item for item in (listed.split(",") if isinstance(listed, str) else listed) if item and not item.isspace()]
    if not items:
        raise BadValue(field, "has no number in it; expected numbers separated by commas")
    if len(items) > MOST_NUMBERS:
        raise BadValue(field, f"has {len(items)} numbers; at most {MOST_NUMBERS} are taken at once")
    parsed: list[Numbered] = []
    refused: list[tuple[str, BadValue]] = []
    for item in items:
        try:
            parsed.append(allowed_number(item, numbering, field))
        except BadValue as error:
            refused.append((item.strip(), error))
    if refused:
        raise _all_of(refused, len(items), field)
    seen: set[str] = set()
    for number, identity in parsed:
        if identity in seen:
            raise AlreadyExists("contact", "number", number)
        seen.add(identity)
    return parsed


def _all_of(refused: Sequence[tuple[str, BadValue]], count: int, field: str) -> BadValue:
    """One refusal for all; one that is alone says what it is in place of a number."""
    if len(refused) == 1:
        return refused[0][1]
    names = ", ".join(repr(item if len(item) <= 40 else f"{item[:40]}…") for item, _ in refused[:MOST_NAMES])
    more = f" and {len(refused) - MOST_NAMES} more" if len(refused) > MOST_NAMES else ""
    problem = f"{len(refused)} of {count} are not numbers that may be dialled: {names}{more}"
    return BadValue(field, f"{problem}; the first: {refused[0][1].problem}")


def numbering_of(t: Transaction, rules: str) -> Numbering:
    """The numbers of a phonebook's region, of its stored rules; without one, of the installation's."""
    region = orjson.loads(rules).get("region")
    return t.numbering.of_region(region) if region else t.numbering


# --- adding ---------------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class _Place:
    """The phonebook that contacts go to, the numbers of its region, and the newest campaign that uses it and has not ended.
    `has_rules` tells that its owner may not call every number."""

    phonebook: Phonebook
    numbering: Numbering
    newest_campaign: int | None
    has_rules: bool

    def check(self, connection: Connection, numbers: Sequence[Numbered]) -> None:
        """Raise `BadValue` for the first that the phonebook's owner may not call."""
        if self.has_rules:
            check_numbers(connection, self.phonebook.id, numbers)


def _place(t: Transaction, who: Account, phonebook_id: int, more: int) -> _Place:
    """Where `more` contacts may go. Raises `NotFound`, `LimitExceeded`."""
    row = t.connection.execute(sql.PHONEBOOK_TO_FILL, (phonebook_id, who.is_superuser, who.id)).fetchone()
    if row is None:
        raise NotFound("user", who.username)
    key, owner, name, description, rules, has_rules, newest_campaign, maximum, largest = row
    if key is None:
        raise NotFound("phonebook", phonebook_id)
    if maximum is not None:
        check_limit("contacts", largest + more, maximum)
    phonebook = Phonebook(id=key, user_id=owner, name=name, description=description)
    return _Place(
        phonebook=phonebook,
        numbering=numbering_of(t, rules),
        newest_campaign=newest_campaign,
        has_rules=bool(has_rules),
    )


@verb
def create(t: Transaction, who: Account, phonebook_id: int, contact: Contact) -> ContactDetails:
    """Add a contact, whose number is as it was entered, and subscribe it to the phonebook's campaigns that have not ended.
    Returns it with its subscriber in the newest of them. Raises `NotFound`, `LimitExceeded`, `BadValue` for a number that is
    none or that the phonebook's owner may not call, `AlreadyExists`."""
    allowed_number(contact.number, t.numbering)
    place = _place(t, who, phonebook_id, 1)
    number, identity = allowed_number(contact.number, place.numbering)
    place.check(t.connection, [(number, identity)])
    moment = to_column(t.now)
    entered = evolve(contact, number=number, identity=identity, phonebook_id=phonebook_id)
    added = t.connection.execute(sql.ADD_NEW_CONTACT, contact_row(entered, moment)).fetchall()
    if not added:
        if t.connection.execute(HAS_REFERENCE, (phonebook_id, contact.reference)).fetchone() is not None:
            raise AlreadyExists("contact", "reference", contact.reference)
        raise AlreadyExists("contact", "number", number)
    ((contact_id,),) = added
    key, status = contact_id, SubscriberStatus.START
    if place.newest_campaign is not None:
        key, status = _subscribe(t.connection, place.newest_campaign, evolve(entered, id=contact_id), moment)
    t.then(call_soon)
    stored = evolve(entered, id=contact_id, created_at=t.now, updated_at=t.now)
    return ContactDetails(id=key, status=status, contact=stored, phonebook=place.phonebook)


@verb
def added(t: Transaction, who: Account, phonebook_id: int, given: Mapping[str, Any]) -> Contact:
    """The same of the settings that a user entered. Returns the contact as it is stored."""
    return create(t, who, phonebook_id, Contact(**entered(Contact, given))).contact


def _subscribe(connection: Connection, newest_campaign: int, contact: Contact, moment: str) -> tuple[int, SubscriberStatus]:
    """A subscriber in each campaign of the phonebook. Returns the one in the newest: a campaign that has the number from
    another phonebook keeps the subscriber that it has."""
    made = connection.execute(
        sql.SUBSCRIBE_ONE, (contact.id, contact.number, contact.identity, moment, contact.priority, contact.phonebook_id)
    ).fetchall()
    for key, campaign_id in made:
        if campaign_id == newest_campaign:
            return key, SubscriberStatus.START
    key, status, _ = connection.execute(sql.SUBSCRIBER_STATUS, (newest_campaign, contact.identity)).fetchone()
    return key, SubscriberStatus(status)


@verb
def create_several(t: Transaction, who: Account, phonebook_id: int, numbers: Sequence[Numbered]) -> int:
    """Add a contact for each number, none of which is there twice, and subscribe them: all or none. Returns how many. Raises
    `NotFound`, `LimitExceeded`, `BadValue` naming the first number that the phonebook's owner may not call, `AlreadyExists`
    naming the first that the phonebook has already.

    The numbers travel as one JSON text: no Python runs between the rows, and the reactor thread goes on meanwhile.
    """
    _place(t, who, phonebook_id, len(numbers)).check(t.connection, numbers)
    connection, moment, listed = t.connection, to_column(t.now), orjson.dumps(numbers).decode()
    known = connection.execute(sql.FIRST_KNOWN.of(connection), (listed, phonebook_id)).fetchone()
    if known is not None:
        raise AlreadyExists("contact", "number", known[0])
    (last,) = connection.execute(sql.NEWEST_CONTACT).fetchone()
    connection.execute(sql.ADD_CONTACTS.of(connection), (phonebook_id, moment, moment, listed))
    connection.execute(sql.SUBSCRIBE_NEW, (moment, phonebook_id, last))
    t.then(call_soon)
    return len(numbers)


@frozen(kw_only=True)
class Imported:
    """The outcome of an import: how many contacts were created, and the numbers that the phonebook had already."""

    created: int
    duplicates: tuple[str, ...]


async def create_listed(
    management: Management, who: Account, phonebook_id: int, listed: str | Sequence[str], field: str
) -> int:
    """Add a contact for each number of a list, or of a text in which commas separate them: all or none. Returns how many.
    Fails with what `listed_numbers` and `create_several` raise, naming `field`."""
    rules = await management.ask(phonebook_numbering, phonebook_id)
    read = partial(listed_numbers, listed, rules, field)
    length = len(listed) if isinstance(listed, str) else sum(map(len, listed))
    numbers = read() if length < LONG_LIST else await management.in_thread(read)
    ask = management.ask if len(numbers) < CHUNK else management.ask_in_turn
    return await ask(create_several, who, phonebook_id, numbers)


@verb
def phonebook_numbering(t: Transaction, phonebook_id: int) -> Numbering:
    """The numbers of a phonebook's region; of the installation's for one that does not exist."""
    (rules,) = t.connection.execute(sql.PHONEBOOK_RULES, (phonebook_id,)).fetchone() or ("{}",)
    return numbering_of(t, rules)


async def import_contacts(management: Management, phonebook_id: int, contacts: Iterable[Contact]) -> Imported:
    """Add contacts, chunk by chunk, so that others can write, too; those that the phonebook has already are left as they are
    and reported. Each new one becomes a subscriber of the phonebook's campaigns that have not ended; one that the phonebook's
    user may not call is not called. Repeating a broken import completes it. Fails with: `NotFound`, `BadValue`,
    `StoreError`."""
    created = 0
    duplicates: list[str] = []
    waiting = iter(contacts)
    while chunk := list(islice(waiting, CHUNK)):
        known = await management.ask(add_chunk, phonebook_id, chunk)
        created += len(chunk) - len(known)
        duplicates += known
    return Imported(created=created, duplicates=tuple(duplicates))


@verb
def add_chunk(t: Transaction, phonebook_id: int, contacts: Sequence[Contact]) -> list[str]:
    """Add those that are new, subscribe them, and return the numbers that are not. Raises `NotFound`, `BadValue`."""
    connection = t.connection
    found = connection.execute(sql.PHONEBOOK_RULES, (phonebook_id,)).fetchone()
    if found is None:
        raise NotFound("phonebook", phonebook_id)
    entered = _identified(contacts, numbering_of(t, found[0]), phonebook_id)
    fresh: dict[str, Contact] = {}
    duplicates = []
    listed = orjson.dumps([contact.identity for contact in entered]).decode()
    known = {identity for (identity,) in connection.execute(sql.KNOWN.of(connection), (phonebook_id, listed))}
    for contact in entered:
        if contact.identity in known or contact.identity in fresh:
            duplicates.append(contact.number)
        else:
            fresh[contact.identity] = contact
    (last,) = connection.execute(sql.NEWEST_CONTACT).fetchone()
    moment = to_column(t.now)
    try:
        rows = [contact_row(contact, moment) for contact in fresh.values()]
        connection.executemany(sql.ADD_CONTACT, rows)
    except Exception as error:
        raise refused_value(error) or error from error
    connection.execute(sql.SUBSCRIBE_NEW, (moment, phonebook_id, last))
    t.then(call_soon)
    return duplicates


@verb
def add_all(t: Transaction, phonebook_id: int, contacts: Sequence[Contact]) -> int:
    """Add all contacts or none. Returns their number. Raises `NotFound`, `Duplicate` naming the first number that the
    phonebook has already, or that is there twice, and `BadValue` naming the first that its user may not call."""
    entered = _identified(contacts, phonebook_numbering(t, phonebook_id), phonebook_id)
    check_numbers(t.connection, phonebook_id, [(contact.number, contact.identity) for contact in entered])
    duplicates = add_chunk(t, phonebook_id, entered)
    if duplicates:
        raise Duplicate("contact", f"{duplicates[0]} exists already")
    return len(contacts)


def _identified(contacts: Sequence[Contact], rules: Numbering, phonebook_id: int) -> list[Contact]:
    """Contacts of a phonebook with the identities of their numbers, where these are not known yet."""
    return [
        contact
        if contact.identity and contact.phonebook_id == phonebook_id
        else evolve(contact, identity=contact.identity or rules.identity(contact.number), phonebook_id=phonebook_id)
        for contact in contacts
    ]


def contact_row(contact: Contact, moment: str) -> tuple[Any, ...]:
    """By `sql.CONTACT_COLUMNS`, created at `moment`."""
    return (
        contact.phonebook_id,
        contact.number,
        contact.identity,
        contact.first_name,
        contact.last_name,
        contact.email,
        contact.description,
        contact.reference,
        contact.priority,
        contact.time_zone,
        _STORE_VARIABLES(contact.additional_vars),
        moment,
        moment,
        contact.consent_basis,
        to_column_or_none(contact.consent_given_at),
        to_column_or_none(contact.consent_expires_at),
        contact.consent_proof,
    )


_STORE_VARIABLES = noun_of(Contact).field("additional_vars").kind.stored


# --- into campaigns -------------------------------------------------------------------------------------------------------


async def subscribe(management: Management, campaign_id: int, phonebook_id: int) -> int:
    """Link a phonebook to a campaign: its contacts become subscribers, ready at once, chunk by chunk; a number that the
    campaign has already is not added again. Returns how many were added. Fails with: `NotFound`, `StoreError`."""
    await management.ask(link, campaign_id, phonebook_id)
    added = 0
    last: int | None = 0
    while last is not None:
        some, last = await management.ask(subscribe_chunk, campaign_id, phonebook_id, last)
        added += some
    return added


@verb
def link(t: Transaction, campaign_id: int, phonebook_id: int) -> None:
    """Link a phonebook to a campaign; contacts that come from now on are subscribed. Raises `NotFound`."""
    connection = t.connection
    if connection.execute("SELECT 1 FROM campaign WHERE id = ? AND archived_at IS NULL", (campaign_id,)).fetchone() is None:
        raise NotFound("campaign", campaign_id)
    if connection.execute(sql.LOCK_PHONEBOOK.of(connection), (phonebook_id,)).fetchone() is None:
        raise NotFound("phonebook", phonebook_id)
    connection.execute(sql.LINK, (campaign_id, phonebook_id))


@verb
def subscribe_chunk(t: Transaction, campaign_id: int, phonebook_id: int, last: int) -> tuple[int, int | None]:
    """The contacts of a phonebook behind the id `last` become subscribers: how many did, and the last id; None at the end."""
    (end,) = t.connection.execute(sql.END_OF_CHUNK, (phonebook_id, last, CHUNK)).fetchone()
    if end is None:
        return 0, None
    row = (campaign_id, to_column(t.now), phonebook_id, last, end)
    added = t.connection.execute(sql.SUBSCRIBE_SOME, row).rowcount
    t.then(call_soon)
    return added, end
