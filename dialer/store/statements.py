"""The SQL of the flow, apart from what runs it. Parameters are `?`; status numbers stand in the text where a partial index
needs to see them (1 is START, 6 IN_PROCESS, 7 NOT_AUTHORISED of `SubscriberStatus`; 1 is START of `CampaignStatus`)."""

from __future__ import annotations

from dialer.store.connection import Variants
from dialer.store.mapping import ATTEMPT_COLUMNS, CANDIDATE_COLUMNS, read_campaign, read_contact, read_gateway
from dialer.store.may_call import BLOCKED

GATEWAYS = f"SELECT {read_gateway.columns} FROM gateway g ORDER BY g.id"
GATEWAY = f"SELECT {read_gateway.columns} FROM gateway g WHERE g.id = ?"

CONTACT = f"SELECT {read_contact.columns} FROM contact k WHERE k.id = ?"

_STARTED = (
    f"SELECT {read_campaign.columns}, u.rules FROM campaign c JOIN voip_app v ON v.id = c.voip_app_id "
    "JOIN user_account u ON u.id = c.user_id WHERE c.status = 1"
)
STARTED_CAMPAIGNS = f"{_STARTED} ORDER BY c.id"
"""The last column has the settings of the user."""

CAMPAIGN = f"SELECT {read_campaign.columns} FROM campaign c JOIN voip_app v ON v.id = c.voip_app_id WHERE c.id = ?"

STARTED_PAGE = f"{_STARTED} AND c.archived_at IS NULL AND c.id > ? ORDER BY c.id LIMIT ?"
"""The same, a page of them. Parameters: the last id before these, how many."""

READY_CAMPAIGNS = (
    "WITH RECURSIVE pending (id) AS (SELECT min(s.campaign_id) FROM subscriber s WHERE s.status = 1 UNION ALL "
    "SELECT (SELECT min(s.campaign_id) FROM subscriber s WHERE s.status = 1 AND s.campaign_id > pending.id) "
    "FROM pending WHERE pending.id IS NOT NULL) "
    "SELECT c.id FROM pending JOIN campaign c ON c.id = pending.id WHERE c.status = 1 AND (SELECT 1 FROM subscriber s "
    "WHERE s.campaign_id = c.id AND s.status = 1 AND s.ready_at <= ? LIMIT 1) IS NOT NULL"
)
"""The started campaigns that have somebody to call: from one campaign with pending subscribers to the next, by the index of
these, so that it reads nothing of the others. Not EXISTS, of which a server may make a join that reads every ready subscriber.
Parameter: now."""

_NO_OPEN_ATTEMPT = "NOT EXISTS (SELECT 1 FROM attempt o WHERE o.identity = s.identity AND o.ended_at IS NULL)"
LANE = "CASE WHEN s.count_attempt = 0 AND s.free_retries = 0 THEN 0 ELSE 1 END"
"""The lane of a subscriber: 0 for a new contact, 1 for a retry. The index has the same expression, letter for letter."""

_SOMEBODY_READY = (
    "(SELECT 1 FROM subscriber s WHERE s.campaign_id = ? AND s.status = 1 AND s.priority = level.priority "
    f"AND {LANE} = {{}} AND s.ready_at <= ? LIMIT 1) IS NOT NULL"
)
LANES = (
    "WITH RECURSIVE level (priority) AS (SELECT max(s.priority) FROM subscriber s WHERE s.campaign_id = ? AND s.status = 1 "
    "UNION ALL SELECT (SELECT max(s.priority) FROM subscriber s WHERE s.campaign_id = ? AND s.status = 1 "
    "AND s.priority < level.priority) FROM level WHERE level.priority IS NOT NULL) "
    f"SELECT priority, {_SOMEBODY_READY.format(0)}, {_SOMEBODY_READY.format(1)} FROM level WHERE priority IS NOT NULL"
)
"""The priorities of a campaign's pending subscribers, the highest first, and whether there are ready ones in the lane of new
contacts and in that of retries: from one priority to the next, by the index. Parameters: campaign, campaign; campaign, now;
campaign, now."""

READY = (
    f"SELECT {CANDIDATE_COLUMNS}, s.ready_at, {BLOCKED} FROM subscriber s "
    f"WHERE s.campaign_id = ? AND s.status = 1 AND s.priority = ? AND {LANE} = ? AND s.ready_at <= ? "
    f"AND {_NO_OPEN_ATTEMPT} ORDER BY s.ready_at, s.id LIMIT ?"
)
"""Those of a lane. Parameters: those of `BLOCKED`, campaign, priority, lane, now, limit. The last column tells of those that
may not be called why not: null for the others."""

HELD = "SELECT held_by, blocked_by FROM subscriber WHERE campaign_id = ? AND status = 1 ORDER BY ready_at, id LIMIT 1"
"""Why the first of those pending waits, and the word for that. Parameter: campaign."""

COUNTS = "SELECT status, subscribers FROM subscriber_count WHERE campaign_id = ?"

