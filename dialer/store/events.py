"""Events: written in the transaction of their cause, read in the order of their ids.

Only kinds that some consumer asks for are written (`interests`). A server gives out ids before transactions commit, so that
one with a smaller id may become visible later: a reader goes on past a missing id only when every transaction that may still
write it is over (`read`). A file has one writer, so its ids become visible in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.interfaces.telling import Interest
from dialer.model import Attempt, Event
from dialer.model.event import EVENT_TYPES, EventKind, EventPlace, Told, kinds_of
from dialer.store.connection import LISTED, MOMENT, Connection, Dialect, Variants
from dialer.store.mapping import as_text
from dialer.store.times import to_column
from dialer.stored import reader

_READ = reader(Event, "e")

ADD = (
    "INSERT INTO event (kind, version, at, sequence, user_id, campaign_id, contact_id, attempt_id, call_uuid, data) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

TOLD = "webhook w JOIN user_account u ON u.id = w.user_id WHERE w.status = 'active' AND u.is_active = 1"
"""The webhooks that are told what happens, and their owners."""

SHOWN: Final = "page"
"""The reader that stands for pages on which events are listed."""

INTERESTS = MOMENT.within(
    "SELECT name, kinds FROM event_consumer WHERE expires_at IS NULL OR expires_at > %s "
    f"UNION ALL SELECT '', w.kinds FROM {TOLD}"
)
"""Parameter: now."""

INSTALLATION = "SELECT installation_id FROM installation WHERE id = 1"

_TOLD = (
    f"SELECT {_READ.columns}, coalesce(k.reference, ''), ({INSTALLATION}) "
    "FROM event e LEFT JOIN contact k ON k.id = e.contact_id "
)

AFTER = f"{_TOLD}WHERE e.id > ? ORDER BY e.id LIMIT ?"
"""Parameters: id, limit."""

BETWEEN = f"{_TOLD}WHERE e.id > ? AND e.id <= ? ORDER BY e.id LIMIT ?"
"""Parameters: the id behind which, that up to which, limit."""

NEWEST: Final = LISTED.within(
    f"{_TOLD}WHERE e.id >= ? AND e.id < ? AND (? OR e.user_id = ?) AND (? OR e.campaign_id = ?) "
    "AND e.kind IN (SELECT j.value FROM %s) ORDER BY e.id DESC LIMIT ?"
)
"""Parameters: the first id, the one behind the last, whether anybody's, user, whether of any campaign, campaign, a JSON list
of kinds, how many."""

ONE = f"{_TOLD}WHERE e.id = ?"

LAST = "SELECT coalesce(max(id), 0) FROM event"
OLDEST = "SELECT min(id) FROM event"
GIVEN_OUT = Variants(
    sqlite="SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'",
    postgresql="SELECT coalesce(pg_sequence_last_value(CAST(pg_get_serial_sequence('event', 'id') AS regclass)), 0)",
)
"""The last id that was given out, kept or not: a table that was emptied goes on behind it."""

_OWN_TRANSACTION = "SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"
_OLDEST_TRANSACTION = "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)"

PRUNE: Final = Variants(
    sqlite="DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id <= ? AND at < ? ORDER BY id LIMIT ?)",
    postgresql="DELETE FROM event WHERE id = ANY (ARRAY(SELECT id FROM event WHERE id <= ? AND at < ? ORDER BY id LIMIT ?))",
)
"""Parameters: the last id that may go, the moment before which they go, how many at most. In the order of ids, the old ones
come first."""

_MOVED: Final = (
    "INSERT INTO event (kind, version, at, sequence, user_id, campaign_id, contact_id, attempt_id, call_uuid, data) "
    "SELECT :kind, :version, :moment, :sequence, c.user_id, a.campaign_id, s.contact_id, a.id, a.call_uuid, "
    "CAST(:object('number', a.number, 'number_of_attempt', a.number_of_attempt, 'gateway_id', a.gateway_id, "
    "'caller_id', a.caller_id:more) AS TEXT) "
    "FROM attempt a JOIN subscriber s ON s.id = a.subscriber_id JOIN campaign c ON c.id = a.campaign_id "
    "WHERE a.id = ? AND a.owner = ? AND a.ended_at IS NULL:unless"
)


def _moved(kind: EventKind, column: str = "", more: str = "") -> Variants:
    """The event of an open attempt, when it has not got the moment `column`. `more` are names and values of facts. Parameters:
    moment, those of `more`, attempt, owner."""
    declared = EVENT_TYPES[kind]
    words = {
        "kind": f"'{kind}'",
        "version": str(declared.version),
        "sequence": str(declared.sequence),
        "more": f", {more}" if more else "",
        "unless": f" AND a.{column} IS NULL" if column else "",
    }
    statement = _MOVED
    for word, meaning in words.items():
        statement = statement.replace(f":{word}", meaning)
    return Variants(
        sqlite=statement.replace(":object", "json_object").replace(":moment", "?"),
        postgresql=statement.replace(":object", "json_build_object").replace(":moment", "CAST(? AS TIMESTAMP(6))"),
    )


RANG: Final = _moved(EventKind.ATTEMPT_RINGING, "rang_at")
ANSWERED: Final = _moved(EventKind.ATTEMPT_ANSWERED, "answered_at")
PRESSED: Final = _moved(EventKind.ATTEMPT_DIGITS, more="'digits', CAST(? AS TEXT)")
"""Parameters: moment, the keys, attempt, owner."""


@frozen(kw_only=True)
class About:
    """What an event is about: the ids of rows, as far as there are any."""

    user_id: int | None = None
    campaign_id: int | None = None
    contact_id: int | None = None
    attempt_id: int | None = None
    call_uuid: str = ""


# --- writing ----------------------------------------------------------------------------------------------------------------


def interest(connection: Connection, now: datetime) -> Interest:
    """The kinds that some consumer or webhook asks for, and those that pages list."""
    rows = connection.execute(INTERESTS.of(connection), (to_column(now),)).fetchall()
    asked, shown = (kinds_of(" ".join(kinds for name, kinds in rows if (name == SHOWN) is of)) for of in (False, True))
    return Interest(asked=asked, shown=shown)


def is_wanted(connection: Connection, kind: EventKind, now: datetime) -> bool:
    """Whether an event of that kind is to be written, whose cause is no call."""
    found = interest(connection, now)
    return kind in found.asked or kind in found.shown


def add(connection: Connection, kind: EventKind, at: datetime, about: About, data: Mapping[str, Any]) -> None:
    """Write an event. It is for the caller to know that somebody asks for its kind."""
    connection.execute(ADD, _row(kind, at, about, orjson.dumps(data).decode()))


def add_of_attempt(connection: Connection, kind: EventKind, at: datetime, attempt: Attempt, data: str) -> None:
    """Write an event of an attempt; `data` is JSON."""
    connection.execute(ADD, _row(kind, at, about(attempt), data))


def add_started(connection: Connection, attempts: Sequence[Attempt], at: datetime) -> None:
    """Attempts were begun."""
    connection.executemany(
        ADD,
        [
            _row(EventKind.ATTEMPT_STARTED, at, about(attempt), orjson.dumps(call_facts(attempt)).decode())
            for attempt in attempts
        ],
    )


def add_moves(
    connection: Connection, wanted: frozenset[EventKind], moves: Iterable[tuple[int, str | None, str | None]], owner: str
) -> None:
    """Moves of attempts are about to be written, each an id with the moments of ringing and of the answer; what is new in them
    is told."""
    found = list(moves)
    if EventKind.ATTEMPT_RINGING in wanted:
        rang = [(rang_at, attempt_id, owner) for attempt_id, rang_at, _ in found if rang_at is not None]
        connection.executemany(RANG.of(connection), rang)
    if EventKind.ATTEMPT_ANSWERED in wanted:
        answered = [(answered_at, attempt_id, owner) for attempt_id, _, answered_at in found if answered_at is not None]
        connection.executemany(ANSWERED.of(connection), answered)


def add_pressed(connection: Connection, pressed: Sequence[tuple[str, str, int, str]]) -> None:
    """Callees pressed keys: the parameters of `PRESSED`. An attempt that has ended, or is another node's, tells nothing."""
    if pressed:
        connection.executemany(PRESSED.of(connection), pressed)


