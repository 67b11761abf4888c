"""Where the contacts of files can go, and where those of an import go, by names that people know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from dialer.management import do_not_call_lists, phonebooks
from dialer.management.listing import Slice
from dialer.management.management import Transaction, reads, verb
from dialer.model import Account, DoNotCallList, ImportJob, Phonebook

MOST: Final = 300
"""Phonebooks, and lists, among which one can choose: the newest."""


@frozen(kw_only=True)
class ImportTargets:
    """Phonebooks and do-not-call lists of a user."""

    phonebooks: Sequence[Phonebook]
    lists: Sequence[DoNotCallList]


@reads
def choices(t: Transaction, who: Account) -> ImportTargets:
    """Those that the user may fill, the newest first."""
    books = phonebooks.listed(t, who, Slice(sort="-id", limit=MOST))
    return ImportTargets(phonebooks=books, lists=do_not_call_lists.listed(t, who, 0, MOST))


@verb
def names(t: Transaction, jobs: Sequence[ImportJob]) -> Mapping[int, str]:
    """The names of the phonebooks and lists of imports, by the ids of these; "" for one that is gone."""
    known: dict[tuple[str, int | None], str] = {}
    found = {}
    for job in jobs:
        place = ("phonebook", job.phonebook_id) if job.list_id is None else ("do_not_call_list", job.list_id)
        if place not in known:
            row = t.connection.execute(f"SELECT name FROM {place[0]} WHERE id = ?", (place[1],)).fetchone()  # noqa: S608
            known[place] = "" if row is None else str(row[0])
        found[job.id] = known[place]
    return found
