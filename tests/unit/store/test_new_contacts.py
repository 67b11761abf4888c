"""Contacts that are handed to the database as one value are stored as those that are handed over one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from dialer.cli.blocking import with_database
from dialer.management.contacts import contact_row
from dialer.model import Contact
from dialer.model.consent import ConsentBasis
from dialer.store.contacts import ADD_CONTACT, CONTACT_COLUMNS
from dialer.store.database import Database
from dialer.store.location import opened
from dialer.store.new_contacts import encoded, statement
from dialer.store.times import to_column
from tests.grounds import new_database
from tests.seeding import Seeds

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MOMENT = to_column(NOW)
BARE = Contact(number="+15551230001", identity="15551230001", phonebook_id=1)
FULL = Contact(
    number="+15551230002",
    identity="15551230002",
    phonebook_id=1,
    first_name="Ána \"the\" 'first' 😀",
    last_name="O'Brien\\",
    email="a@example.org",
    description="two\nlines\tand a percent sign: 100 % ?",
    reference="[1, null]",
    priority=9,
    time_zone="Europe/Berlin",
    additional_vars={"zeta": "1", "a": 'a "quote", é and \\', "empty": "{}"},
    consent_basis=ConsentBasis.WRITTEN,
    consent_given_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=2))),
    consent_expires_at=NOW,
    consent_proof="tape 7",
)
_STORED = f"SELECT {', '.join(CONTACT_COLUMNS)} FROM contact WHERE phonebook_id = ? ORDER BY id"


@pytest.fixture
def connection(database_kind: object, tmp_path: Path) -> Any:
    async def seed(database: Database) -> None:
        seeds = Seeds(database, NOW)
        await seeds.user(username="ann")
        for name in ("spring", "autumn"):
            await seeds.phonebook(name=name)

    url = new_database(tmp_path)
    with_database(url, seed)
    with opened(url) as connection:
        yield connection
        connection.rollback()


def add(connection: Any, *contacts: Contact) -> int:
    new = encoded(contacts)
    given = (1, MOMENT, MOMENT, new.encoded)
    return int(connection.execute(statement(new.columns).of(connection), given).rowcount)


@pytest.mark.parametrize(
    "contacts", [(BARE,), (FULL,), (BARE, FULL), (FULL, BARE, evolve(FULL, number="1", identity="1", reference=""))]
)
def test_all_that_a_contact_has_is_stored_in_the_order_of_the_list(connection: Any, contacts: tuple[Contact, ...]) -> None:
    assert add(connection, *contacts) == len(contacts)
    for contact in contacts:
        connection.execute(ADD_CONTACT, contact_row(evolve(contact, phonebook_id=2), MOMENT))
    new, one_by_one = (connection.execute(_STORED, (book,)).fetchall() for book in (1, 2))
    assert [tuple(row)[1:] for row in new] == [tuple(row)[1:] for row in one_by_one]


def test_those_that_the_phonebook_has_stay_as_they_are(connection: Any) -> None:
    add(connection, BARE)
    assert add(connection, evolve(BARE, first_name="Bob"), FULL) == 1
    assert [row[3] for row in connection.execute(_STORED, (1,)).fetchall()] == ["", FULL.first_name]


def test_what_no_contact_has_is_not_handed_over() -> None:
    assert encoded([BARE, evolve(BARE, email="a@example.org")]).columns == ("number", "identity", "additional_vars", "email")