def about(attempt: Attempt) -> About:
    """What an event of an attempt is about."""
    plan = attempt.plan
    return About(
        user_id=plan.campaign.user_id,
        campaign_id=plan.campaign.id,
        contact_id=plan.candidate.contact_id,
        attempt_id=attempt.id,
        call_uuid=attempt.call_uuid,
    )


def call_facts(attempt: Attempt) -> dict[str, Any]:
    """The facts of an attempt that are known from its beginning."""
    return {
        "number": attempt.plan.candidate.number,
        "number_of_attempt": attempt.number_of_attempt,
        "gateway_id": attempt.plan.gateway.id,
        "caller_id": attempt.plan.shown.number,
    }


def _row(kind: EventKind, at: datetime, what: About, data: str) -> tuple[object, ...]:
    declared = EVENT_TYPES[kind]
    return (
        str(kind),
        declared.version,
        to_column(at),
        declared.sequence,
        what.user_id,
        what.campaign_id,
        what.contact_id,
        what.attempt_id,
        what.call_uuid,
        as_text(data),
    )


# --- reading ----------------------------------------------------------------------------------------------------------------


def read(connection: Connection, place: EventPlace, limit: int) -> tuple[EventPlace, list[Told]]:
    """The next events, in order, and how far the reader is then. None when nothing is there, or somebody may still write what
    comes before it."""
    events = [told(row) for row in connection.execute(AFTER, (place.position, limit)).fetchall()]
    gap = place.gap
    if connection.dialect is Dialect.POSTGRESQL:
        events, gap = _settled(connection, place, events)
    return EventPlace(events[-1].event.id if events else place.position, gap), events


