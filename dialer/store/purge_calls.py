"""The purge of old calls without a campaign: what there is of each goes once it was over long ago and the records of its
attempts are gone (`dialer.store.purge`). What still can be made, or is live, stays, and so does what has a record.

A call is a campaign of its own (`dialer.store.single_calls`): its contact, phonebook and counts go with it. Ids of contacts
and subscribers are never given twice: the newest of each stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from dialer.model.contact import SubscriberStatus
from dialer.store.connection import Connection
from dialer.store.statements import marks
from dialer.store.times import to_column

NEXT: Final = (
    "SELECT c.id FROM campaign c WHERE c.single = 1 AND c.status >= 3 AND c.updated_at < ? ORDER BY c.updated_at, c.id LIMIT ?"
)
"""Calls that are over since before a moment, the oldest first. Parameters: the moment, how many."""

NEWEST: Final = "SELECT (SELECT max(id) FROM subscriber), (SELECT max(id) FROM contact)"
_OPEN: Final = frozenset({SubscriberStatus.START, SubscriberStatus.PAUSE, SubscriberStatus.IN_PROCESS})


def subscribers(count: int) -> str:
    """Those of so many calls. Parameters: calls."""
    return f"SELECT campaign_id, id, contact_id, status FROM subscriber WHERE campaign_id IN ({marks(count)})"  # noqa: S608


def recorded(count: int) -> str:
    """Which of so many calls have attempts. Parameters: calls."""
    return f"SELECT DISTINCT campaign_id FROM attempt WHERE campaign_id IN ({marks(count)})"  # noqa: S608


def phonebooks(count: int) -> str:
    """The phonebooks of so many calls. Parameters: calls."""
    return f"SELECT phonebook_id FROM campaign_phonebook WHERE campaign_id IN ({marks(count)})"  # noqa: S608


def removals(count: int) -> tuple[str, ...]:
    """What goes with so many calls, in this order. Parameters of each: calls."""
    these = marks(count)
    return (
        "DELETE FROM purged_attempts WHERE subscriber_id IN "  # noqa: S608
        f"(SELECT s.id FROM subscriber s WHERE s.campaign_id IN ({these}))",
        f"DELETE FROM subscriber WHERE campaign_id IN ({these})",  # noqa: S608
        f"DELETE FROM campaign WHERE id IN ({these})",  # noqa: S608
    )


def remove_phonebooks(count: int) -> tuple[str, str]:
    """So many phonebooks with their contacts, in this order. Parameters of each: phonebooks."""
    these = marks(count)
    return (
        f"DELETE FROM contact WHERE phonebook_id IN ({these})",  # noqa: S608
        f"DELETE FROM phonebook WHERE id IN ({these})",  # noqa: S608
    )


def purge_calls(connection: Connection, before: datetime, limit: int) -> int:
    """Remove those of the oldest `limit` calls that were over before a moment and have neither anything open nor a record.
    Returns how many."""
    old = [int(key) for (key,) in connection.execute(NEXT, (to_column(before), limit)).fetchall()]
    gone = list(_without_rest(connection, old)) if old else []
    if not gone:
        return 0
    books = [int(key) for (key,) in connection.execute(phonebooks(len(gone)), gone).fetchall()]
    for statement in removals(len(gone)):
        connection.execute(statement, gone)
    for statement in remove_phonebooks(len(books)) if books else ():
        connection.execute(statement, books)
    return len(gone)


def _without_rest(connection: Connection, calls: Sequence[int]) -> Iterator[int]:
    stay = {int(key) for (key,) in connection.execute(recorded(len(calls)), calls).fetchall()}
    newest_subscriber, newest_contact = connection.execute(NEWEST).fetchone()
    for call_id, key, contact_id, status in connection.execute(subscribers(len(calls)), calls).fetchall():
        if status in _OPEN or key == newest_subscriber or contact_id == newest_contact:
            stay.add(call_id)
    return (key for key in calls if key not in stay)
