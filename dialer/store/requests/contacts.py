"""Contacts that users add to their phonebooks, one or many; all or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from dialer.errors import AlreadyExists
from dialer.model import Contact
from dialer.records import Account, ContactRecord
from dialer.store.contacts import ADD_CONTACT, SUBSCRIBE_NEW
from dialer.store.database import Connection
from dialer.store.requests import phonebooks, rows, statements
from dialer.store.requests.accounts import check_limit, limits
from dialer.store.statements import contacts_among
from dialer.store.times import to_column

NUMBERS_IN_STATEMENT: Final = 1000

ACTIVE: Final = 1
"""The status of a contact of its own."""


def create(connection: Connection, who: Account, phonebook_id: int, contact: Contact, now: datetime) -> ContactRecord:
    """Add one. Raises `NotFound`, `LimitExceeded`, `AlreadyExists`."""
    create_several(connection, who, phonebook_id, [contact], now)
    row = connection.execute(statements.CONTACT_NUMBERED, (phonebook_id, contact.number)).fetchone()
    subscriber = connection.execute(statements.NEWEST_SUBSCRIBER, (contact.number, phonebook_id)).fetchone()
    key, status = subscriber or (row[0], ACTIVE)
    return rows.contact(key, status, row[1:])


def create_several(connection: Connection, who: Account, phonebook_id: int, contacts: Sequence[Contact], now: datetime) -> int:
    """Add all, none of which is there twice, and subscribe them. Returns how many. Raises `NotFound`, `LimitExceeded`,
    `AlreadyExists` naming the first number that the phonebook has already."""
    phonebooks.read(connection, who, phonebook_id)
    maximum = limits(connection, who).contacts
    if maximum is not None:
        (size,) = connection.execute(statements.LARGEST_CAMPAIGN, (phonebook_id,)).fetchone()
        check_limit("contacts", size + len(contacts), maximum)
    _check_new(connection, phonebook_id, [contact.number for contact in contacts])
    (last,) = connection.execute(statements.NEWEST_CONTACT).fetchone()
    moment = to_column(now)
    connection.executemany(
        ADD_CONTACT,
        [
            (
                phonebook_id,
                contact.number,
                contact.first_name,
                contact.last_name,
                contact.email,
                contact.description,
                orjson.dumps(dict(contact.additional_vars)).decode() if contact.additional_vars else "{}",
                moment,
                moment,
            )
            for contact in contacts
        ],
    )
    connection.execute(SUBSCRIBE_NEW, (moment, phonebook_id, last))
    return len(contacts)


def _check_new(connection: Connection, phonebook_id: int, numbers: Sequence[str]) -> None:
    known: set[str] = set()
    for start in range(0, len(numbers), NUMBERS_IN_STATEMENT):
        some = numbers[start : start + NUMBERS_IN_STATEMENT]
        known.update(number for (number,) in connection.execute(contacts_among(len(some)), (phonebook_id, *some)))
    for number in numbers:
        if number in known:
            raise AlreadyExists("contact", "contact", number)


def refuse_repeated(numbers: Sequence[str]) -> None:
    """Raise `AlreadyExists` for the first number that is there twice."""
    if len(set(numbers)) == len(numbers):
        return
    seen: set[str] = set()
    for number in numbers:
        if number in seen:
            raise AlreadyExists("contact", "contact", number)
        seen.add(number)
