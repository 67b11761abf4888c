"""Contacts from a file into a phonebook: chunk by chunk, each a transaction, so that others can write between.

What a killed import has taken is in the phonebook; the same file again finds it there, and completes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import orjson
from attrs import Factory, define, field, frozen
from twisted.internet.defer import Deferred

from dialer.errors import NotFound
from dialer.files.contacts import Allowed, ContactFile, Entry, Fault, Reason
from dialer.files.seen import Occurrence, Seen
from dialer.files.whole import twice
from dialer.management.contacts import contact_row, phonebook_numbering
from dialer.management.management import Management, Transaction, call_soon, verb
from dialer.management.numbers import number_rules
from dialer.model import Contact
from dialer.numbering import Numbering
from dialer.store import contacts as sql
from dialer.store.faults import refused_value
from dialer.store.times import to_column

CHUNK: Final = 500
"""Rows in one transaction: SQLite's write lock is held for about 5 ms."""


LOOK_EVERY: Final = 50
"""Chunks, which take a second or two, until we look again whether a dialer is at work."""

PAUSE: Final = 0.02
"""Seconds that the file of SQLite is free after each chunk, while a dialer is at work: longer than a chunk takes."""

STATEMENT: Final = 125
"""Contacts in one statement, which is kept prepared: 1,125 parameters."""


class Refusal(NamedTuple):
    """A row that is not taken, and why."""

    entry: Entry
    fault: Fault


@define(eq=False)
class Tally:
    """How many rows of a file were read; of them, taken, there already, twice in the file, and refused, by reason."""

    rows: int = 0
    taken: int = 0
    known: int = 0
    duplicates: int = 0
    reasons: Counter[Reason] = field(factory=Counter)

    @property
    def refused(self) -> int:
        """Rows that are not taken and were not there."""
        return sum(self.reasons.values())

    def add(self, entries: int, added: Added, refusals: Sequence[Refusal]) -> None:
        """Count a chunk."""
        self.rows += entries
        self.taken += added.taken
        self.known += added.known
        for _, fault in refusals:
            if fault.reason is Reason.TWICE:
                self.duplicates += 1
            else:
                self.reasons[fault.reason] += 1


@frozen(kw_only=True)
class Added:
    """What became of a chunk: how many contacts were taken and how many the phonebook had; the others, by their place in the
    chunk."""

    taken: int = 0
    known: int = 0
    refused: Mapping[int, Fault] = Factory(dict)


@define(eq=False)
class Import:
    """One file into one phonebook. With `dry_run` nothing is written. `tell` is called with the rows of each chunk that were
    not taken, in their order, once the chunk is durable; `rest` sleeps for so many seconds."""

    management: Management
    phonebook_id: int
    file: ContactFile
    dry_run: bool = False
    tell: Callable[[Sequence[Refusal]], None] = lambda _: None
    rest: Callable[[float], object] = lambda _: None
    tally: Tally = field(factory=Tally, init=False)

    async def run(self) -> Tally:
        """Take the file, which is open, to its end. Fails with `NotFound`, `BadValue`, `StoreError`, `OSError`: what the tally
        counts is in the phonebook.

        While the database thread writes a chunk, this one reads the next. Beside a dialer that waits for the file of SQLite it
        reads in between, and rests: SQLite has that dialer look after growing pauses whether the file is free, and it would
        seldom be.
        """
        await self.management.database.run(sql.prepare_for_import)
        rules = await self.management.ask(phonebook_numbering, self.phonebook_id)
        under_way: _Chunk | None = None
        pauses = False
        seen = Seen()
        try:
            for number, entries in enumerate(self._chunks(self._allowed(rules))):
                if number % LOOK_EVERY == 0:
                    pauses = self.management.database.is_dialled_with()
                chunk, before, under_way = _Chunk(entries, seen), under_way, None
                await self._end(before)
                planned = self.tally.taken if self.dry_run else None
                chunk.added = self.management.ask(add_contacts, self.phonebook_id, chunk.contacts, planned)
                if pauses:
                    await self._end(chunk)
                    self.rest(PAUSE)
                else:
                    under_way = chunk
        finally:
            seen.close()
            await self._end(under_way)
        return self.tally

    async def _end(self, chunk: _Chunk | None) -> None:
        if chunk is None:
            return
        added = await chunk.added
        refusals = chunk.refusals(added)
        self.tally.add(len(chunk.entries), added, refusals)
        self.tell(refusals)

    def _allowed(self, rules: Numbering) -> Allowed:
        """What the file's numbers are, by the rules of the phonebook; those of the installation hold for emergency numbers."""
        ours = self.management.numbering
        others = () if ours is rules else (ours,)
        return Allowed(rules=rules, others=others, phonebook_id=self.phonebook_id)

    def _chunks(self, allowed: Allowed) -> Iterator[list[Entry]]:
        chunk: list[Entry] = []
        for entry in self.file.entries(allowed):
            chunk.append(entry)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