WAITING = "SELECT count(*), min(ready_at) FROM subscriber WHERE campaign_id = ? AND status = 1 AND ready_at > ?"

ADVANCE_CAMPAIGN = "UPDATE campaign SET next_call_at = ? WHERE id = ? AND (next_call_at IS NULL OR next_call_at < ?)"
"""Parameters: next call at, campaign, next call at."""

ADVANCE_GATEWAY = "UPDATE gateway SET next_call_at = ? WHERE id = ? AND (next_call_at IS NULL OR next_call_at < ?)"
"""Parameters: next call at, gateway, next call at."""

LOCK_CAMPAIGN = "SELECT frequency, max_concurrent, next_call_at FROM campaign WHERE id = ? AND status = 1 FOR NO KEY UPDATE"
"""For a server. Who refers to the row, as a new attempt does, need not wait. Parameter: campaign."""

OPEN_OF_CAMPAIGN = "SELECT count(*) FROM attempt WHERE campaign_id = ? AND ended_at IS NULL"
OPEN_OF_GATEWAY = (
    "SELECT (SELECT count(*) FROM attempt WHERE gateway_id = ? AND ended_at IS NULL) "
    "+ (SELECT count(*) FROM attempt WHERE second_gateway_id = ? AND ended_at IS NULL)"
)
"""First and second legs. Parameters: gateway, twice."""

BEGIN_SECOND_LEG = "UPDATE attempt SET second_gateway_id = ? WHERE call_uuid = ? AND ended_at IS NULL AND owner = ?"
END_SECOND_LEG = (
    "UPDATE attempt SET second_gateway_id = NULL WHERE call_uuid = ? AND second_gateway_id IS NOT NULL AND owner = ?"
)

MOVE = (
    "UPDATE attempt SET state = ?, moved_at = ?, core_uuid = coalesce(?, core_uuid), rang_at = coalesce(rang_at, ?), "
    "answered_at = coalesce(answered_at, ?), sent_at = coalesce(sent_at, ?) WHERE id = ? AND ended_at IS NULL AND owner = ?"
)

END_ATTEMPT = (
    "UPDATE attempt SET state = 'ended', ended_at = ?, cause = ?, disposition = ?, counts_as_attempt = ?, reason = ?, "
    "q850 = ?, sip_status = ?, sip_disposition = ?, sent_at = coalesce(sent_at, ?), rang_at = coalesce(?, rang_at), "
    "answered_at = coalesce(?, answered_at), ring_ms = ?, talk_ms = ?, duration_ms = ?, machine = ?, session = ?, "
    "second_gateway_id = NULL "
    "WHERE id = ? AND ended_at IS NULL AND owner = ?"
)

END_UNRECORDED_ATTEMPT = f"{END_ATTEMPT} AND pending_cdr IS NULL"
"""One statement: a record that is kept at the same moment is either seen here or finds the attempt ended."""

SETTLE_SUBSCRIBER = (
    "UPDATE subscriber SET status = coalesce(requested_status, ?), "
    "ready_at = CASE coalesce(requested_status, ?) WHEN 1 THEN coalesce(?, ready_at) END, requested_status = NULL, "
    "count_attempt = count_attempt + ?, free_retries = CASE ? WHEN 1 THEN 0 ELSE free_retries + 1 END, "
    "last_attempt_at = coalesce(?, last_attempt_at), tally = coalesce(?, tally) "
    "WHERE id = ? AND status = 6 RETURNING status, count_attempt"
)
"""The status that a user asked for while the call was live wins over the decision. Parameters: decided status (twice), when it
is ready should it be pending, whether the attempt counts (twice), the attempt's time when it counts, its tally where that
changes, subscriber."""

PAUSE_CAMPAIGN = "UPDATE campaign SET status = 2, pause_reason = ? WHERE id = ? AND status = 1"
"""By the dialer itself. Parameters: why, campaign."""

KEEP_CDR = "UPDATE attempt SET pending_cdr = ? WHERE call_uuid = ? AND ended_at IS NULL"
PENDING_CDR = "SELECT pending_cdr FROM attempt WHERE id = ? AND ended_at IS NULL AND owner = ? AND pending_cdr IS NOT NULL"

ADOPT_OPEN = "UPDATE attempt SET owner = ?, epoch = epoch + 1 WHERE ended_at IS NULL AND owner <> ?"

OPEN_ATTEMPTS = (
    f"SELECT {ATTEMPT_COLUMNS}, {CANDIDATE_COLUMNS}, {read_campaign.columns}, {read_gateway.columns} FROM attempt a "
    "JOIN subscriber s ON s.id = a.subscriber_id JOIN campaign c ON c.id = a.campaign_id "
    "JOIN voip_app v ON v.id = c.voip_app_id JOIN gateway g ON g.id = a.gateway_id "
    "WHERE a.owner = ? AND a.ended_at IS NULL ORDER BY a.id"
)

_UNEXPLAINED = "ended_at IS NOT NULL AND cause IN ('UNKNOWN', 'LOST_SWITCH') AND q850 IS NULL"
"""FreeSWITCH's own UNKNOWN brings a code."""

