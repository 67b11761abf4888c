"""The SQL of statistics: buckets of attempts that have ended, which triggers keep (schema 14), and the course of a campaign.
None of it looks at more rows when a campaign has more contacts, or has made more calls in an hour."""

from __future__ import annotations

from typing import Final

from dialer.store.connection import Connection, Variants

_KEY: Final = "campaign_id, hour, gateway_id, number_of_attempt, disposition, cause"

BUCKETS: Final = (
    "SELECT n.hour, n.gateway_id, n.number_of_attempt, n.disposition, n.cause, n.purged, n.attempts, n.counted, n.talk_ms, "
    "g.name FROM attempt_count n LEFT JOIN gateway g ON g.id = n.gateway_id WHERE n.campaign_id = ? "
    "AND (n.hour, n.gateway_id, n.number_of_attempt, n.disposition, n.cause, n.purged) > (?, ?, ?, ?, ?, ?) "
    "ORDER BY n.hour, n.gateway_id, n.number_of_attempt, n.disposition, n.cause, n.purged LIMIT ?"
)
"""A page of a campaign's buckets. Parameters: campaign, the key of the last one before these, how many."""

LIVE: Final = "SELECT count(*) FROM attempt WHERE campaign_id = ? AND ended_at IS NULL"

NEWEST: Final = 1000
RECENT: Final = (
    "SELECT count(*), min(planned_at) FROM (SELECT planned_at FROM attempt WHERE campaign_id BETWEEN ? AND ? "
    "ORDER BY campaign_id DESC, planned_at DESC, id DESC LIMIT ?) AS newest WHERE planned_at >= ?"
)
"""How many of the newest calls of a campaign were begun of late, and when the first of these. Not by `=`: a server would read
the attempts of all campaigns backwards until it had enough of this one. Parameters: campaign, twice, `NEWEST`, since."""

LAST_READY: Final = "SELECT max(ready_at) FROM subscriber WHERE campaign_id = ? AND status = 1"
"""When the last of those pending is due. Parameter: campaign."""

OF_ALL: Final = (
    "SELECT n.disposition, sum(n.attempts), sum(n.counted), sum(n.talk_ms) FROM campaign c CROSS JOIN attempt_count n "
    "WHERE n.campaign_id = c.id AND c.archived_at IS NULL AND (c.user_id = ? OR ? = 1) AND n.hour >= ? AND n.hour < ? "
    "GROUP BY n.disposition"
)
"""Attempts of the campaigns of a user, by disposition: from campaign to campaign, so that no other hours are read. Parameters:
user, is a superuser, the hours from and to."""
CONTACTS_OF_ALL: Final = (
    "SELECT n.status, sum(n.subscribers) FROM campaign c CROSS JOIN subscriber_count n "
    "WHERE n.campaign_id = c.id AND c.archived_at IS NULL AND (c.user_id = ? OR ? = 1) GROUP BY n.status"
)
CAMPAIGNS_OF_ALL: Final = (
    "SELECT status, count(*) FROM campaign WHERE archived_at IS NULL AND (user_id = ? OR ? = 1) GROUP BY status"
)
LIVE_OF_ALL: Final = (
    "SELECT count(*) FROM attempt n JOIN campaign c ON c.id = n.campaign_id WHERE n.ended_at IS NULL "
    "AND (c.user_id = ? OR ? = 1)"
)
"""Of the three: parameters: user, is a superuser."""

_HOUR: Final = Variants(sqlite="substr(a.planned_at, 1, 13) || ':00:00.000000'", postgresql="date_trunc('hour', a.planned_at)")
_DIFFERENCE: Final = _HOUR.within(
    f"SELECT {_KEY}, CAST(sum(attempts) AS BIGINT) AS attempts, CAST(sum(counted) AS BIGINT) AS counted, "  # noqa: S608
    "CAST(sum(talk_ms) AS BIGINT) AS talk_ms FROM ("
    "SELECT a.campaign_id, %s AS hour, a.gateway_id, a.number_of_attempt, a.disposition, a.cause, 1 AS attempts, "
    "a.counts_as_attempt AS counted, coalesce(a.talk_ms, 0) AS talk_ms FROM attempt a WHERE a.ended_at IS NOT NULL "
    f"UNION ALL SELECT {_KEY}, -attempts, -counted, -talk_ms FROM attempt_count WHERE purged = 0) AS both_sides "
    f"GROUP BY {_KEY} HAVING sum(attempts) <> 0 OR sum(counted) <> 0 OR sum(talk_ms) <> 0"
)
"""By how much the rows that are there are more than was counted of them, in each bucket where that differs."""

MISCOUNTED: Final = _DIFFERENCE.within(
    "SELECT 'campaign ' || campaign_id || ', hour ' || hour || ', gateway ' || gateway_id || ', attempt no. ' || "  # noqa: S608
    "number_of_attempt || ', ' || disposition || ', ' || cause || ': the rows are ' || attempts || ' attempts, ' || counted "
    f"|| ' that count and ' || talk_ms || ' ms more than was counted' FROM (%s) AS d ORDER BY {_KEY}"
)
"""Those buckets, one text each."""

_ADD: Final = _DIFFERENCE.within(
    f"SELECT {_KEY}, 0, {{}}attempts, counted, talk_ms FROM (%s) AS d WHERE true ON CONFLICT ({_KEY}, purged{{}}) "  # noqa: S608
    "DO UPDATE SET attempts = n.attempts + excluded.attempts, counted = n.counted + excluded.counted, "
    "talk_ms = n.talk_ms + excluded.talk_ms"
)
COUNT_AGAIN: Final = Variants(
    sqlite=f"INSERT INTO attempt_count AS n {_ADD.sqlite.format('', '')}",
    # The difference is one more part, as with the counts of subscribers.
    postgresql=f"INSERT INTO attempt_count_part AS n {_ADD.postgresql.format('0, ', ', part')}",
)
"""Adds these differences."""

Key = tuple[str, int, int, str, str, int]
FIRST: Final[Key] = ("0001-01-01 00:00:00.000000", 0, 0, "", "", 0)
"""The key before all."""


Bucket = tuple[str, int, int, str, str, int, int, int, int, str | None]
"""The key: hour, gateway, number of the attempts, disposition, cause, whether they were deleted. Then how many they are, those
that count, their milliseconds of talk, and the name of the gateway, None when it was removed."""


def buckets(connection: Connection, campaign_id: int, after: Key, limit: int) -> list[Bucket]:
    """The next buckets of a campaign behind the key `after`."""
    return connection.execute(BUCKETS, (campaign_id, *after, limit)).fetchall()


def key_of(bucket: Bucket) -> Key:
    """Behind which the next ones are."""
    return bucket[:6]
