"""Phonebooks, as users read and write them."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Final

from dialer.errors import AlreadyExists, NotFound
from dialer.records import Account, PhonebookRecord
from dialer.store.connection import Connection
from dialer.store.requests import statements
from dialer.store.requests.accounts import limits
from dialer.store.times import to_column

LONGEST_NAME: Final = 255


def read(connection: Connection, who: Account, phonebook_id: int) -> PhonebookRecord:
    """One phonebook. Raises `NotFound`."""
    row = connection.execute(statements.PHONEBOOK, (phonebook_id, who.id, who.is_superuser)).fetchone()
    if row is None:
        raise NotFound("phonebook", phonebook_id)
    return PhonebookRecord(id=row[0], name=row[1], description=row[2])


def read_all(connection: Connection, who: Account) -> list[PhonebookRecord]:
    """The newest first."""
    found = connection.execute(statements.PHONEBOOKS, (who.id, who.is_superuser))
    return [PhonebookRecord(id=key, name=name, description=description) for key, name, description in found]


def create(
    connection: Connection, who: Account, name: str, description: str, campaign_id: int | None, now: datetime
) -> PhonebookRecord:
    """A phonebook, linked to a campaign when one is named: then it belongs to that campaign's user, which matters only when
    a superuser asks. Raises `NotFound`, `AlreadyExists`."""
    limits(connection, who)
    owner = who.id
    if campaign_id is not None:
        row = connection.execute(statements.OUR_CAMPAIGN, (campaign_id, who.id, who.is_superuser)).fetchone()
        if row is None:
            raise NotFound("campaign", campaign_id)
        owner = row[0]
    if _taken(connection, owner, name):
        raise AlreadyExists("phonebook", "name", name)
    key = add_phonebook(connection, owner, name, description, campaign_id, now)
    return PhonebookRecord(id=key, name=name, description=description)


def add_phonebook(
    connection: Connection, user_id: int, name: str, description: str, campaign_id: int | None, now: datetime
) -> int:
    """Write it, and the link. Returns its id."""
    (key,) = connection.execute(statements.ADD_PHONEBOOK, (user_id, name, description, to_column(now))).fetchone()
    if campaign_id is not None:
        connection.execute(statements.LINK, (campaign_id, key))
    return int(key)


def free_name(connection: Connection, user_id: int, name: str, suffix: str) -> str:
    """`name` when the user has no phonebook of that name, else `<name>-<suffix>`, or that with a number behind it."""
    candidate = name
    for number in count(1):
        if not _taken(connection, user_id, candidate):
            break
        tail = f"-{suffix}" if number == 1 else f"-{suffix}-{number}"
        candidate = name[: LONGEST_NAME - len(tail)] + tail
    return candidate


def _taken(connection: Connection, user_id: int, name: str) -> bool:
    return connection.execute(statements.PHONEBOOK_NAMED, (user_id, name)).fetchone() is not None