class _Chunk:
    """Some rows of the file, and the contacts in them that no earlier row has."""

    def __init__(self, entries: list[Entry], seen: Seen) -> None:
        self.entries = entries
        self.added: Deferred[Added] = Deferred()
        self.contacts: list[Contact] = []
        self._places: list[int] = []
        self._faults: dict[int, Fault] = {}
        numbers = [
            Occurrence(entry.contact.identity, entry.contact.number, entry.row.line)
            for entry in entries
            if entry.contact is not None
        ]
        earlier = seen.add(numbers)
        for place, (row, contact, fault) in enumerate(entries):
            if contact is None:
                self._faults[place] = fault or Fault(Reason.VALUE, "is no contact")
            elif (first := earlier.get(row.line)) is not None:
                self._faults[place] = Fault(Reason.TWICE, twice(contact.number, first.number, first.line))
            else:
                self.contacts.append(contact)
                self._places.append(place)

    def refusals(self, added: Added) -> list[Refusal]:
        """The rows that are not taken, in their order."""
        faults = self._faults | {self._places[index]: fault for index, fault in added.refused.items()}
        return [Refusal(self.entries[place], faults[place]) for place in sorted(faults)]


@verb
def add_contacts(t: Transaction, phonebook_id: int, contacts: Sequence[Contact], planned: int | None = None) -> Added:
    """Add those that are new and that the phonebook's owner may call and has room for, and subscribe them to the phonebook's
    campaigns that have not ended. They are of this phonebook, and no two have the same identity. With `planned`, nothing is
    written: so many would have been added before. Raises `NotFound`."""
    connection = t.connection
    row = connection.execute(sql.PHONEBOOK_OF_IMPORT, (phonebook_id,)).fetchone()
    if row is None:
        raise NotFound("phonebook", phonebook_id)
    has_rules, maximum, largest = row
    if maximum is not None and largest is None:
        (largest,) = connection.execute(sql.CONTACTS_UP_TO, (phonebook_id, maximum)).fetchone()
    refused = _refused_by_owner(t, phonebook_id, contacts) if has_rules else {}
    left = [(index, contact) for index, contact in enumerate(contacts) if index not in refused]
    room = len(left) if maximum is None else max(0, maximum - largest - (planned or 0))
    known: set[str] = set()
    if planned is not None or room < len(left):
        listed = orjson.dumps([contact.identity for _, contact in left]).decode()
        known = {identity for (identity,) in connection.execute(sql.KNOWN.of(connection), (phonebook_id, listed))}
        left = [(index, contact) for index, contact in left if contact.identity not in known]
        for index, _ in left[room:]:
            refused[index] = Fault(Reason.LIMIT, f"the user may have {maximum} contacts in a campaign")
        left = left[:room]
    if planned is not None or not left:
        return Added(taken=len(left), known=len(known), refused=refused)
    taken = _insert(t, phonebook_id, [contact for _, contact in left])
    return Added(taken=taken, known=len(known) + len(left) - taken, refused=refused)


def _refused_by_owner(t: Transaction, phonebook_id: int, contacts: Sequence[Contact]) -> dict[int, Fault]:
    rules = number_rules(t.connection, phonebook_id)
    faults = {}
    for index, contact in enumerate(contacts):
        if why := rules.refusal(contact.number, contact.identity):
            faults[index] = Fault(Reason.WHITELIST if "whitelist" in why else Reason.BLACKLIST, why)
    return faults


def _insert(t: Transaction, phonebook_id: int, contacts: Sequence[Contact]) -> int:
    """How many were new. One statement adds many: while it runs, Python reads the next chunk."""
    connection, moment, taken = t.connection, to_column(t.now), 0
    (last,) = connection.execute(sql.NEWEST_CONTACT).fetchone()
    try:
        for start in range(0, len(contacts), STATEMENT):
            some = contacts[start : start + STATEMENT]
            values = [value for contact in some for value in contact_row(contact, moment)]
            taken += connection.execute(sql.add_unknown_contacts(len(some)), values).rowcount
    except Exception as error:
        raise refused_value(error) or error from error
    if taken:
        connection.execute(sql.SUBSCRIBE_NEW, (moment, phonebook_id, last))
        t.then(call_soon)
    return taken
