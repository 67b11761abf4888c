"""The SQL of figures that are asked for again and again: each a few steps in an index, however many rows there are."""

from __future__ import annotations

from typing import Final

PROGRESS: Final = (
    "SELECT status, subscribers, (SELECT min(ready_at) FROM subscriber WHERE campaign_id = ? AND status = 1), "
    "(SELECT held_by FROM subscriber WHERE campaign_id = ? AND status = 1 ORDER BY ready_at, id LIMIT 1), "
    "(SELECT blocked_by FROM subscriber WHERE campaign_id = ? AND status = 1 ORDER BY ready_at, id LIMIT 1) "
    "FROM subscriber_count WHERE campaign_id = ?"
)
"""Subscribers by status, when the first of those pending is ready, why it waits, and the word for that. Parameter: campaign,
four times."""

CAMPAIGNS_BY_STATUS: Final = (
    "SELECT status, pause_reason <> '', count(*) FROM campaign WHERE archived_at IS NULL GROUP BY status, pause_reason <> ''"
)
"""The second column tells those that the dialer itself has paused."""

COUNTS_OF_STARTED: Final = (
    "SELECT n.campaign_id, n.status, n.subscribers FROM campaign c JOIN subscriber_count n ON n.campaign_id = c.id "
    "WHERE c.status = 1 AND c.id > ? AND c.id <= ? AND n.subscribers > 0"
)
FIRST_READY: Final = (
    "SELECT c.id, (SELECT min(s.ready_at) FROM subscriber s WHERE s.campaign_id = c.id AND s.status = 1), "
    "(SELECT s.held_by FROM subscriber s WHERE s.campaign_id = c.id AND s.status = 1 ORDER BY s.ready_at, s.id LIMIT 1), "
    "(SELECT s.blocked_by FROM subscriber s WHERE s.campaign_id = c.id AND s.status = 1 ORDER BY s.ready_at, s.id LIMIT 1) "
    "FROM campaign c "
    "WHERE c.status = 1 AND c.id > ? AND c.id <= ?"
)
"""Of the started campaigns, when the first of those pending is ready, why it waits, and the word for that. Parameters of both:
the id before these, their last."""

LAST_END: Final = (
    "SELECT max(ended_at) FROM (SELECT ended_at FROM attempt WHERE campaign_id = ? "
    "ORDER BY planned_at DESC, id DESC LIMIT 1000) AS newest"
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
LAST_OF_SUBSCRIBERS: Final = (
    "SELECT number FROM subscriber WHERE campaign_id = ? AND number > ? ORDER BY number LIMIT 1 OFFSET ?"
)
"""The last of some that follow each other. Parameters: campaign, number, how many there are before it."""


def subscribers_between(statuses: int, *, to_the_end: bool = False) -> str:
    """Those with one of so many statuses. Parameters: campaign, the number before them, their last number unless they go to
    the end, statuses."""
    bound = "" if to_the_end else "AND s.number <= ? "
    return f"{_SUBSCRIBER} s.number > ? {bound}AND s.status IN ({', '.join('?' * statuses)}) ORDER BY s.number"


NEWEST_ATTEMPT: Final = "SELECT coalesce(max(id), 0) FROM attempt"
USE_OF_GATEWAYS: Final = (
    "SELECT gateway_id, count(*), sum(CASE WHEN ended_at IS NULL THEN 1 ELSE 0 END), coalesce(sum(talk_ms), 0) FROM attempt "
    "WHERE id > ? AND id <= ? GROUP BY gateway_id UNION ALL SELECT second_gateway_id, 0, count(*), 0 FROM attempt "
    "WHERE id > ? AND id <= ? AND second_gateway_id IS NOT NULL AND ended_at IS NULL GROUP BY second_gateway_id"
)
"""Attempts, calls that are open (second legs, too), and milliseconds talked, of a block of attempts; a gateway may have two
rows. Parameters: the id before it, its last id, twice."""

OPEN_BY_GATEWAY: Final = (
    "SELECT gateway_id, count(*) FROM attempt WHERE ended_at IS NULL GROUP BY gateway_id UNION ALL "
    "SELECT second_gateway_id, count(*) FROM attempt WHERE second_gateway_id IS NOT NULL AND ended_at IS NULL "
    "GROUP BY second_gateway_id"
)
"""First and second legs: a gateway may have two rows."""
OPEN_BY_CAMPAIGN: Final = "SELECT campaign_id, count(*) FROM attempt WHERE ended_at IS NULL GROUP BY campaign_id"
COUNTS_OF_ALL: Final = "SELECT campaign_id, status, subscribers FROM subscriber_count"

STANDING: Final = (
    "SELECT id, number, status, requested_status, ready_at, contact_id, blocked_by FROM subscriber "
    "WHERE campaign_id = ? AND identity = ?"
)
OF_CONTACT: Final = (
    "SELECT s.number, s.identity FROM subscriber s WHERE s.campaign_id = ? AND (s.contact_id = ? OR s.identity = "
    "(SELECT k.identity FROM contact k WHERE k.id = ? AND k.archived_at IS NULL AND k.phonebook_id IN "
    "(SELECT l.phonebook_id FROM campaign_phonebook l WHERE l.campaign_id = s.campaign_id))) LIMIT 1"
)
"""The subscriber of a contact, or of its number. Parameters: campaign, contact, twice."""
TIME_ZONE: Final = "SELECT k.time_zone FROM subscriber s JOIN contact k ON k.id = s.contact_id WHERE s.id = ?"
"""Where the contact of a subscriber is known to be. Parameter: subscriber."""
TRIES: Final = "SELECT planned_at, ended_at, disposition, cause, reason FROM attempt WHERE subscriber_id = ? ORDER BY id"
"""Parameter: subscriber."""
BLOCKED: Final = (
    "SELECT blocked_by, sum(CASE status WHEN 7 THEN 1 ELSE 0 END), sum(CASE status WHEN 1 THEN 1 ELSE 0 END) FROM subscriber "
    "WHERE campaign_id = ? AND blocked_by IS NOT NULL AND status IN (1, 7) GROUP BY blocked_by ORDER BY blocked_by"
)
"""What contacts of a campaign are blocked by or wait for, and how many of either. Parameter: campaign."""
CALLED_ELSEWHERE: Final = (
    "SELECT c.name FROM attempt a JOIN campaign c ON c.id = a.campaign_id WHERE a.identity = ? AND a.ended_at IS NULL "
    "AND a.campaign_id <> ?"
)
"""Parameters: identity, campaign."""

OUTCOMES: Final = (
    "SELECT s.identity, s.number, k.first_name, k.last_name, s.status, s.count_attempt, a.disposition, a.cause, a.reason, "
    "a.planned_at, a.ended_at, a.talk_ms FROM subscriber s JOIN contact k ON k.id = s.contact_id LEFT JOIN attempt a "
    "ON a.id = (SELECT max(n.id) FROM attempt n WHERE n.subscriber_id = s.id) WHERE s.campaign_id = ? AND s.identity > ? "
    "ORDER BY s.identity LIMIT ?"
)
"""Contacts with their last attempts, in the order of an index that there is. Parameters: campaign, the last identity before
these, how many."""
