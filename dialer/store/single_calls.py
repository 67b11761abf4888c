"""The SQL of calls without a campaign. Each is a campaign of its own, with a phonebook, a contact and a subscriber: whatever
makes the calls of campaigns makes them.

A call that is to be made later sleeps (its subscriber is paused), so that the search for campaigns with somebody to call reads
only what is due. Status numbers are those of `SubscriberStatus` (1 START, 2 PAUSE, 3 ABORT, 6 IN_PROCESS) and of
`CampaignStatus` (3 ABORT, 4 END; below 3 it is not over).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from attrs import define

from dialer.model.contact import SubscriberStatus
from dialer.model.flow import Disposition
from dialer.model.single_call import LastAttempt, SingleCall
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.mapping import campaign_of, contact_of, read_campaign, read_contact
from dialer.store.noun_lists import AT_ONCE, in_chunks
from dialer.store.statements import marks
from dialer.store.times import from_column, from_column_or_none, to_column

AHEAD: Final = timedelta(seconds=20)
"""How long before its time a call is woken: several looks."""

_LAST: Final = (
    "a.call_uuid, a.gateway_id, a.planned_at, a.rang_at, a.answered_at, a.ended_at, a.ring_ms, a.talk_ms, a.disposition, "
    "a.cause, a.sip_status, a.reason"
)
_SUBSCRIBER: Final = "s.status, s.requested_status, s.ready_at, s.count_attempt, s.held_by"
_SUBSCRIBER_WIDTH: Final = 5
_CALLS: Final = (
    f"SELECT {read_campaign.columns}, {read_contact.columns}, {_SUBSCRIBER}, {_LAST} "  # noqa: S608
    "FROM campaign c JOIN voip_app v ON v.id = c.voip_app_id JOIN subscriber s ON s.campaign_id = c.id "
    "JOIN contact k ON k.id = s.contact_id "
    "LEFT JOIN attempt a ON a.id = (SELECT max(x.id) FROM attempt x WHERE x.subscriber_id = s.id) "
)
ID_OF_ONE: Final = "SELECT id FROM campaign WHERE single = 1 AND id = ? AND (? OR user_id = ?)"
"""Parameters: call, whether it may be anybody's, user."""
IDS_OF_USER: Final = "SELECT id FROM campaign WHERE single = 1 AND user_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
IDS_OF_ALL: Final = "SELECT id FROM campaign WHERE single = 1 AND id < ? ORDER BY id DESC LIMIT ?"

SUBSCRIBE: Final = (
    "INSERT INTO subscriber (campaign_id, contact_id, number, identity, status, ready_at, count_attempt, free_retries, "
    "priority) VALUES (?, ?, ?, ?, ?, ?, 0, 0, 9)"
)
"""Parameters: campaign, contact, number, identity, status, when it is ready."""

OPEN_OF_USER: Final = "SELECT count(*) FROM campaign WHERE user_id = ? AND single = 1 AND status < 3"
WITHIN: Final = "SELECT count(*) FROM campaign WHERE user_id = ? AND single = 1 AND starting_at BETWEEN ? AND ?"
"""How many are for a span of time. Parameters: user, moment, moment."""
OPEN_IDS_OF_USER: Final = "SELECT id FROM campaign WHERE user_id = ? AND single = 1 AND status < 3 ORDER BY id"

CANCEL_CONTACT: Final = (
    "UPDATE subscriber SET requested_status = CASE status WHEN 6 THEN 3 END, "
    "ready_at = CASE status WHEN 6 THEN ready_at END, status = CASE status WHEN 6 THEN 6 ELSE 3 END, "
    "held_from = NULL, held_by = NULL, blocked_by = NULL WHERE campaign_id = ? AND status IN (1, 2, 6)"
)
CANCEL: Final = "UPDATE campaign SET status = 3, updated_at = ? WHERE id = ?"
"""Parameters: now, call."""

_AWAKE: Final = "SELECT id, starting_at, expires_at <= ? FROM campaign WHERE single = 1 AND status < 3"
AWAKE_BESIDE: Final = f"{_AWAKE} AND starting_at = ? AND id > ? ORDER BY id LIMIT ?"
AWAKE_BEHIND: Final = f"{_AWAKE} AND starting_at > ? AND starting_at <= ? ORDER BY starting_at, id LIMIT ?"
"""Those that are not over, and whether it is too late for each: which begin when the call before does, and later. One that
sleeps is neither done nor too late. Parameters: now, the begin of the call before, its id or the moment until which calls are
woken, how many. Two statements, since of a pair of bounds SQLite would use the first only."""
_FIRST: Final = ("0001-01-01 00:00:00.000000", 0)
"""A place before every call."""

ANYBODYS: Final = 2**63 - 1
"""A place behind every id."""


