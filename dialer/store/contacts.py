"""Contacts by the thousand: into phonebooks, and from phonebooks into campaigns; in chunks, so that others can write, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import islice

import orjson
from attrs import define, frozen
from twisted.internet.defer import Deferred

from dialer.errors import Duplicate, NotFound
from dialer.model import Contact, SubscriberStatus
from dialer.store.connection import Connection, Variants
from dialer.store.database import Database
from dialer.store.faults import refused_value
from dialer.store.number_rules import check_numbers
from dialer.store.statements import contacts_among
from dialer.store.times import to_column

CHUNK = 1000
"""Contacts in one transaction of a long import: about 15 ms on the database thread."""

ADD_CONTACT = (
    "INSERT INTO contact (phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at, "
    "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SUBSCRIBE_NEW = (
    "INSERT INTO subscriber (campaign_id, contact_id, number, status, ready_at, count_attempt, count_requeue) "
    "SELECT l.campaign_id, k.id, k.number, 1, ?, 0, 0 FROM campaign_phonebook l "
    "JOIN campaign c ON c.id = l.campaign_id AND c.status IN (1, 2) JOIN contact k ON k.phonebook_id = l.phonebook_id "
    "WHERE l.phonebook_id = ? AND k.id > ? ON CONFLICT (campaign_id, number) DO NOTHING"
)
SUBSCRIBE_SOME = (
    "INSERT INTO subscriber (campaign_id, contact_id, number, status, ready_at, count_attempt, count_requeue) "
    "SELECT ?, k.id, k.number, 1, ?, 0, 0 FROM contact k WHERE k.phonebook_id = ? AND k.id > ? AND k.id <= ? "
    "ON CONFLICT (campaign_id, number) DO NOTHING"
)
END_OF_CHUNK = "SELECT max(id) FROM (SELECT id FROM contact WHERE phonebook_id = ? AND id > ? ORDER BY id LIMIT ?) AS chunk"
LOCK_PHONEBOOK = Variants(
    sqlite="SELECT 1 FROM phonebook WHERE id = ?", postgresql="SELECT 1 FROM phonebook WHERE id = ? FOR UPDATE"
)
"""Waits for the contacts that other processes are adding to it, and has further ones wait: either these see the link, or who
links sees the contacts."""
SET_STATUS = (
    "UPDATE subscriber SET wanted_status = CASE status WHEN 6 THEN ? END, "
    "ready_at = CASE WHEN status = 6 THEN ready_at WHEN ? = 1 THEN CASE status WHEN 1 THEN ready_at ELSE ? END END, "
    "status = CASE status WHEN 6 THEN 6 ELSE ? END WHERE campaign_id = ? AND number = ?"
)


@frozen(kw_only=True)
class Imported:
    """What became of an import: how many contacts were created, and the numbers that the phonebook had already."""

    created: int
    duplicates: tuple[str, ...]


@define(eq=False)
class Contacts:
    """Fails with: `NotFound`, `BadValue` (both name what), `StoreError`."""

    database: Database

    async def import_contacts(self, phonebook_id: int, contacts: Iterable[Contact], now: datetime) -> Imported:
        """Add contacts, chunk by chunk; those that the phonebook has already are left as they are and reported. Each new one
        becomes a subscriber of the phonebook's campaigns that have not ended; one that the phonebook's user may not call is
        not called. Repeating a broken import completes it."""
        created = 0
        duplicates: list[str] = []
        waiting = iter(contacts)
        while chunk := list(islice(waiting, CHUNK)):
            known = await self.database.run(partial(_add, phonebook_id=phonebook_id, contacts=chunk, now=now))
            created += len(chunk) - len(known)
            duplicates += known
        return Imported(created=created, duplicates=tuple(duplicates))

    def add_contacts(self, phonebook_id: int, contacts: Sequence[Contact], now: datetime) -> Deferred[int]:
        """Add all contacts or none, in one transaction. Fires with their number. Fails also with: `Duplicate`, naming the
        first number that the phonebook has already, or that is there twice; `BadValue`, naming the first that its user may
        not call."""

        def add(connection: Connection) -> int:
            check_numbers(connection, phonebook_id, [contact.number for contact in contacts])
            duplicates = _add(connection, phonebook_id, contacts, now)
            if duplicates:
                raise Duplicate("contact", f"{duplicates[0]} exists already")
            return len(contacts)

        return self.database.run(add)

    async def subscribe(self, campaign_id: int, phonebook_id: int, now: datetime) -> int:
        """Link a phonebook to a campaign: its contacts become subscribers, ready at `now`, chunk by chunk; a number that the
        campaign has already is not added again. Returns how many were added."""
        await self.database.run(lambda connection: _link(connection, campaign_id, phonebook_id))
        added = 0
        last: int | None = 0
        while last is not None:
            chunk = partial(_subscribe_some, campaign_id=campaign_id, phonebook_id=phonebook_id, last=last, now=now)
            some, last = await self.database.run(chunk)
            added += some
        return added

    def set_status(self, campaign_id: int, number: str, status: SubscriberStatus, now: datetime) -> Deferred[None]:
        """What a user asks for: one of the five statuses of the 2011 API. While a call is live it is kept as a wish and takes
        effect when that ends."""
        if status > SubscriberStatus.COMPLETE:
            raise ValueError(f"{status!r} is not for users to set")

        def update(connection: Connection) -> None:
            wish = int(status)
            row = (wish, wish, to_column(now), wish, campaign_id, number)
            if not connection.execute(SET_STATUS, row).rowcount:
                raise NotFound("subscriber", number)

        return self.database.run(update)


def _add(connection: Connection, phonebook_id: int, contacts: Sequence[Contact], now: datetime) -> list[str]:
    """Adds those that are new, subscribes them, and returns the numbers that are not."""
    if connection.execute("SELECT 1 FROM phonebook WHERE id = ?", (phonebook_id,)).fetchone() is None:
        raise NotFound("phonebook", phonebook_id)
    fresh: dict[str, Contact] = {}
    duplicates = []
    known = _known(connection, phonebook_id, [contact.number for contact in contacts])
    for contact in contacts:
        if contact.number in known or contact.number in fresh:
            duplicates.append(contact.number)
        else:
            fresh[contact.number] = contact
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM contact").fetchone()
    moment = to_column(now)
    rows = [
        (
            phonebook_id,
            contact.number,
            contact.first_name,
            contact.last_name,
            contact.email,
            contact.description,
            orjson.dumps(dict(contact.additional_vars)).decode(),
            moment,
            moment,
        )
        for contact in fresh.values()
    ]
    try:
        connection.executemany(ADD_CONTACT, rows)
    except Exception as error:
        raise refused_value(error) or error from error
    connection.execute(SUBSCRIBE_NEW, (moment, phonebook_id, last))
    return duplicates


def _known(connection: Connection, phonebook_id: int, numbers: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(numbers), CHUNK):
        some = numbers[start : start + CHUNK]
        known.update(number for (number,) in connection.execute(contacts_among(len(some)), (phonebook_id, *some)))
    return known


def _link(connection: Connection, campaign_id: int, phonebook_id: int) -> None:
    if connection.execute("SELECT 1 FROM campaign WHERE id = ?", (campaign_id,)).fetchone() is None:
        raise NotFound("campaign", campaign_id)
    if connection.execute(LOCK_PHONEBOOK.of(connection), (phonebook_id,)).fetchone() is None:
        raise NotFound("phonebook", phonebook_id)
    connection.execute("INSERT INTO campaign_phonebook VALUES (?, ?) ON CONFLICT DO NOTHING", (campaign_id, phonebook_id))


def _subscribe_some(
    connection: Connection, campaign_id: int, phonebook_id: int, last: int, now: datetime
) -> tuple[int, int | None]:
    (end,) = connection.execute(END_OF_CHUNK, (phonebook_id, last, CHUNK)).fetchone()
    if end is None:
        return 0, None
    added = connection.execute(SUBSCRIBE_SOME, (campaign_id, to_column(now), phonebook_id, last, end)).rowcount
    return added, end
