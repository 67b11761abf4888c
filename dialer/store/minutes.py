"""The SQL of the pace of a campaign: its newest attempts by the minute in which they were begun."""

from __future__ import annotations

from typing import Final

from dialer.store.connection import Variants

NEWEST: Final = 20_000
"""Attempts that are counted at most, the newest: some milliseconds."""

_MINUTE: Final = Variants(sqlite="substr(planned_at, 1, 16) || ':00.000000'", postgresql="date_trunc('minute', planned_at)")
_COUNTED: Final = (
    "SELECT {minute}, count(*), sum(CASE WHEN answered_at IS NOT NULL THEN 1 ELSE 0 END) FROM ("
    "SELECT planned_at, answered_at FROM attempt WHERE campaign_id BETWEEN ? AND ? "
    "ORDER BY campaign_id DESC, planned_at DESC, id DESC LIMIT ?) AS newest WHERE planned_at >= ? GROUP BY 1 ORDER BY 1"
)
BY_MINUTE: Final = Variants(
    sqlite=_COUNTED.format(minute=_MINUTE.sqlite), postgresql=_COUNTED.format(minute=_MINUTE.postgresql)
)
"""Not by `=`, as with `statistics.RECENT`. Parameters: campaign, twice, `NEWEST`, since."""
