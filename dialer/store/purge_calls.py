"""The purge of old calls without a campaign: what there is of each goes once it ended long ago and the records of its
attempts are gone (`dialer.store.purge`). What still can be made, or is live, stays, and so does what has a record.

A call is a campaign of its own (`dialer.store.single_calls`): its contact, phonebook and counts go with it. Ids of contacts and
subscribers are never given twice: the newest of each stays.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dialer.store.connection import Connection
from dialer.store.statements import marks
from dialer.store.times import to_column

NEXT: Final = "SELECT c.id, c.created_at < ? FROM campaign c WHERE c.id > ? AND c.single = 1 ORDER BY c.id LIMIT ?"
"""Calls, the oldest first, and whether each was asked for before a moment. Parameters: that moment, the id behind which, how
many."""


def over(count: int) -> str:
    """Those that are done since before a moment, with nothing open and no record. Parameters: calls, the moment."""
    return (
        f"SELECT c.id FROM campaign c WHERE c.id IN ({marks(count)}) AND c.status >= 3 AND c.updated_at < ? "  # noqa: S608
        "AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.campaign_id = c.id) "
        "AND NOT EXISTS (SELECT 1 FROM do_not_call_list l WHERE l.campaign_id = c.id) "
        "AND NOT EXISTS (SELECT 1 FROM subscriber s WHERE s.campaign_id = c.id AND (s.status IN (1, 2, 6) "
        "OR s.id = (SELECT max(x.id) FROM subscriber x) OR s.contact_id = (SELECT max(k.id) FROM contact k)))"
    )


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


def purge_calls(connection: Connection, before: datetime, after: int, limit: int) -> tuple[int, int]:
    """Look at up to `limit` calls behind the id `after`, and remove those that were over before a moment. Returns how many
    were looked at, and the last id of these; 0 when the next was asked for later than that, or there is none."""
    moment = to_column(before)
    rows = connection.execute(NEXT, (moment, after, limit)).fetchall()
    old = [int(key) for key, is_old in rows if is_old]
    if not old:
        return 0, after
    gone = [int(key) for (key,) in connection.execute(over(len(old)), (*old, moment)).fetchall()]
    if gone:
        books = [int(key) for (key,) in connection.execute(phonebooks(len(gone)), gone).fetchall()]
        for statement in removals(len(gone)):
            connection.execute(statement, gone)
        for statement in remove_phonebooks(len(books)) if books else ():
            connection.execute(statement, books)
    return len(old), old[-1]
