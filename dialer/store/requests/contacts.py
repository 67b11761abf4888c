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
from dialer.store.number_rules import check_numbers
from dialer.store.requests import phonebooks, rows, statements
from dialer.store.requests.accounts import check_limit, limits
from dialer.store.times import to_column

ACTIVE: Final = 1
"""The status of a contact of its own."""


def create(connection: Connection, who: Account, phonebook_id: int, contact: Contact, now: datetime) -> ContactRecord:
    """Add one and subscribe it. Raises `NotFound`, `LimitExceeded`, `BadValue` for a number that the phonebook's owner may not
    call, `AlreadyExists`."""
    _check_room(connection, who, phonebook_id, 1)
    check_numbers(connection, phonebook_id, [contact.number])
    if connection.execute(statements.CONTACT_NUMBERED, (phonebook_id, contact.number)).fetchone() is not None:
        raise AlreadyExists("contact", "contact", contact.number)
    last = _newest(connection)
    moment = to_column(now)
    variables = orjson.dumps(dict(contact.additional_vars)).decode()
    names = (contact.first_name, contact.last_name, contact.email, contact.description)
    connection.execute(ADD_CONTACT, (phonebook_id, contact.number, *names, variables, moment, moment))
    connection.execute(SUBSCRIBE_NEW, (moment, phonebook_id, last))
    row = connection.execute(statements.CONTACT_NUMBERED, (phonebook_id, contact.number)).fetchone()
    subscriber = connection.execute(statements.NEWEST_SUBSCRIBER, (contact.number, phonebook_id)).fetchone()
    key, status = subscriber or (row[0], ACTIVE)
    return rows.contact(key, status, row[1:])


def create_several(connection: Connection, who: Account, phonebook_id: int, numbers: Sequence[str], now: datetime) -> int:
    """Add a contact for each number, none of which is there twice, and subscribe them. Returns how many. Raises `NotFound`,
    `LimitExceeded`, `BadValue` naming the first number that the phonebook's owner may not call, `AlreadyExists` naming the
    first that the phonebook has already.

    The numbers travel as one JSON text: no Python runs between the rows, and the reactor thread goes on meanwhile.
    """
    _check_room(connection, who, phonebook_id, len(numbers))
    check_numbers(connection, phonebook_id, numbers)
    listed = orjson.dumps(numbers).decode()
    known = connection.execute(statements.FIRST_KNOWN, (listed, phonebook_id)).fetchone()
    if known is not None:
        raise AlreadyExists("contact", "contact", known[0])
    last = _newest(connection)
    moment = to_column(now)
    connection.execute(statements.ADD_CONTACTS, (phonebook_id, moment, moment, listed))
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


def _check_room(connection: Connection, who: Account, phonebook_id: int, more: int) -> None:
    phonebooks.read(connection, who, phonebook_id)
    maximum = limits(connection, who).contacts
    if maximum is not None:
        (size,) = connection.execute(statements.LARGEST_CAMPAIGN, (phonebook_id,)).fetchone()
        check_limit("contacts", size + more, maximum)


def _newest(connection: Connection) -> int:
    (last,) = connection.execute(statements.NEWEST_CONTACT).fetchone()
    return int(last)
