"""The SQL of the overview: each statement is for all campaigns at once, and costs the same however many contacts they have."""

from __future__ import annotations

from typing import Final

from dialer.store.connection import LISTED
from dialer.store.mapping import read_campaign

_CAMPAIGNS: Final = (
    f"SELECT {read_campaign.columns} FROM campaign c JOIN voip_app v ON v.id = c.voip_app_id "  # noqa: S608
    "WHERE c.archived_at IS NULL AND (? OR c.user_id = ?)"
)
CAMPAIGNS: Final = f"{_CAMPAIGNS} ORDER BY CASE c.status WHEN 1 THEN 0 WHEN 2 THEN 1 ELSE 2 END, c.id DESC LIMIT ?"
"""The started ones come first, then those that are paused. Parameters: whether anybody's, user, how many."""
CAMPAIGN: Final = f"{_CAMPAIGNS} AND c.id = ?"

_THESE: Final = "(SELECT CAST(j.value AS BIGINT) FROM %s)"

COUNTS: Final = LISTED.within(
    f"SELECT campaign_id, status, subscribers FROM subscriber_count WHERE subscribers > 0 AND campaign_id IN {_THESE}"  # noqa: S608
)
FIRST_READY: Final = LISTED.within(
    "SELECT c.id, (SELECT min(s.ready_at) FROM subscriber s WHERE s.campaign_id = c.id AND s.status = 1), "  # noqa: S608
    "(SELECT s.held_by FROM subscriber s WHERE s.campaign_id = c.id AND s.status = 1 ORDER BY s.ready_at, s.id LIMIT 1), "
    "(SELECT s.blocked_by FROM subscriber s WHERE s.campaign_id = c.id AND s.status = 1 ORDER BY s.ready_at, s.id LIMIT 1), "
    "(SELECT max(s.ready_at) FROM subscriber s WHERE s.campaign_id = c.id AND s.status = 1) "
    f"FROM campaign c WHERE c.id IN {_THESE}"
)
"""When the first of those pending is ready, why it waits, the word for that, and when the last is ready."""
TOTALS: Final = LISTED.within(
    "SELECT campaign_id, sum(attempts), sum(counted), "  # noqa: S608
    "sum(CASE WHEN disposition IN ('ANSWERED', 'MACHINE') THEN attempts ELSE 0 END) "
    f"FROM attempt_count WHERE campaign_id IN {_THESE} GROUP BY campaign_id"
)
"""Attempts that have ended, those that count, those answered. Parameter of all four: a JSON list of ids."""

OPEN: Final = (
    "SELECT campaign_id, gateway_id, state, count(*) FROM attempt WHERE ended_at IS NULL "
    "GROUP BY campaign_id, gateway_id, state"
)
BEGUN: Final = (
    "SELECT campaign_id, gateway_id, count(*), min(planned_at), sum(CASE WHEN planned_at >= ? THEN 1 ELSE 0 END), "
    "sum(CASE WHEN disposition = 'CONGESTION' THEN 1 ELSE 0 END) FROM attempt WHERE planned_at >= ? "
    "GROUP BY campaign_id, gateway_id"
)
"""The calls that were begun of late. Parameters: since when a pace is measured, since when they are read."""

DOWN: Final = "SELECT noun_id FROM told_state WHERE noun = 'gateway'"

_EVENTS: Final = "SELECT id, kind, at, campaign_id, data FROM event WHERE id > (SELECT coalesce(max(id), 0) FROM event) - ? "
EVERY_EVENT: Final = f"{_EVENTS} AND (? OR user_id = ?) ORDER BY id DESC LIMIT ?"
EVENTS: Final = (
    f"{_EVENTS} AND kind NOT LIKE 'attempt.%' AND kind NOT IN ('contact.completed', 'contact.failed') "
    "AND (? OR user_id = ?) ORDER BY id DESC LIMIT ?"
)
"""The newest that are of no single call, unless a contact opts out or may not be called. Parameters: how many are looked at,
whether anybody's, user, how many."""
