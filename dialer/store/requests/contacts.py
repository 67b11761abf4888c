"""Contacts that users add to their phonebooks, one or many; all or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson
from attrs import frozen

from dialer.errors import AlreadyExists, NotFound
from dialer.model import Contact, SubscriberStatus
from dialer.records import Account, ContactRecord, PhonebookRecord
from dialer.store.connection import Connection
from dialer.store.contacts import SUBSCRIBE_NEW
from dialer.store.number_rules import check_numbers
from dialer.store.requests import statements
from dialer.store.requests.accounts import check_limit
from dialer.store.times import to_column

ACTIVE: Final = SubscriberStatus.START
"""The status of a contact of its own."""


@frozen(kw_only=True)
class _Place:
    """The phonebook that contacts go to, and the newest campaign that uses it and has not ended."""

    phonebook: PhonebookRecord
    newest_campaign: int | None


def create(connection: Connection, who: Account, phonebook_id: int, contact: Contact, now: datetime) -> ContactRecord:
    """Add one and subscribe it. Raises `NotFound`, `LimitExceeded`, `BadValue` for a number that the phonebook's owner may not
    call, `AlreadyExists`."""
    place = _place(connection, who, phonebook_id, [contact.number])
    moment = to_column(now)
    variables = orjson.dumps(dict(contact.additional_vars)).decode() if contact.additional_vars else "{}"
    names = (contact.first_name, contact.last_name, contact.email, contact.description)
    added = connection.execute(
        statements.ADD_CONTACT, (phonebook_id, contact.number, *names, variables, moment, moment)
    ).fetchall()
    if not added:
        raise AlreadyExists("contact", "contact", contact.number)
    ((key,),) = added
    status = ACTIVE
    if place.newest_campaign is not None:
        key, status = _subscribe(connection, place.newest_campaign, key, contact.number, phonebook_id, moment)
    return ContactRecord(
        id=key,
        status=status,
        number=contact.number,
        first_name=contact.first_name,
        last_name=contact.last_name,
        email=contact.email,
        description=contact.description,
        additional_vars=contact.additional_vars,
        phonebook=place.phonebook,
        created_at=now,
        updated_at=now,
    )


def _subscribe(
    connection: Connection, newest_campaign: int, contact_id: int, number: str, phonebook_id: int, moment: str
) -> tuple[int, SubscriberStatus]:
    """A subscriber in each campaign of the phonebook. Returns the one in the newest: a campaign that has the number from
    another phonebook keeps the subscriber that it has."""
    made = connection.execute(statements.SUBSCRIBE_ONE, (contact_id, number, moment, phonebook_id)).fetchall()
    for key, campaign_id in made:
        if campaign_id == newest_campaign:
            return key, SubscriberStatus.START
    key, status, _ = connection.execute(statements.SUBSCRIBER_STATUS, (newest_campaign, number)).fetchone()
    return key, SubscriberStatus(status)


def create_several(connection: Connection, who: Account, phonebook_id: int, numbers: Sequence[str], now: datetime) -> int:
    """Add a contact for each number, none of which is there twice, and subscribe them. Returns how many. Raises `NotFound`,
    `LimitExceeded`, `BadValue` naming the first number that the phonebook's owner may not call, `AlreadyExists` naming the
    first that the phonebook has already.

    The numbers travel as one JSON text: no Python runs between the rows, and the reactor thread goes on meanwhile.
    """
    _place(connection, who, phonebook_id, numbers)
    listed = orjson.dumps(numbers).decode()
    known = connection.execute(statements.FIRST_KNOWN.of(connection), (listed, phonebook_id)).fetchone()
    if known is not None:
        raise AlreadyExists("contact", "contact", known[0])
    (last,) = connection.execute(statements.NEWEST_CONTACT).fetchone()
    moment = to_column(now)
    connection.execute(statements.ADD_CONTACTS.of(connection), (phonebook_id, moment, moment, listed))
    connection.execute(SUBSCRIBE_NEW, (moment, phonebook_id, last))
    return len(numbers)


def refuse_repeated(numbers: Sequence[str]) -> None:
    """Raise `AlreadyExists` for the first number that is there twice."""
    if len(set(numbers)) == len(numbers):
        return
    seen: set[str] = set()
    for number in numbers:
        if number in seen:
            raise AlreadyExists("contact", "contact", number)
        seen.add(number)


def _place(connection: Connection, who: Account, phonebook_id: int, numbers: Sequence[str]) -> _Place:
    """Where the numbers may go. Raises `NotFound`, `LimitExceeded`, `BadValue`."""
    row = connection.execute(statements.PHONEBOOK_TO_FILL, (phonebook_id, who.is_superuser, who.id)).fetchone()
    if row is None:
        raise NotFound("user", who.username)
    key, name, description, has_rules, newest_campaign, maximum, largest = row
    if key is None:
        raise NotFound("phonebook", phonebook_id)
    if maximum is not None:
        check_limit("contacts", largest + len(numbers), maximum)
    if has_rules:
        check_numbers(connection, phonebook_id, numbers)
    phonebook = PhonebookRecord(id=key, name=name, description=description)
    return _Place(phonebook=phonebook, newest_campaign=newest_campaign)
