"""The SQL of figures that are asked for again and again: each a few steps in an index, however many rows there are."""

from __future__ import annotations

from typing import Final

PROGRESS: Final = (
    "SELECT status, subscribers, (SELECT min(ready_at) FROM subscriber WHERE campaign_id = ? AND status = 1) "
    "FROM subscriber_count WHERE campaign_id = ?"
)
"""Subscribers by status, and when the first of those pending is ready. Parameters: campaign, campaign."""

LAST_END: Final = (
    "SELECT max(ended_at) FROM (SELECT ended_at FROM attempt WHERE campaign_id = ? ORDER BY id DESC LIMIT 1000) AS newest"
)
"""When the last call of a campaign ended; a call that began a thousand calls earlier is not looked at. Parameter: campaign."""

_SUBSCRIBER: Final = (
    "SELECT s.number, s.status, s.contact_id, s.last_attempt_at, s.count_attempt, s.ready_at, a.disposition, a.reason "
    "FROM subscriber s LEFT JOIN attempt a ON a.id = (SELECT max(n.id) FROM attempt n WHERE n.subscriber_id = s.id) "
    "WHERE s.campaign_id = ? AND "
)
SUBSCRIBER: Final = f"{_SUBSCRIBER} s.identity = ?"
"""Parameters: campaign, identity."""
SUBSCRIBERS: Final = f"{_SUBSCRIBER} s.number > ? ORDER BY s.number LIMIT ?"
"""With the last attempt of each. Parameters: campaign, number, how many."""

NEWEST_ATTEMPT: Final = "SELECT coalesce(max(id), 0) FROM attempt"
USE_OF_GATEWAYS: Final = (
    "SELECT gateway_id, count(*), sum(CASE WHEN ended_at IS NULL THEN 1 ELSE 0 END), coalesce(sum(talk_ms), 0) FROM attempt "
    "WHERE id > ? AND id <= ? GROUP BY gateway_id"
)
"""Calls, those that are open, and milliseconds talked, of a block of attempts. Parameters: the id before it, its last id."""
