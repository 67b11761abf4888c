"""The entries of do-not-call lists: numbers that are not called, however they are spelled. Who may see a list may change it
(`dialer.management.do_not_call_lists`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.declare import entered
from dialer.errors import BadValue, NotFound
from dialer.management import do_not_call_lists as lists
from dialer.management.contacts import MOST_NAMES
from dialer.management.management import Management, Transaction, call_soon, verb
from dialer.model import Account, DoNotCallEntry
from dialer.numbering import Numbering
from dialer.store import do_not_call as sql
from dialer.store.times import to_column

MOST: Final = 10_000
"""Numbers in one request, which is one transaction: a fifth of a second in which no other one is written."""


@frozen(kw_only=True)
class Changed:
    """How many numbers were put on a list or taken off it; of the others, nothing was changed."""

    changed: int
    unchanged: int


def entries_of(numbers: Sequence[str], numbering: Numbering, given: Mapping[str, Any]) -> list[DoNotCallEntry]:
    """Entries for numbers in any spelling, which have reason, source and expiry in common. It is pure, and takes about 10
    microseconds a number. Raises `BadValue` naming the texts that are no numbers, and what is wrong with the rest."""
    if len(numbers) > MOST:
        raise BadValue("numbers", f"are {len(numbers)}; at most {MOST} are taken at once")
    common = {name: value for name, value in entered(DoNotCallEntry, given).items() if name != "number"}
    found, wrong = [], []
    for text in numbers:
        try:
            number, identity = numbering.read(text, "number")
        except BadValue as error:
            wrong.append(error.problem)
        else:
            found.append(DoNotCallEntry(number=number, identity=identity, **common))
    if wrong:
        more = f"; and {len(wrong) - MOST_NAMES} more" if len(wrong) > MOST_NAMES else ""
        raise BadValue("number", "; ".join(wrong[:MOST_NAMES]) + more)
    return found


async def put(management: Management, who: Account, list_id: int, numbers: Sequence[str], given: Mapping[str, Any]) -> Changed:
    """Put numbers in any spelling on a list. Fails as `entries_of` and `add` raise."""
    entries = entries_of(numbers, management.numbering, given)
    return await management.ask(add, who, list_id, entries)


@verb
def page(t: Transaction, who: Account, list_id: int, after: str = "", limit: int = 1000) -> list[DoNotCallEntry]:
    """The entries of a list that hold now, in the order of the numbers, those behind `after`. Raises as
    `do_not_call_lists.read`."""
    lists.read(t, who, list_id)
    found = t.connection.execute(sql.PAGE, (list_id, after, to_column(t.now), limit)).fetchall()
    return [sql.READ(row) for row in found]


@verb
def history(
    t: Transaction, who: Account, list_id: int, after: int = 0, limit: int = 1000, number: str | None = None
) -> list[DoNotCallEntry]:
    """All entries that a list ever had, the oldest first, or those of a number in any spelling, behind the id `after`: who put
    them there and took them off, and when. Raises as `page`, and `BadValue`."""
    lists.read(t, who, list_id)
    if number is None:
        found = t.connection.execute(sql.HISTORY, (list_id, after, limit))
    else:
        identity = t.numbering.read(number, "number")[1]
        found = t.connection.execute(sql.HISTORY_OF_NUMBER, (identity, identity, list_id, after, limit))
    return [sql.READ(row) for row in found.fetchall()]


@verb
def read(t: Transaction, who: Account, list_id: int, number: str) -> DoNotCallEntry:
    """The entry of a number that holds, in whatever spelling it is listed. Raises as `page`, `NotFound`, `BadValue`."""
    (entry,) = check(t, who, list_id, [number])
    if entry is None:
        raise NotFound("do-not-call entry", number)
    return entry


@verb
def check(t: Transaction, who: Account, list_id: int, numbers: Sequence[str]) -> list[DoNotCallEntry | None]:
    """The entry of each number that holds; None for one that is not on the list. Raises as `page`, `BadValue`."""
    lists.read(t, who, list_id)
    found = []
    for entry in entries_of(numbers, t.numbering, {}):  # all that is no number is named at once
        row = t.connection.execute(sql.ON_LIST, (entry.identity, list_id, to_column(t.now))).fetchone()
        found.append(None if row is None else sql.READ(row))
    return found


@verb
def check_everywhere(t: Transaction, who: Account, numbers: Sequence[str]) -> list[list[DoNotCallEntry]]:
    """For each number its entries on any list that the user may see. Raises `BadValue`."""
    known = {each.id for each in lists.listed(t, who, limit=1_000_000)}
    found = []
    for number in numbers:
        identity = t.numbering.read(number, "number")[1]
        entries = t.connection.execute(sql.ON_ANY, (identity, to_column(t.now))).fetchall()
        found.append([each for each in map(sql.READ, entries) if each.list_id in known])
    return found


@verb
def add(t: Transaction, who: Account, list_id: int, entries: Sequence[DoNotCallEntry]) -> Changed:
    """Put numbers with their identities on a list. One that is on it stays as it is, unless the new entry holds longer: then
    it takes the place of the other. Raises as `page`, and `BadValue` for an expiry that has passed."""
    found = add_numbers(t, who, list_id, sql.alike(entries))
    return Changed(changed=found.changed, unchanged=len(entries) - found.changed)


@verb
def add_numbers(t: Transaction, who: Account, list_id: int, some: Sequence[sql.NewNumbers]) -> Changed:
    """The same for many numbers that have the rest in common, some with these and some with those."""
    lists.read(t, who, list_id)
    if any(each.expires_at is not None and each.expires_at <= t.now for each in some):
        raise BadValue("expires_at", "lies in the past; expected a moment to come, or none")
    added = sum(sql.add_numbers(t.connection, list_id, each, lists.doer(who), t.now) for each in some)
    return Changed(changed=added, unchanged=sum(len(each.numbers) for each in some) - added)


@verb
def add_one(t: Transaction, who: Account, list_id: int, given: Mapping[str, Any]) -> DoNotCallEntry:
    """The same for one number as it was entered. Returns its entry."""
    add(t, who, list_id, entries_of([given["number"]], t.numbering, given))
    return read(t, who, list_id, given["number"])


@verb
def unknown(t: Transaction, who: Account, list_id: int, identities: Sequence[str]) -> int:
    """How many of them are not on a list. Raises as `page`."""
    lists.read(t, who, list_id)
    listed = orjson.dumps(list(identities)).decode()
    (found,) = t.connection.execute(sql.COUNT.of(t.connection), (list_id, to_column(t.now), listed)).fetchone()
    return len(identities) - int(found)


@verb
def remove(t: Transaction, who: Account, list_id: int, numbers: Sequence[str]) -> Changed:
    """They may be called again, as far as this list goes. Contacts that were blocked meanwhile stay so; those that wait for an
    entry to expire are ready now. Raises as `page`, and `BadValue` for what is no number."""
    return remove_entries(t, who, list_id, entries_of(numbers, t.numbering, {}))


@verb
def remove_entries(t: Transaction, who: Account, list_id: int, entries: Sequence[DoNotCallEntry]) -> Changed:
    """The same for numbers with their identities."""
    lists.read(t, who, list_id)
    identities = sorted({entry.identity for entry in entries})
    removed = sql.remove(t.connection, list_id, identities, lists.doer(who), t.now)
    t.then(call_soon)
    return Changed(changed=removed, unchanged=len(entries) - removed)


@verb
def remove_one(t: Transaction, who: Account, list_id: int, number: str) -> None:
    """The same for one number. Raises `NotFound`, too."""
    read(t, who, list_id, number)
    remove(t, who, list_id, [number])
