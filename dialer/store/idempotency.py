"""The SQL of answers that are kept for requests that may come again."""

from __future__ import annotations

from typing import Final

from dialer.store.connection import Variants

CLAIM: Final = (
    "INSERT INTO idempotency_key (user_id, key, fingerprint, created_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING RETURNING id"
)
"""No row comes back when there is one of that user and key; on a server this waits for the transaction that is making it.
Parameters: user, key, fingerprint, now."""

FORGET_EXPIRED: Final = "DELETE FROM idempotency_key WHERE user_id = ? AND key = ? AND created_at < ?"
"""Parameters: user, key, the moment before which answers are not kept."""

FOUND: Final = "SELECT fingerprint, status, body FROM idempotency_key WHERE user_id = ? AND key = ?"

KEPT_SINCE: Final = "SELECT id FROM idempotency_key WHERE user_id = ? AND key = ? AND created_at >= ?"
"""Parameters: user, key, the moment before which answers are not kept."""

KEEP: Final = "UPDATE idempotency_key SET status = ?, body = ? WHERE id = ?"

_OLD: Final = "SELECT o.id FROM idempotency_key o WHERE o.created_at < ? ORDER BY o.created_at, o.id LIMIT ?"
_SURPLUS: Final = "SELECT o.id FROM idempotency_key o WHERE o.user_id = ? ORDER BY o.id DESC LIMIT ? OFFSET ?"


def _without_waiting(which: str) -> Variants:
    """Delete those; nodes that do it at the same time do not wait for each other."""
    deleting = "DELETE FROM idempotency_key WHERE id IN (%s)"
    return Variants(sqlite=which, postgresql=f"{which} FOR UPDATE SKIP LOCKED").within(deleting)


PRUNE_OLD: Final = _without_waiting(_OLD)
"""Parameters: the moment before which answers are not kept, how many at most."""

PRUNE_SURPLUS: Final = _without_waiting(_SURPLUS)
"""Parameters: user, how many at most, how many of the newest stay."""
