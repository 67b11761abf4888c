"""Phonebooks: lists of contacts, and the campaigns that use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Final

from dialer.declare import entered
from dialer.errors import AlreadyExists, BadValue
from dialer.management import contacts, rows
from dialer.management.listing import NEWEST_FIRST, Place, Slice, in_sql
from dialer.management.management import Management, Transaction, reads, verb, writes
from dialer.model import Account, Phonebook
from dialer.store import contact_list, removals
from dialer.store import contacts as contacts_sql
from dialer.store.noun_lists import entries
from dialer.stored import reader, value_of

LONGEST_NAME: Final = 255
PAGE: Final = 500
"""Phonebooks that are read at once."""

_read: Final = reader(Phonebook, "p")
_LISTED: Final = f"SELECT {_read.columns} FROM phonebook p WHERE p.archived_at IS NULL"  # noqa: S608


@reads
def listed(t: Transaction, who: Account, part: Slice = NEWEST_FIRST, name: str | None = None) -> list[Phonebook]:
    """The user's, everybody's for a superuser: those of that name, where one is given."""
    wanted = {"p.name": name, "p.user_id": None if who.is_superuser else who.id}
    return [_read(row) for row in entries(t.connection, _LISTED, wanted, *in_sql(part, "p"))]


async def read_pages(management: Management, who: Account, take: Callable[[list[Phonebook]], Awaitable[None]]) -> None:
    """The same, given to `take` page by page, the newest first. Fails with `StoreError`, and `NotFound` for a user that may do
    nothing any more."""
    after: Place | None = None
    while True:
        found = await management.ask_in_turn(listed, who, Slice(sort="-id", after=after, limit=PAGE))
        await take(found)
        if len(found) < PAGE:
            return
        after = (found[-1].id, found[-1].id)


@reads
def read(t: Transaction, who: Account, phonebook_id: int) -> Phonebook:
    """One of them. Raises `NotFound`."""
    return value_of(Phonebook, rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id))


@writes
def locked(t: Transaction, who: Account, phonebook_id: int) -> Phonebook:
    """The same, which nobody changes until the end of the transaction."""
    return value_of(Phonebook, rows.ours(who, t.entities.Phonebook.get_for_update(id=phonebook_id), "phonebook", phonebook_id))


@verb
def uses(t: Transaction) -> dict[int, tuple[str, ...]]:
    """The names of the campaigns that use phonebooks, by the ids of these."""
    found: dict[int, tuple[str, ...]] = {}
    for key, name in t.connection.execute(contact_list.USES):
        found[key] = (*found.get(key, ()), name)
    return found


@verb
def size(t: Transaction, phonebook_id: int) -> int:
    """How many contacts a phonebook has. Counts them: a second for some millions."""
    (count,) = t.connection.execute(contact_list.SIZE, (phonebook_id,)).fetchone()
    return int(count)


@writes
def create(t: Transaction, who: Account, given: Mapping[str, Any], campaign_id: int | None = None) -> Phonebook:
    """A phonebook, linked to a campaign when one is named: then it belongs to that campaign's user, which matters only when a
    superuser asks. Raises `NotFound`, `AlreadyExists`, `BadValue`."""
    rows.asking(t, who)
    owner, campaign = who.id, None
    if campaign_id is not None:
        campaign = rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
        owner = campaign.user.id
    checked = entered(Phonebook, given)
    if _taken(t, owner, checked.get("name", "")):
        raise AlreadyExists("phonebook", "name", checked["name"])
    row = rows.create(t, Phonebook, {**checked, "user_id": owner})
    if campaign is not None:
        campaign.phonebooks.add(row)
    return value_of(Phonebook, row)


@writes
def change(t: Transaction, who: Account, phonebook_id: int, given: Mapping[str, Any]) -> Phonebook:
    """Change what is given; the region only while there are no contacts, whose numbers were read by it. Raises `NotFound`,
    `AlreadyExists`, `BadValue`."""
    rows.asking(t, who)
    row = rows.ours(who, t.entities.Phonebook.get_for_update(id=phonebook_id), "phonebook", phonebook_id)
    checked = entered(Phonebook, given)
    if checked.get("name", row.name) != row.name and _taken(t, row.user.id, checked["name"]):
        raise AlreadyExists("phonebook", "name", checked["name"])
    if checked.get("region", before := value_of(Phonebook, row).region) != before:
        (has_contacts,) = t.connection.execute(removals.HAS_CONTACTS, (phonebook_id,)).fetchone()
        if has_contacts:
            raise BadValue("region", "cannot be changed any more: the phonebook has contacts, whose numbers were read by it")
    rows.change(t, Phonebook, row, checked)
    return value_of(Phonebook, row)


@verb
def attached(t: Transaction, who: Account, campaign_id: int, phonebook_id: int, added: int) -> tuple[int, int, int]:
    """A campaign, a phonebook of it, and how many contacts it got by that: for the answer to who asked for it."""
    return campaign_id, phonebook_id, added


@reads
def attachable(t: Transaction, who: Account, campaign_id: int, most: int) -> list[Phonebook]:
    """The phonebooks of a campaign's user that the campaign does not use yet, the newest first, so many at `most`. Raises
    `NotFound`."""
    campaign = rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
    owner, used = campaign.user.id, {book.id for book in campaign.phonebooks}
    end = in_sql(Slice(sort="-id", limit=most + len(used)), "p")
    found = [_read(row) for row in entries(t.connection, _LISTED, {"p.user_id": owner}, *end)]
    return [book for book in found if book.id not in used][:most]


async def attach(
    management: Management, who: Account, campaign_id: int, phonebook_id: int, ask: Callable[..., Any] | None = None
) -> int:
    """A phonebook for a further campaign of its user, which calls its contacts from now on, too. Returns how many of them it
    did not have yet. `ask` runs the first use case, which checks whether that may be, in place of the management. Fails with
    `NotFound`, `LimitExceeded`, `BadValue`, `StoreError`."""
    await (ask or management.ask)(_check_attach, who, campaign_id, phonebook_id)
    return await contacts.subscribe(management, campaign_id, phonebook_id)


@reads
def _check_attach(t: Transaction, who: Account, campaign_id: int, phonebook_id: int) -> None:
    campaign = rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
    _attachable(t, who, campaign, phonebook_id)


def add_existing(t: Transaction, who: Account, campaign: Any, phonebook_id: int) -> None:
    """A phonebook that is there for a new campaign of its user, with the first of its contacts. Raises `NotFound`,
    `LimitExceeded`, `BadValue`."""
    phonebook = _attachable(t, who, campaign, phonebook_id)
    t.connection.execute(contacts_sql.LOCK_PHONEBOOK.of(t.connection), (phonebook_id,))
    campaign.phonebooks.add(phonebook)
    t.entities.db.flush()
    contacts.subscribe_chunk(t, campaign.id, phonebook_id, 0)


def _attachable(t: Transaction, who: Account, campaign: Any, phonebook_id: int) -> Any:
    phonebook = rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id)
    if campaign.user.id != phonebook.user.id:
        raise BadValue("phonebook", f"{phonebook.name} is another user's than the campaign {campaign.name}")
    user = rows.asking(t, who)
    if user is not None and user.max_number_subscriber_campaign is not None:
        more = phonebook.contacts.select(lambda k: k.archived_at is None and k.double_of is None).count()
        both = campaign.subscribers.count() + more
        rows.check_limit("contacts", both, user.max_number_subscriber_campaign)
    return phonebook


def add_own(t: Transaction, campaign: Any, description: str) -> Any:
    """The phonebook that a new campaign gets: of its name, or `<name>-<id>` when its user has one of that name, or that with a
    number behind it."""
    name, owner = campaign.name, campaign.user.id
    for number in count(1):
        if not _taken(t, owner, name):
            break
        tail = f"-{campaign.id}" if number == 1 else f"-{campaign.id}-{number}"
        name = campaign.name[: LONGEST_NAME - len(tail)] + tail
    row = rows.create(t, Phonebook, {"name": name, "description": description, "user_id": owner})
    campaign.phonebooks.add(row)
    return row


def _taken(t: Transaction, user_id: int, name: str) -> bool:
    return bool(t.entities.Phonebook.select(lambda p: p.user.id == user_id and p.name == name).exists())
