"""Files into the database, such as contacts into a phonebook: chunk by chunk, each a transaction, so that others can write
between.

What a killed import has taken is there; the same file again finds it there, and completes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, Protocol

from attrs import Factory, define, field, frozen
from twisted.internet.defer import Deferred

from dialer.files.contacts import Allowed, FileRow, Reason, RowFault, RowFile
from dialer.files.seen import Occurrence, Seen
from dialer.files.whole import twice
from dialer.management.management import Management
from dialer.model import Contact
from dialer.store import contacts as sql

CHUNK: Final = 500
"""Rows in one transaction: SQLite's write lock is held for about 5 ms."""

LOOK_EVERY: Final = 50
"""Chunks, which take a second or two, until we look again whether a dialer is at work."""

PAUSE: Final = 0.02
"""Seconds that the file of SQLite is free after each chunk, while a dialer is at work: longer than a chunk takes."""


class NotTaken(NamedTuple):
    """A row that is not taken, and why."""

    entry: FileRow
    fault: RowFault


@define(eq=False)
class Tally:
    """How many rows of a file were read; of them, taken, there already, twice in the file, and refused, by reason. Of those
    that were there, some were `changed`."""

    rows: int = 0
    taken: int = 0
    known: int = 0
    changed: int = 0
    duplicates: int = 0
    reasons: Counter[Reason] = field(factory=Counter)

    @property
    def refused(self) -> int:
        """Rows that are not taken and were not there."""
        return sum(self.reasons.values())

    def plus(self, chunk: Chunk, added: Added) -> Tally:
        """The tally after a chunk; this one stays."""
        after = Tally(self.rows, self.taken, self.known, self.changed, self.duplicates, Counter(self.reasons))
        after.add(len(chunk.entries), added, chunk.refusals(added.refused))
        return after

    def add(self, entries: int, added: Added, refusals: Sequence[NotTaken]) -> None:
        """Count a chunk."""
        self.rows += entries
        self.taken += added.taken
        self.known += added.known
        self.changed += added.changed
        for _, fault in refusals:
            if fault.reason is Reason.TWICE:
                self.duplicates += 1
            else:
                self.reasons[fault.reason] += 1


@frozen(kw_only=True)
class Added:
    """What became of a chunk: how many contacts were taken, how many were there already, and how many of these were changed;
    the others, by their place in the chunk."""

    taken: int = 0
    known: int = 0
    changed: int = 0
    refused: Mapping[int, RowFault] = Factory(dict)


class ContactsReceiver(Protocol):
    """Where the contacts of a file go."""

    async def allowed(self, management: Management) -> Allowed:
        """What they are read by. Fails with `NotFound`."""
        ...

    def add(self, management: Management, contacts: Sequence[Contact], planned: int | None) -> Deferred[Added]:
        """Take some, no two of which have the same identity. With `planned`, nothing is written: so many would have been taken
        before. Fails with `NotFound`, `StoreError`."""
        ...

    async def finished(self, management: Management, tally: Tally) -> None:
        """The file was taken to its end. Fails with `StoreError`."""
        ...


@define(eq=False)
class Import:
    """One file to one destination. With `dry_run` nothing is written. `tell` is called with the rows of each chunk that were
    not taken, in their order, once the chunk is durable; `rest` sleeps for so many seconds."""

    management: Management
    destination: ContactsReceiver
    file: RowFile
    dry_run: bool = False
    tell: Callable[[Sequence[NotTaken]], None] = lambda _: None
    rest: Callable[[float], object] = lambda _: None
    tally: Tally = field(factory=Tally, init=False)

    async def run(self) -> Tally:
        """Take the file, which is open, to its end. Fails with `NotFound`, `BadValue`, `StoreError`, `OSError`: what the tally
        counts is there.

        While the database thread writes a chunk, this one reads the next. Beside a dialer that waits for the file of SQLite it
        reads in between, and rests: SQLite has that dialer look after growing pauses whether the file is free, and it would
        seldom be.
        """
        await self.management.database.run(sql.prepare_for_import)
        reader = ChunkReader(self.file, await self.destination.allowed(self.management))
        under_way: tuple[Chunk, Deferred[Added]] | None = None
        pauses, number = False, 0
        try:
            while (chunk := reader.next()) is not None:
                if number % LOOK_EVERY == 0:
                    pauses = self.management.database.is_dialled_with()
                number += 1
                before, under_way = under_way, None
                await self._end(before)
                planned = self.tally.taken if self.dry_run else None
                under_way = (chunk, self.destination.add(self.management, chunk.contacts, planned))
                if pauses:
                    before, under_way = under_way, None
                    await self._end(before)
                    self.rest(PAUSE)
        finally:
            reader.close()
            await self._end(under_way)
        if not self.dry_run:
            await self.destination.finished(self.management, self.tally)
        return self.tally

    async def _end(self, under_way: tuple[Chunk, Deferred[Added]] | None) -> None:
        if under_way is None:
            return
        chunk, adding = under_way
        added = await adding
        refusals = chunk.refusals(added.refused)
        self.tally.add(len(chunk.entries), added, refusals)
        self.tell(refusals)


@define(eq=False)
class ChunkReader:
    """The chunks of a file that is open, one after the other. For one thread at a time."""

    file: RowFile
    allowed: Allowed
    _entries: Iterator[FileRow] = field(init=False)
    _seen: Seen = field(factory=Seen, init=False)

    def __attrs_post_init__(self) -> None:
        self._entries = self.file.entries(self.allowed)

    def next(self, size: int = CHUNK) -> Chunk | None:
        """The next rows, so many at most; None at the end. Raises `BadValue` where the file is no text any more, and
        `OSError`."""
        entries = list(islice(self._entries, size))
        return Chunk(entries, self._seen) if entries else None

    def skip(self, rows: int) -> bool:
        """Pass so many rows that were taken before; whether there were as many. Raises as `next`."""
        left = rows
        while left and (chunk := self.next(min(left, CHUNK))) is not None:
            left -= len(chunk.entries)
        return not left

    def close(self) -> None:
        """No more are read."""
        self._seen.close()


class Chunk:
    """Some rows of the file, and the contacts in them that no earlier row has."""

    def __init__(self, entries: list[FileRow], seen: Seen) -> None:
        self.entries = entries
        self.contacts: list[Contact] = []
        self._places: list[int] = []
        self._faults: dict[int, RowFault] = {}
        numbers = [
            Occurrence(entry.contact.identity, entry.contact.number, entry.row.line)
            for entry in entries
            if entry.contact is not None
        ]
        earlier = seen.add(numbers)
        for place, (row, contact, fault) in enumerate(entries):
            if contact is None:
                self._faults[place] = fault or RowFault(Reason.VALUE, "is no contact")
            elif (first := earlier.get(row.line)) is not None:
                self._faults[place] = RowFault(Reason.TWICE, twice(contact.number, first.number, first.line))
            else:
                self.contacts.append(contact)
                self._places.append(place)

    def refusals(self, refused: Mapping[int, RowFault]) -> list[NotTaken]:
        """The rows that are not taken, in their order; `refused` are contacts that the destination did not take, by their
        places among `contacts`."""
        faults = self._faults | {self._places[index]: fault for index, fault in refused.items()}
        return [NotTaken(self.entries[place], faults[place]) for place in sorted(faults)]