RECORDED_ATTEMPT = (
    f"SELECT a.owner, a.ended_at IS NOT NULL, {_UNEXPLAINED}, coalesce(a.machine, 0), {ATTEMPT_COLUMNS}, {CANDIDATE_COLUMNS}, "
    f"{read_campaign.columns}, {read_gateway.columns} FROM attempt a "
    "JOIN subscriber s ON s.id = a.subscriber_id JOIN campaign c ON c.id = a.campaign_id "
    "JOIN voip_app v ON v.id = c.voip_app_id JOIN gateway g ON g.id = a.gateway_id WHERE a.call_uuid = ?"
)

CORRECT_ATTEMPT = (
    "UPDATE attempt SET ended_at = ?, cause = ?, disposition = ?, reason = ?, q850 = ?, sip_status = ?, sip_disposition = ?, "
    "rang_at = coalesce(?, rang_at), answered_at = coalesce(?, answered_at), ring_ms = ?, talk_ms = ?, duration_ms = ? "
    f"WHERE id = ? AND {_UNEXPLAINED}"
)
"""Whether it counts stays as it is: that has been acted on."""


def started_among(number: int) -> str:
    """The started ones of so many campaigns. Parameters: their ids."""
    return f"{_STARTED} AND c.id IN ({', '.join('?' * number)}) ORDER BY c.id"


CALL_NO_MORE = (
    "UPDATE subscriber SET status = ?, ready_at = NULL WHERE id = ? AND status IN (1, 4) AND status <> ? "
    "AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.id > ?)"
)
"""Unless it was dialled again, or has that status. Parameters: status, subscriber, status, the attempt that it is about."""


def marks(count: int) -> str:
    """`?, ?, ...` for a list of parameters."""
    return ", ".join("?" * count)


def lock_gateways(count: int) -> Variants:
    """The active ones of `count` gateways. Parameters: gateways."""
    statement = (
        "SELECT id, maximum_call, calls_per_second, next_call_at FROM gateway "
        f"WHERE id IN ({marks(count)}) AND status = 1 ORDER BY id"
    )
    return Variants(sqlite=statement, postgresql=f"{statement} FOR NO KEY UPDATE")


def claimable(count: int) -> Variants:
    """Which of `count` subscribers may still be called; those whose row another process has locked are left to it.
    Parameters: those of `BLOCKED`, now, subscribers."""
    statement = (
        f"SELECT s.id, s.count_attempt, s.free_retries, s.tally, s.identity, {BLOCKED} FROM subscriber s "
        "JOIN campaign c ON c.id = s.campaign_id AND c.status = 1 "
        f"WHERE s.ready_at <= ? AND s.id IN ({marks(count)}) AND s.status = 1 AND {_NO_OPEN_ATTEMPT}"
    )
    return Variants(sqlite=statement, postgresql=f"{statement} FOR NO KEY UPDATE OF s SKIP LOCKED")


def statuses_of(count: int) -> str:
    """Parameters: campaigns."""
    return f"SELECT id, status FROM campaign WHERE id IN ({marks(count)})"


def claim(count: int) -> str:
    """The claimed subscribers are in process. Parameters: subscribers."""
    return (
        f"UPDATE subscriber SET status = 6, held_from = NULL, held_by = NULL, blocked_by = NULL WHERE id IN ({marks(count)})"
    )


def refuse(count: int) -> str:
    """These subscribers are not called until they are looked at again. Parameters: why, the word for that, subscribers."""
    return (
        "UPDATE subscriber SET status = 7, held_from = coalesce(held_from, ready_at), ready_at = NULL, held_by = ?, "
        f"blocked_by = ? WHERE id IN ({marks(count)}) AND status = 1"
    )


def forbid(count: int) -> str:
    """These subscribers are never called. Parameters: what for, subscribers."""
    return (
        "UPDATE subscriber SET status = 7, ready_at = NULL, held_from = NULL, held_by = NULL, blocked_by = ? "
        f"WHERE id IN ({marks(count)}) AND status = 1"
    )


def insert_attempts(count: int) -> str:
    """New attempts, but for numbers to which one is open; gives the id of each call UUID."""
    columns = (
        "call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, number_of_attempt, state, owner, "
        "epoch, core_uuid, planned_at, due_at, deadline, caller_id, caller_name, switch, "
        "pooled_caller_id, caller_day"
    )
    rows = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, 'planned', ?, 1, '', ?, ?, ?, ?, ?, ?, ?, ?)"] * count)
    return (
        f"INSERT INTO attempt ({columns}) VALUES {rows} ON CONFLICT (identity) WHERE ended_at IS NULL DO NOTHING "
        "RETURNING call_uuid, id"
    )


def open_among(count: int) -> str:
    """Which of `count` calls have an open attempt. Parameters: call UUIDs."""
    return f"SELECT call_uuid FROM attempt WHERE call_uuid IN ({marks(count)}) AND ended_at IS NULL"
