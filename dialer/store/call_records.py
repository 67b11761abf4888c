"""The SQL of call records: attempts with what they refer to, in the order of their begin, looked for step by step.

Among five million attempts, those that are wanted may be few and far between. So a list is walked along an index: that of a
number, of a campaign, or of the moments at which attempts were begun; a user's own is the merger of its campaigns', unless it
has so many (each call without a campaign is one) that to look into each would take longer than a step may. One step looks at
a bounded number of attempts, whether they are wanted or not, and tells how far it came. Between two steps, the database serves
others.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

import orjson
from attrs import evolve, frozen

from dialer.store.connection import LISTED, Connection, Dialect, Row
from dialer.store.record_columns import FACTS, NAMES, SELECTED, Form, Record, RecordColumn, as_object, record
from dialer.store.times import from_column, to_column

__all__ = [
    "FACTS",
    "NAMES",
    "Form",
    "Record",
    "RecordColumn",
    "RecordFilter",
    "RecordPlace",
    "Step",
    "as_object",
    "has_campaign",
    "oldest",
    "one",
    "step",
]  # fmt: skip

MOST_LOOKED_AT: Final = 2000
"""Attempts that one step looks at: some milliseconds on the database thread, for which others wait."""

_JOINED: Final = (
    f"SELECT {SELECTED} FROM attempt a JOIN subscriber s ON s.id = a.subscriber_id "  # noqa: S608
    "JOIN contact k ON k.id = s.contact_id JOIN campaign c ON c.id = a.campaign_id JOIN gateway g ON g.id = a.gateway_id "
)
THESE: Final = LISTED.within(f"{_JOINED}WHERE a.id IN (SELECT CAST(j.value AS BIGINT) FROM %s)")  # noqa: S608
"""Parameter: a JSON list of ids."""
ONE: Final = f"{_JOINED}WHERE a.call_uuid = ? AND (? OR c.user_id = ?)"
"""Parameters: call UUID, whether it may be anybody's, user."""
HAS_CAMPAIGN: Final = "SELECT 1 FROM campaign c WHERE c.id = ? AND (? OR c.user_id = ?)"
"""Also one that was removed: its records stay. Parameters: campaign, whether it may be anybody's, user."""
OLDEST: Final = "SELECT planned_at FROM attempt ORDER BY planned_at, id LIMIT 1"

Key = tuple[str, int]
"""Where an attempt stands in the order: when it was begun, as its column has it, and its id."""


Statement = tuple[str, tuple[object, ...]]
"""A text with its parameters."""


@frozen(order=True)
class RecordPlace:
    """Where in the order a step ended: behind an attempt."""

    planned_at: datetime
    id: int


@frozen(kw_only=True)
class RecordFilter:
    """Which attempts: of a campaign; of a user's campaigns; to a number, by its identity; begun in a span of time; with an end
    of this kind or cause; through a gateway; answered or not; over or not; all of them unless it is given. The oldest come
    first, or the `newest_first`."""

    campaign_id: int | None = None
    user_id: int | None = None
    identity: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    disposition: str | None = None
    cause: str | None = None
    gateway_id: int | None = None
    answered: bool | None = None
    ended: bool | None = None
    newest_first: bool = False
    in_time: bool = False
    """Whether a user's are looked for among those of all, rather than in each of its campaigns."""

    @property
    def merges(self) -> bool:
        """Whether the way leads along several campaigns at once."""
        return self.user_id is not None and self.campaign_id is None and self.identity is None and not self.in_time

    @property
    def narrows(self) -> bool:
        """Whether some of the attempts on the way are not wanted."""
        return bool(self._conditions)

    @property
    def wanted(self) -> Statement:
        """The condition that only the attempts meet that are asked for."""
        conditions = self._conditions
        text = " AND ".join(text for text, _ in conditions)
        return f"({text})" if text else "1", tuple(value for _, given in conditions for value in given)

    @property
    def _conditions(self) -> list[tuple[str, tuple[object, ...]]]:
        """Those that the way along an index does not meet by itself."""
        found: list[tuple[str, tuple[object, ...]]] = []
        if self.identity is not None and self.campaign_id is not None:
            found.append(("a.campaign_id = ?", (self.campaign_id,)))
        elif self.campaign_id is None and self.user_id is not None and not self.merges:
            found.append(("(SELECT c.user_id FROM campaign c WHERE c.id = a.campaign_id) = ?", (self.user_id,)))
        for column, given in (("disposition", self.disposition), ("cause", self.cause), ("gateway_id", self.gateway_id)):
            if given is not None:
                found.append((f"a.{column} = ?", (given,)))
        for column, there in (("answered_at", self.answered), ("ended_at", self.ended)):
            if there is not None:
                found.append((f"a.{column} IS {'NOT ' if there else ''}NULL", ()))
        return found


