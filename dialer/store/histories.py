"""The SQL of a number over all campaigns of a user."""

from __future__ import annotations

from typing import Final

CAMPAIGNS: Final = (
    "SELECT c.id, c.name, c.status, coalesce(s.requested_status, s.status), s.count_attempt, s.last_attempt_at, s.ready_at "
    "FROM campaign c CROSS JOIN subscriber s WHERE s.campaign_id = c.id AND s.identity = ? "
    "AND c.archived_at IS NULL AND (? OR c.user_id = ?) ORDER BY c.id + 0 DESC LIMIT ?"
)
"""Which have the number, the newest first, from campaign to campaign: CROSS JOIN and `+ 0` keep SQLite from reading all
contacts, or all campaigns in that order, in place of the few that are not archived. Parameters: identity, whether anybody's,
user, how many."""

PHONEBOOKS: Final = (
    "SELECT p.id, p.name, k.id, k.number, k.first_name, k.last_name FROM phonebook p JOIN contact k ON k.phonebook_id = p.id "
    "AND k.identity = ? AND k.double_of IS NULL AND k.archived_at IS NULL WHERE p.archived_at IS NULL "
    "AND (? OR p.user_id = ?) ORDER BY p.id DESC LIMIT ?"
)
"""Parameters: the same."""
