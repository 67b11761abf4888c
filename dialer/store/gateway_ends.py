"""The SQL of how the newest calls through a gateway ended."""

from __future__ import annotations

from typing import Final

NEWEST: Final = 20_000
"""Attempts that are looked at, whatever their gateway: some milliseconds."""

ENDS: Final = (
    "SELECT a.disposition, a.cause, coalesce(a.sip_status, 0), count(*), max(a.ended_at) FROM ("
    "SELECT campaign_id, gateway_id, disposition, cause, sip_status, ended_at FROM attempt WHERE planned_at >= ? "
    "ORDER BY planned_at DESC, id DESC LIMIT ?) AS a JOIN campaign c ON c.id = a.campaign_id "
    "WHERE a.gateway_id = ? AND a.ended_at IS NOT NULL AND (? OR c.user_id = ?) "
    "GROUP BY a.disposition, a.cause, coalesce(a.sip_status, 0) ORDER BY count(*) DESC, a.cause LIMIT ?"
)
"""Parameters: since, `NEWEST`, gateway, whether anybody's, user, how many."""