@frozen
class Step:
    """What a step has found: records in their order, and the place behind which the next one begins; None at the end."""

    records: list[Record]
    place: RecordPlace | None


FIRST_CHUNK: Final = 8
LARGEST_CHUNK: Final = 512
"""Attempts of one of many campaigns that are read at once: most of their campaigns have few in a page."""
MOST_MERGED: Final = 1000
"""Campaigns of a user into each of which a step looks: 30 milliseconds."""
HAS_MORE: Final = "SELECT 1 FROM campaign WHERE user_id = ? LIMIT 1 OFFSET ?"
"""Parameters: user, campaigns."""


def walk(filter_: RecordFilter, after: Key | None, campaign_id: int | None, dialect: Dialect = Dialect.SQLITE) -> Statement:
    """Along the attempts to the number, or those of a campaign, or all of them, from behind a place. A limit follows."""
    wanted, values = filter_.wanted
    way, bounds = _way(filter_, after, dialect, campaign_id)
    return f"SELECT a.planned_at, a.id, {wanted} FROM {way} LIMIT ?", (*values, *bounds)  # noqa: S608


def firsts(filter_: RecordFilter, after: Key | None, dialect: Dialect = Dialect.SQLITE) -> Statement:
    """The first attempt of each campaign of the user that has one, with that campaign."""
    wanted, values = filter_.wanted
    way, bounds = _way(filter_, after, dialect, "c.id")
    text = (
        f"SELECT a.planned_at, a.id, {wanted}, a.campaign_id FROM attempt a WHERE a.id IN "  # noqa: S608
        f"(SELECT (SELECT a.id FROM {way} LIMIT 1) FROM campaign c WHERE c.user_id = ?)"
    )
    return text, (*values, *bounds, filter_.user_id)


def _way(filter_: RecordFilter, after: Key | None, dialect: Dialect, campaign: int | str | None) -> Statement:
    """What stands behind FROM, for the index of the number, else that of the `campaign` (by its id, or by a column that has
    it), else that of time. The place stands for the bound on its side: of two, a database may begin at the wrong one."""
    newest_first = filter_.newest_first
    if campaign is not None and filter_.identity is None and dialect is Dialect.POSTGRESQL:
        return _of_campaign_on_server(filter_, after, campaign)
    bounds: list[tuple[str, tuple[object, ...]]] = []
    if filter_.identity is not None:
        bounds.append(("a.identity = ?", (filter_.identity,)))
    elif isinstance(campaign, str):
        bounds.append((f"a.campaign_id = {campaign}", ()))
    elif campaign is not None:
        bounds.append(("a.campaign_id = ?", (campaign,)))
    if after is not None:
        bounds.append((f"(a.planned_at, a.id) {'<' if newest_first else '>'} (?, ?)", after))
    if filter_.since is not None and (after is None or newest_first):
        bounds.append(("a.planned_at >= ?", (to_column(filter_.since),)))
    if filter_.until is not None and (after is None or not newest_first):
        bounds.append(("a.planned_at < ?", (to_column(filter_.until),)))
    where = f"WHERE {' AND '.join(text for text, _ in bounds)} " if bounds else ""
    direction = " DESC" if newest_first else ""
    order = f"ORDER BY a.planned_at{direction}, a.id{direction}"
    return f"attempt a {where}{order}", tuple(value for _, given in bounds for value in given)


