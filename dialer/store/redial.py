"""The SQL that has contacts of a campaign called again. Status numbers are those of `SubscriberStatus`."""

from __future__ import annotations

from typing import Final

from dialer.store.connection import LISTED

END: Final = (
    "SELECT max(number), count(*) FROM (SELECT number FROM subscriber WHERE campaign_id = ? AND number > ? "
    "ORDER BY number LIMIT ?) AS chunk"
)
"""Parameters: campaign, the number before these, how many."""

_WANTED: Final = LISTED.within(
    "campaign_id = ? AND number > ? AND number <= ? AND status IN (?, ?, ?) AND NOT EXISTS (SELECT 1 FROM contact k "
    "WHERE k.id = subscriber.contact_id AND k.archived_at IS NOT NULL) AND (? = 1 OR (SELECT a.disposition FROM attempt a "
    "WHERE a.id = (SELECT max(n.id) FROM attempt n WHERE n.subscriber_id = subscriber.id)) IN (SELECT j.value FROM %s))"
)
"""Parameters: campaign, the number before these, the last one, three statuses, 1 for whatever end, a list of dispositions."""

COUNT: Final = _WANTED.within("SELECT count(*) FROM subscriber WHERE %s")
RENEW: Final = _WANTED.within(
    "UPDATE subscriber SET status = 1, ready_at = ?, free_retries = 0, held_from = NULL, held_by = NULL, blocked_by = NULL "
    "WHERE %s"
)
"""Parameters: now, and those of `COUNT`."""
