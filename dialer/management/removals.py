"""Removals. The attempts of the past stay: what has some is archived, which is to say that it is in no list, is never called,
and that its name is free again; what has none is deleted.

What is large goes chunk by chunk, so that others can write between. A removal that was interrupted is completed when it is
repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dialer.errors import NotFound
from dialer.management import calls, rows
from dialer.management.contacts import CHUNK
from dialer.management.management import Management, Transaction, call_soon, reads, verb, writes
from dialer.management.subscribers import PAGE
from dialer.model import Account, CampaignStatus
from dialer.model.user import ADMINISTRATOR
from dialer.store import caller_ids, contacts, import_jobs, removals, webhooks
from dialer.store.connection import Connection
from dialer.store.grants import FORGET
from dialer.store.times import to_column

Ask = Callable[..., Any]
"""Runs a use case with its arguments, as `Management.ask` does."""

# --- contacts -------------------------------------------------------------------------------------------------------------


@writes
def contact(t: Transaction, who: Account, contact_id: int) -> None:
    """Remove a contact with its other spellings in the phonebook. A campaign in which it has attempts keeps these, and calls
    it no more; a live call goes on to its end. Raises `NotFound`."""
    row = t.entities.Contact.get(id=contact_id)
    if row is None or row.archived_at is not None:
        raise NotFound("contact", contact_id)
    rows.ours(who, row.phonebook, "contact", contact_id)
    phonebook_id = row.phonebook.id
    one = (row.double_of.id if row.double_of is not None else contact_id,) * 2
    (last,) = t.connection.execute("SELECT max(id) FROM contact WHERE id = ? OR double_of = ?", one).fetchone()
    _withdraw(t.connection, removals.OF_ONE, one)
    t.connection.execute(removals.ARCHIVE_ONE, (to_column(t.now), *one))
    t.connection.execute(removals.DROP_CONTACTS, (phonebook_id, one[0] - 1, last))


def _withdraw(connection: Connection, statements: removals.Withdrawal, which: tuple[Any, ...], *more: object) -> None:
    """`which` are the parameters that name the contacts, `more` those that narrow their subscribers down."""
    connection.execute(statements.hand_over, (*which, *which, *more, *which))
    for statement in (statements.abort, statements.abort_live, statements.delete):
        connection.execute(statement, (*which, *more))


# --- phonebooks -----------------------------------------------------------------------------------------------------------


async def phonebook(management: Management, who: Account, phonebook_id: int, ask: Ask | None = None) -> None:
    """Remove a phonebook with its contacts, as `contact` does. `ask` runs the first use case in place of the management, and
    may refuse to. Fails with `NotFound`, `StoreError`."""
    await (ask or management.ask)(_unlink_everywhere, who, phonebook_id)
    removed = False
    while not removed:
        last: int | None = 0
        while last is not None:
            last = await management.ask(_remove_chunk, phonebook_id, last)
        removed = await management.ask(_drop_phonebook, phonebook_id)


async def detach(management: Management, who: Account, campaign_id: int, phonebook_id: int, ask: Ask | None = None) -> None:
    """The campaign calls the contacts of the phonebook no more, unless another phonebook of it has them: those with attempts
    are aborted, and stay for the sake of these; the others leave it. `ask` runs the first use case in place of the management.
    Fails with `NotFound`, `StoreError`."""
    await (ask or management.ask)(_unlink, who, campaign_id, phonebook_id)
    last: int | None = 0
    while last is not None:
        last = await management.ask(_withdraw_chunk, campaign_id, phonebook_id, last)


@writes
def _unlink_everywhere(t: Transaction, who: Account, phonebook_id: int) -> None:
    rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id)
    t.connection.execute(import_jobs.CANCEL_OF_PHONEBOOK, (to_column(t.now), phonebook_id))
    t.connection.execute(removals.UNLINK_PHONEBOOK, (phonebook_id,))


@writes
def _unlink(t: Transaction, who: Account, campaign_id: int, phonebook_id: int) -> None:
    rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
    rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id)
    t.connection.execute(removals.UNLINK, (campaign_id, phonebook_id))


@verb
def _remove_chunk(t: Transaction, phonebook_id: int, last: int) -> int | None:
    (end,) = t.connection.execute(contacts.END_OF_CHUNK, (phonebook_id, last, CHUNK)).fetchone()
    if end is not None:
        some = (phonebook_id, last, end)
        _withdraw(t.connection, removals.FROM_EVERYWHERE, some)
        t.connection.execute(removals.ARCHIVE_SOME, (to_column(t.now), *some))
        t.connection.execute(removals.DROP_CONTACTS, some)
    return None if end is None else int(end)


@verb
def _withdraw_chunk(t: Transaction, campaign_id: int, phonebook_id: int, last: int) -> int | None:
    (end,) = t.connection.execute(contacts.END_OF_CHUNK, (phonebook_id, last, CHUNK)).fetchone()
    if end is not None:
        _withdraw(t.connection, removals.FROM_CAMPAIGN, (phonebook_id, last, end), campaign_id)
    return None if end is None else int(end)


@verb
def _drop_phonebook(t: Transaction, phonebook_id: int) -> bool:
    """False when contacts came meanwhile."""
    t.connection.execute(contacts.LOCK_PHONEBOOK.of(t.connection), (phonebook_id,))
    (left,) = t.connection.execute(removals.HAS_CONTACTS, (phonebook_id,)).fetchone()
    if left:
        return False
    if not t.connection.execute(removals.DROP_PHONEBOOK, (phonebook_id,)).rowcount:
        t.connection.execute(removals.ARCHIVE_PHONEBOOK, (to_column(t.now), phonebook_id))
    return True


# --- campaigns and users --------------------------------------------------------------------------------------------------


async def campaign(management: Management, who: Account, campaign_id: int, ask: Ask | None = None) -> None:
    """Remove a campaign; one that is started is aborted by it: its live calls are hung up. Its phonebooks stay. `ask` runs the
    first use case in place of the management, and may refuse to. Fails with `NotFound`, `StoreError`."""
    await (ask or management.ask)(_archive_campaign, who, campaign_id)
    after: str | None = ""
    while after is not None:
        after = await management.ask(_delete_subscribers, campaign_id, after)
    await management.ask(_drop_campaign, campaign_id)


async def campaign_with_phonebooks(management: Management, who: Account, campaign_id: int) -> None:
    """The same with its phonebooks and their contacts, but for phonebooks that other campaigns use. Fails as `campaign`."""
    books = await management.ask(_own_phonebooks, who, campaign_id)
    await campaign(management, who, campaign_id)
    for key in books:
        with suppress(NotFound):  # it was removed meanwhile
            await phonebook(management, who, key)


@reads
def _own_phonebooks(t: Transaction, who: Account, campaign_id: int) -> list[int]:
    """Those that no other campaign uses."""
    row = rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
    return sorted(book.id for book in rows.live(row.phonebooks) if len(rows.live(book.campaigns)) == 1)


@writes
def _archive_campaign(t: Transaction, who: Account, campaign_id: int) -> None:
    row = rows.ours(who, t.entities.Campaign.get_for_update(id=campaign_id), "campaign", campaign_id)
    may_call = row.status in (CampaignStatus.START, CampaignStatus.PAUSE)
    t.connection.execute(removals.UNLINK_CAMPAIGN, (campaign_id,))
    t.connection.execute(removals.ARCHIVE_CAMPAIGN, (to_column(t.now), campaign_id))
    if may_call:
        t.then(lambda flow: flow.hang_up(campaign_id))
    t.then(call_soon)


@verb
def _delete_subscribers(t: Transaction, campaign_id: int, after: str) -> str | None:
    (end,) = t.connection.execute(removals.END_OF_SUBSCRIBERS, (campaign_id, after, PAGE)).fetchone()
    if end is not None:
        t.connection.execute(removals.DELETE_SUBSCRIBERS, (campaign_id, after, end))
    return None if end is None else str(end)


@verb
def _drop_campaign(t: Transaction, campaign_id: int) -> None:
    t.connection.execute(removals.DROP_CAMPAIGN, (campaign_id,))


async def user(management: Management, user_id: int) -> None:
    """Remove a user with all its campaigns and phonebooks. It can do nothing any more from the first moment on. Fails with
    `NotFound`, `StoreError`."""
    campaigns, phonebooks = await management.ask(_close, user_id)
    await management.ask(calls.cancel_all, user_id)
    for key in campaigns:
        await campaign(management, ADMINISTRATOR, key)
    for key in phonebooks:
        await phonebook(management, ADMINISTRATOR, key)
    await management.ask(user_without_anything, user_id)


@writes
def _close(t: Transaction, user_id: int) -> tuple[list[int], list[int]]:
    row = rows.found(t.entities.User, "user", user_id)
    row.is_active = False
    return [each.id for each in rows.live(row.campaigns)], [each.id for each in rows.live(row.phonebooks)]


@writes
def user_without_anything(t: Transaction, user_id: int) -> None:
    """Remove a user with all that is its own. Raises `NotFound`, and `InUse` when it has campaigns or phonebooks."""
    row = rows.found(t.entities.User, "user", user_id)
    uses = {"campaign": len(rows.live(row.campaigns)), "phonebook": len(rows.live(row.phonebooks))}
    t.connection.execute(caller_ids.ARCHIVE_NUMBERS, (to_column(t.now), user_id))
    t.connection.execute(caller_ids.ARCHIVE_POOLS, (to_column(t.now), user_id))
    rows.refuse_in_use("user", row.username, uses, "it has")
    t.connection.execute("DELETE FROM number_pattern WHERE user_id = ?", (user_id,))
    for statement in (*FORGET, webhooks.FORGET, import_jobs.FORGET):
        t.connection.execute(statement, (user_id,))
    if not t.connection.execute(removals.DROP_USER, (user_id,)).rowcount:
        t.connection.execute(removals.ARCHIVE_USER, (to_column(t.now), user_id))
