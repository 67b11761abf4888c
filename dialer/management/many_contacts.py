"""Many contacts in one request: added as far as they can be, and removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from dialer.declare import entered, refuse_missing
from dialer.errors import BadValue
from dialer.files.contacts import Reason, RowFault
from dialer.management import contact_search, removals, rows
from dialer.management.contacts import allowed_number, phonebook_numbering
from dialer.management.listing import Slice
from dialer.management.management import Transaction, writes
from dialer.management.phonebook_import import add_contacts
from dialer.model import Account, Contact

MOST_ADDED: Final = 400
MOST_REMOVED: Final = 200
"""Numbers and references: a tenth of a second on the database thread."""


@frozen(kw_only=True)
class RefusedItem:
    """A contact that is not added: its place in the list, and why."""

    index: int
    reason: str
    detail: str


@frozen(kw_only=True)
class ManyAdded:
    """How many were added, or would be in a dry run; how many were there already; and the others."""

    taken: int
    known: int
    refused: tuple[RefusedItem, ...]
    dry_run: bool


@writes
def add(
    t: Transaction,
    who: Account,
    phonebook_id: int,
    given: Sequence[tuple[int, Mapping[str, Any]]],
    unreadable: Sequence[RefusedItem] = (),
    dry_run: bool = False,
) -> ManyAdded:
    """Add contacts, each with its place in a list, to one of the user's phonebooks: those that can be; the campaigns that use
    it call them. `unreadable` are those of which that is known already. Raises `NotFound`."""
    rows.asking(t, who)
    rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id)
    refused = list(unreadable)
    contacts: list[Contact] = []
    places: list[int] = []
    for place, each in _read(t, phonebook_id, given):
        if isinstance(each, Contact):
            contacts.append(each)
            places.append(place)
        else:
            refused.append(RefusedItem(index=place, reason=str(each.reason), detail=each.text))
    added = add_contacts(t, phonebook_id, contacts, 0 if dry_run else None)
    refused += [
        RefusedItem(index=places[at], reason=str(fault.reason), detail=fault.text) for at, fault in added.refused.items()
    ]
    refused.sort(key=lambda item: item.index)
    return ManyAdded(taken=added.taken, known=added.known, refused=tuple(refused), dry_run=dry_run)


def _read(
    t: Transaction, phonebook_id: int, given: Sequence[tuple[int, Mapping[str, Any]]]
) -> Iterator[tuple[int, Contact | RowFault]]:
    rules = phonebook_numbering(t, phonebook_id)
    seen: dict[str, int] = {}
    for place, values in given:
        try:
            refuse_missing(Contact, values)
            contact = Contact(**entered(Contact, values))
            allowed_number(contact.number, t.numbering)
            number, identity = allowed_number(contact.number, rules)
        except BadValue as error:
            yield place, RowFault(Reason.NUMBER if error.field == "number" else Reason.VALUE, str(error))
            continue
        if identity in seen:
            yield place, RowFault(Reason.TWICE, f"number: {number} is that of the contact at {seen[identity]}, too")
            continue
        seen[identity] = place
        yield place, evolve(contact, number=number, identity=identity, phonebook_id=phonebook_id)


@frozen(kw_only=True)
class ManyRemoved:
    """The contacts that were removed, or would be in a dry run, by their ids; and what none was found for."""

    contact_ids: tuple[int, ...]
    unknown: tuple[str, ...]
    dry_run: bool


@writes
def remove(
    t: Transaction,
    who: Account,
    phonebook_id: int,
    numbers: Sequence[str] = (),
    references: Sequence[str] = (),
    dry_run: bool = False,
) -> ManyRemoved:
    """Remove the contacts of a phonebook that have one of these numbers, in any spelling, or references. Raises `NotFound`,
    `BadValue`."""
    rows.asking(t, who)
    rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id)
    if not 1 <= len(numbers) + len(references) <= MOST_REMOVED:
        raise BadValue("numbers", f"expected 1 to {MOST_REMOVED} numbers and references together")
    keys: dict[int, None] = {}
    unknown: list[str] = []
    for name, wanted in (("number", numbers), ("reference", references)):
        for text in wanted:
            found = contact_search.found(t, who, Slice(), phonebook_id=phonebook_id, **{name: text})
            keys.update((each.double_of or each.id, None) for each in found)
            if not found:
                unknown.append(text)
    if not dry_run:
        for key in keys:
            removals.contact(t, who, key)
    return ManyRemoved(contact_ids=tuple(keys), unknown=tuple(unknown), dry_run=dry_run)