def these(count: int) -> str:
    """So many calls, the newest first. They are named by their ids, twice: a server that had to guess how many contacts their
    campaigns have would read those of all campaigns."""
    ids = marks(count)
    return f"{_CALLS}WHERE c.id IN ({ids}) AND s.campaign_id IN ({ids}) ORDER BY c.id DESC"


def wake(count: int) -> str:
    """Those that sleep do not any more. Parameters: calls."""
    return (
        "UPDATE subscriber SET status = 1, ready_at = (SELECT c.starting_at FROM campaign c "  # noqa: S608
        f"WHERE c.id = subscriber.campaign_id) WHERE status = 2 AND campaign_id IN ({marks(count)})"
    )


def expire(count: int) -> str:
    """Those that are not live are not made any more. Parameters: calls."""
    return (
        "UPDATE subscriber SET status = 3, ready_at = NULL, held_from = NULL, held_by = NULL, blocked_by = NULL "  # noqa: S608
        f"WHERE status IN (1, 2) AND campaign_id IN ({marks(count)})"
    )


def unfinished(count: int) -> str:
    """Those that are live, or may be made. Parameters: calls."""
    return f"SELECT campaign_id FROM subscriber WHERE status IN (1, 2, 6) AND campaign_id IN ({marks(count)})"  # noqa: S608


def end(count: int) -> str:
    """Parameters: now, calls."""
    return f"UPDATE campaign SET status = 4, updated_at = ? WHERE status < 3 AND id IN ({marks(count)})"  # noqa: S608


def read(connection: Connection, ids: Sequence[int]) -> list[SingleCall]:
    """The calls of these ids, the newest first."""
    found: list[SingleCall] = []
    for some in in_chunks(ids):
        found += [call_of(row) for row in connection.execute(these(len(some)), (*some, *some)).fetchall()]
    return found


def call_of(row: Sequence[Any]) -> SingleCall:
    """From a row of `these`."""
    own, rest = tuple(row[: read_campaign.width]), tuple(row[read_campaign.width :])
    subscriber = rest[read_contact.width : read_contact.width + _SUBSCRIBER_WIDTH]
    status, requested, ready_at, count_attempt, held_by = subscriber
    return SingleCall(
        campaign=campaign_of(own),
        contact=contact_of(rest[: read_contact.width]),
        status=SubscriberStatus(status),
        requested=None if requested is None else SubscriberStatus(requested),
        ready_at=from_column_or_none(ready_at),
        count_attempt=count_attempt,
        held_by=held_by,
        last=_last(rest[read_contact.width + _SUBSCRIBER_WIDTH :]),
    )


def _last(row: Sequence[Any]) -> LastAttempt | None:
    if row[0] is None:
        return None
    call_uuid, gateway_id, planned_at, rang_at, answered_at, ended_at, ring, talk, disposition, cause, sip_status, reason = row
    return LastAttempt(
        call_uuid=call_uuid,
        gateway_id=gateway_id,
        planned_at=from_column(planned_at),
        rang_at=from_column_or_none(rang_at),
        answered_at=from_column_or_none(answered_at),
        ended_at=from_column_or_none(ended_at),
        ring_ms=ring,
        talk_ms=talk,
        disposition=None if disposition is None else Disposition(disposition),
        cause=cause,
        sip_status=sip_status,
        reason=reason,
    )


def keep_some_going(connection: Connection, now: datetime, before: tuple[Any, int]) -> tuple[Any, int] | None:
    """Of the calls behind a place, wake the first ones whose time comes, and end those that are done or too late: in the order
    in which they begin. Gives the place of the last of them, None when there is none behind."""
    moment = to_column(now)
    awake = connection.execute(AWAKE_BESIDE, (moment, *before, AT_ONCE)).fetchall()
    asked = (moment, before[0], to_column(now + AHEAD), AT_ONCE - len(awake))
    awake += connection.execute(AWAKE_BEHIND, asked).fetchall()
    if not awake:
        return None
    some = [key for key, _, _ in awake]
    connection.execute(wake(len(some)), some)
    late = [key for key, _, is_late in awake if is_late]
    if late:
        connection.execute(expire(len(late)), late)
    left = {key for (key,) in connection.execute(unfinished(len(some)), some)}
    over = [key for key in some if key not in left]
    if over:
        connection.execute(end(len(over)), (moment, *over))
    return (awake[-1][1], some[-1]) if len(some) == AT_ONCE else None


@define(eq=False)
class StoredSingleCalls:
    """The single calls of a database, for the process that makes them."""

    database: Database

    async def keep_going(self, now: datetime) -> None:
        """Wake the calls whose time comes, and end those that are done or too late: some at a time, others come between. Fails
        with `StoreError`."""
        place: tuple[Any, int] | None = _FIRST
        while place is not None:
            place = await self.database.run(partial(keep_some_going, now=now, before=place), may_wait=True)