def _of_campaign_on_server(filter_: RecordFilter, after: Key | None, campaign: int | str) -> Statement:
    """The same for a campaign on a server, which would look for it among the attempts of all in the order of time: its
    index is the only one that has this order."""
    column, own = (campaign, ()) if isinstance(campaign, str) else ("?", (campaign,))

    def bound(operator: str, *more: object) -> tuple[str, tuple[object, ...]]:
        columns = ", ".join(("a.campaign_id", "a.planned_at", "a.id")[: 1 + len(more)])
        return f"({columns}) {operator} ({', '.join([column, *'?' * len(more)])})", (*own, *more)

    newest_first = filter_.newest_first
    first, last = bound(">="), bound("<=")
    if filter_.since is not None:
        first = bound(">=", to_column(filter_.since))
    if filter_.until is not None:
        last = bound("<", to_column(filter_.until))
    if after is not None and newest_first:
        last = bound("<", *after)
    elif after is not None:
        first = bound(">", *after)
    direction = " DESC" if newest_first else ""
    order = ", ".join(f"{name}{direction}" for name in ("a.campaign_id", "a.planned_at", "a.id"))
    return f"attempt a WHERE {first[0]} AND {last[0]} ORDER BY {order}", (*first[1], *last[1])


def step(connection: Connection, filter_: RecordFilter, after: RecordPlace | None, limit: int) -> Step:
    """The next records behind a place, at most `limit`; fewer, or none, when those that are wanted are rare."""
    if filter_.merges and connection.execute(HAS_MORE, (filter_.user_id, MOST_MERGED)).fetchone() is not None:
        filter_ = evolve(filter_, in_time=True)
    last = None if after is None else (to_column(after.planned_at), after.id)
    most = MOST_LOOKED_AT if filter_.narrows else limit
    ids: list[int] = []
    looked_at, over = 0, True
    for planned_at, attempt_id, is_wanted, *_ in _in_order(connection, filter_, last, most + 1):
        if looked_at == most or len(ids) == limit:
            over = False
            break
        last, looked_at = (planned_at, attempt_id), looked_at + 1
        if is_wanted:
            ids.append(attempt_id)
    place = None if over or last is None else RecordPlace(from_column(last[0]), last[1])
    return Step(_records(connection, ids), place)


def _in_order(connection: Connection, filter_: RecordFilter, after: Key | None, limit: int) -> Iterator[Row]:
    """At most `limit` of the attempts behind a place, wanted or not: when each was begun, its id, whether it is wanted."""
    if not filter_.merges:
        text, values = walk(filter_, after, filter_.campaign_id, connection.dialect)
        return iter(connection.execute(text, (*values, limit)).fetchall())
    heads = connection.execute(*firsts(filter_, after, connection.dialect)).fetchall()
    ways = [_of_campaign(connection, filter_, head) for head in heads]
    return islice(heapq.merge(*ways, key=_key, reverse=filter_.newest_first), limit)


def _of_campaign(connection: Connection, filter_: RecordFilter, head: Row) -> Iterator[Row]:
    """The attempts of a campaign from its first one on, read only when their turn comes."""
    yield head
    after, size, campaign_id = _key(head), FIRST_CHUNK, head[3]
    while True:
        text, values = walk(filter_, after, campaign_id, connection.dialect)
        rows = connection.execute(text, (*values, size)).fetchall()
        yield from rows
        if len(rows) < size:
            return
        after, size = _key(rows[-1]), min(size * 4, LARGEST_CHUNK)


def _key(row: Row) -> Key:
    return row[0], row[1]


def _records(connection: Connection, ids: list[int]) -> list[Record]:
    if not ids:
        return []
    rows = connection.execute(THESE.of(connection), (orjson.dumps(ids).decode(),)).fetchall()
    by_id = {row[0]: record(row) for row in rows}
    return [by_id[each] for each in ids if each in by_id]


def one(connection: Connection, call_uuid: str, user_id: int | None) -> Record | None:
    """The record of a call, of that user's campaigns where it is given; None when there is none."""
    row = connection.execute(ONE, (call_uuid, user_id is None, user_id or 0)).fetchone()
    return None if row is None else record(row)


def has_campaign(connection: Connection, campaign_id: int, user_id: int | None) -> bool:
    """Whether there is such a campaign, be it one that was removed; one of that user's where it is given."""
    return connection.execute(HAS_CAMPAIGN, (campaign_id, user_id is None, user_id or 0)).fetchone() is not None


def oldest(connection: Connection) -> datetime | None:
    """When the oldest attempt that is kept was begun; None when there is none."""
    row = connection.execute(OLDEST).fetchone()
    return None if row is None else from_column(row[0])