def _settled(connection: Connection, place: EventPlace, events: list[Told]) -> tuple[list[Told], tuple[int, int] | None]:
    """Those before the first gap that somebody may still fill, and that gap."""
    passed = place.gap[0] if place.gap is not None and _is_over(connection, place.gap[1]) else None
    before = place.position
    for index, one in enumerate(events):
        if one.event.id != before + 1 and before != passed:
            known = place.gap if place.gap is not None and place.gap[0] == before else None
            return events[:index], known or (before, int(connection.execute(_OWN_TRANSACTION).fetchone()[0]))
        before = one.event.id
    return events, None


def _is_over(connection: Connection, transaction: int) -> bool:
    (oldest,) = connection.execute(_OLDEST_TRANSACTION).fetchone()
    return int(oldest) >= transaction


def told(row: Sequence[Any]) -> Told:
    """From a row of `AFTER`, `BETWEEN` or `ONE`."""
    return Told(_READ(row[:-2]), *row[-2:])


def between(connection: Connection, after: int, last: int, limit: int) -> list[Told]:
    """Events by their ids, in order. It is for the caller to know that nobody may still write one of these."""
    return [told(row) for row in connection.execute(BETWEEN, (after, last, limit)).fetchall()]


@frozen(kw_only=True)
class Kept:
    """The events of an installation: the id of the oldest one that is kept, or that the next one will have when none is, and
    that of the newest one, which may not be there yet."""

    installation: str
    oldest: int
    newest: int


def kept(connection: Connection) -> Kept:
    """Which events there are."""
    (newest,) = connection.execute(GIVEN_OUT.of(connection)).fetchone()
    (oldest,) = connection.execute(OLDEST).fetchone()
    (installation,) = connection.execute(INSTALLATION).fetchone()
    return Kept(installation=installation, oldest=int(newest) + 1 if oldest is None else int(oldest), newest=int(newest))


def last(connection: Connection) -> int:
    """The id of the newest event; 0 when there is none."""
    return int(connection.execute(LAST).fetchone()[0])
