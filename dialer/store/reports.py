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
