"""The subjects of call detail records: attempts by their call UUID, and the correction of ends that nobody could explain.

A pending record is one that came to a process which does not have the attempt; it is kept with the attempt's row. The process
that has the attempt hears of the end by an event, as a rule, and has more to say about the call. When nobody can tell how the
call ended, the pending record does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import orjson
from attrs import asdict, define
from twisted.internet.defer import Deferred

from dialer.cdr import Recorded
from dialer.model import Attempt, AttemptResult, EventKind, Hangup, Signal, SignalKind, SubscriberStatus
from dialer.store import mapping, statements
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.events import about, add, add_of_attempt
from dialer.store.finish import contact_facts, payload
from dialer.store.finish import finish as write_end
from dialer.store.mapping import as_text, in_range
from dialer.store.times import from_column, to_column, to_column_or_none

_NO_MORE_CALLS = {
    SubscriberStatus.FAIL: EventKind.CONTACT_FAILED,
    SubscriberStatus.COMPLETE: EventKind.CONTACT_COMPLETED,
}


_MOMENTS = ("rang_at", "answered_at")
"""Of a hangup, which are texts in JSON."""


@define(eq=False)
class Corrections:
    """`dialer.calls.cdr_reconciler.RecordStore` on a database, which tells of ends by the events that are `wanted`."""

    database: Database
    wanted: Callable[[], frozenset[EventKind]] = frozenset

    def find(self, call_uuid: str) -> Deferred[Recorded | None]:
        return self.database.run(lambda connection: _find(connection, call_uuid))

    def end(self, finish: AttemptResult, owner: str) -> Deferred[bool]:
        return self.database.run(lambda connection: write_end(connection, finish, owner, self.wanted()))

    def keep(self, hung_up: Signal) -> Deferred[bool]:
        row = (pending_text(hung_up), hung_up.call_uuid)
        return self.database.run(lambda connection: connection.execute(statements.KEEP_CDR, row).rowcount > 0)

    def correct(self, finish: AttemptResult) -> Deferred[bool]:
        return self.database.run(lambda connection: correct(connection, finish, self.wanted()))


def pending_text(hung_up: Signal) -> str:
    """The end of a call as the column of a pending record holds it. Raises `ValueError` for a signal that is none."""
    if hung_up.hangup is None:
        raise ValueError(f"{hung_up.kind} is not the end of a call")
    return orjson.dumps({"at": to_column(hung_up.at), "hangup": asdict(hung_up.hangup)}).decode()


def pending_cdr(connection: Connection, attempt: Attempt, owner: str) -> Signal | None:
    """The end that the pending record of an open attempt of `owner` tells; None when there is no such record."""
    row = connection.execute(statements.PENDING_CDR, (attempt.id, owner)).fetchone()
    if row is None:
        return None
    found = orjson.loads(row[0])
    told = found["hangup"]
    moments = {name: datetime.fromisoformat(told[name]) for name in _MOMENTS if told.get(name) is not None}
    hangup = Hangup(**{**told, **moments})
    at = from_column(found["at"])
    return Signal(kind=SignalKind.HUNG_UP, call_uuid=attempt.call_uuid, at=at, cause=hangup.cause, hangup=hangup)


def _find(connection: Connection, call_uuid: str) -> Recorded | None:
    row = connection.execute(statements.RECORDED_ATTEMPT, (call_uuid,)).fetchone()
    if row is None:
        return None
    owner, ended, unexplained, machine = row[:4]
    return Recorded(
        attempt=mapping.attempt(row[4:]),
        owner=owner,
        ended=bool(ended),
        unexplained=bool(unexplained),
        machine=bool(machine),
    )


def correct(connection: Connection, end: AttemptResult, wanted: frozenset[EventKind]) -> bool:
    outcome, decision, attempt = end.outcome, end.decision, end.attempt
    changed = connection.execute(
        statements.CORRECT_ATTEMPT,
        (
            to_column(outcome.ended_at),
            as_text(str(outcome.cause)),
            str(end.disposition),
            as_text(f"told by a call detail record: {decision.reason}"),
            in_range(outcome.q850),
            in_range(outcome.sip_status),
            as_text(outcome.sip_disposition),
            to_column_or_none(outcome.rang_at),
            to_column_or_none(outcome.answered_at),
            in_range(outcome.ring_ms),
            in_range(outcome.talk_ms),
            in_range(outcome.duration_ms),
            attempt.id,
        ),
    ).rowcount
    if not changed:
        return False
    if EventKind.ATTEMPT_CORRECTED in wanted:
        add_of_attempt(connection, EventKind.ATTEMPT_CORRECTED, outcome.ended_at, attempt, payload(end))
    if decision.status in _NO_MORE_CALLS:
        candidate, kind = attempt.plan.candidate, _NO_MORE_CALLS[decision.status]
        status = int(decision.status)
        settled = (status, candidate.subscriber_id, status, attempt.id)
        if connection.execute(statements.CALL_NO_MORE, settled).rowcount and kind in wanted:
            facts = contact_facts(end, candidate.count_attempt)
            add(connection, kind, outcome.ended_at, about(attempt), facts)
    return True
