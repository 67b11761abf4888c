"""Contacts of files into phonebooks."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from attrs import frozen
from twisted.internet.defer import Deferred

from dialer.errors import NotFound
from dialer.files.contacts import Allowed, Reason, RowFault
from dialer.management import contact_changes, news
from dialer.management.contacts import phonebook_numbering
from dialer.management.imports import Added, Tally
from dialer.management.management import Management, Transaction, call_soon, verb, writes
from dialer.management.numbers import number_rules
from dialer.model import Contact, EventKind
from dialer.store import contacts as sql
from dialer.store import new_contacts
from dialer.store.connection import Connection
from dialer.store.contact_list import HOLDERS
from dialer.store.events import About
from dialer.store.faults import refused_value
from dialer.store.new_contacts import EncodedContacts, encoded
from dialer.store.times import to_column


@frozen
class IntoPhonebook:
    """The contacts of a file become those of a phonebook, and are called by its campaigns."""

    phonebook_id: int

    async def allowed(self, management: Management) -> Allowed:
        """The rules of the phonebook; those of the installation hold for emergency numbers, too. Fails with `NotFound`."""
        ours, rules = management.numbering, await management.ask(phonebook_numbering, self.phonebook_id)
        return Allowed(rules=rules, others=() if ours is rules else (ours,), phonebook_id=self.phonebook_id)

    def add(self, management: Management, contacts: Sequence[Contact], planned: int | None) -> Deferred[Added]:
        """Put them into the phonebook; `planned` is None unless it is a dry run."""
        encoded_here = encoded(contacts) if contacts and planned is None else None
        return management.ask(add_contacts, self.phonebook_id, contacts, planned, new=encoded_here)

    async def finished(self, management: Management, tally: Tally) -> None:
        """Others hear of it."""
        await management.ask(tell_import, self.phonebook_id, tally)


@writes
def tell_import(t: Transaction, phonebook_id: int, tally: Tally) -> None:
    """A file was imported into the phonebook, unless that is gone by now."""
    row = t.entities.Phonebook.get(id=phonebook_id)
    if row is not None:
        news.tell(
            t,
            EventKind.IMPORT_FINISHED,
            About(user_id=row.user.id),
            phonebook_id=row.id,
            phonebook=row.name,
            rows=tally.rows,
            taken=tally.taken,
            already_there=tally.known,
            duplicates=tally.duplicates,
            refused=tally.refused,
        )


@verb
def add_contacts(
    t: Transaction,
    phonebook_id: int,
    contacts: Sequence[Contact],
    planned: int | None = None,
    *,
    change: bool = False,
    new: EncodedContacts | None = None,
) -> Added:
    """Add those that are new and that the phonebook's owner may call and has room for, and subscribe them to the phonebook's
    campaigns that have not ended. They are of this phonebook, and no two have the same identity. With `planned`, nothing is
    written: so many would have been added before. With `change`, those that are there take what these have. `new` are
    all of them encoded, where somebody had time for that before. Raises `NotFound`."""
    connection = t.connection
    row = connection.execute(sql.PHONEBOOK_OF_IMPORT, (phonebook_id,)).fetchone()
    if row is None:
        raise NotFound("phonebook", phonebook_id)
    has_rules, maximum, largest = row
    if maximum is not None and largest is None:
        (largest,) = connection.execute(sql.CONTACTS_UP_TO, (phonebook_id, maximum)).fetchone()
    refused = _refused_by_owner(t, phonebook_id, contacts) if has_rules else {}
    left = [(index, contact) for index, contact in enumerate(contacts) if index not in refused]
    if any(contact.reference for _, contact in left):
        refused |= _refused_references(connection, phonebook_id, left)
        left = [(index, contact) for index, contact in left if index not in refused]
    room = len(left) if maximum is None else max(0, maximum - largest - (planned or 0))
    known: set[str] = set()
    changed = 0
    if planned is not None or change or room < len(left):
        listed = orjson.dumps([contact.identity for _, contact in left]).decode()
        known = {identity for (identity,) in connection.execute(sql.KNOWN.of(connection), (phonebook_id, listed))}
        if change and known:
            there = [contact for _, contact in left if contact.identity in known]
            changed = contact_changes.take_over(t, phonebook_id, there, write=planned is None)
        left = [(index, contact) for index, contact in left if contact.identity not in known]
        for index, _ in left[room:]:
            refused[index] = RowFault(Reason.LIMIT, f"the user may have {maximum} contacts in a campaign")
        left = left[:room]
    if planned is not None or not left:
        return Added(taken=len(left), known=len(known), changed=changed, refused=refused)
    if new is None or len(left) < len(contacts):
        new = encoded([contact for _, contact in left])
    taken = _insert(t, phonebook_id, new)
    return Added(taken=taken, known=len(known) + len(left) - taken, changed=changed, refused=refused)


def _refused_by_owner(t: Transaction, phonebook_id: int, contacts: Sequence[Contact]) -> dict[int, RowFault]:
    rules = number_rules(t.connection, phonebook_id)
    faults = {}
    for index, contact in enumerate(contacts):
        if why := rules.refusal(contact.number, contact.identity):
            faults[index] = RowFault(Reason.WHITELIST if "whitelist" in why else Reason.BLACKLIST, why)
    return faults


def _refused_references(connection: Connection, phonebook_id: int, left: Sequence[tuple[int, Contact]]) -> dict[int, RowFault]:
    """Those whose reference is another contact's: of the phonebook, or an earlier one of these."""
    listed = orjson.dumps([contact.reference for _, contact in left if contact.reference]).decode()
    holders = dict(connection.execute(HOLDERS.of(connection), (phonebook_id, listed)).fetchall())
    faults = {}
    for index, contact in left:
        if contact.reference and holders.setdefault(contact.reference, contact.identity) != contact.identity:
            faults[index] = RowFault(Reason.REFERENCE, f"reference: {contact.reference} is that of another contact")
    return faults


def _insert(t: Transaction, phonebook_id: int, new: EncodedContacts) -> int:
    """How many the phonebook did not have."""
    connection, moment = t.connection, to_column(t.now)
    (last,) = connection.execute(sql.NEWEST_CONTACT).fetchone()
    statement = new_contacts.statement(new.columns).of(connection)
    try:
        taken = connection.execute(statement, (phonebook_id, moment, moment, new.encoded)).rowcount
    except Exception as error:
        raise refused_value(error) or error from error
    if taken:
        connection.execute(sql.SUBSCRIBE_NEW, (moment, phonebook_id, last))
        t.then(call_soon)
    return taken
