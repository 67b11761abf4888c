"""What call detail records are about: attempts by their call UUID, and the correction of ends that nobody could explain."""

from __future__ import annotations

from attrs import define
from twisted.internet.defer import Deferred

from dialer.cdr import Recorded
from dialer.model import Finish, Signal, SubscriberStatus
from dialer.store import statements, values
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.finish import finish as write_end
from dialer.store.kept import written
from dialer.store.times import to_column, to_column_or_none
from dialer.store.values import as_text, in_range

_NO_MORE_CALLS = (SubscriberStatus.FAIL, SubscriberStatus.COMPLETE)


@define(eq=False)
class Corrections:
    """`dialer.calls.witness.RecordStore` on a database."""

    database: Database

    def find(self, call_uuid: str) -> Deferred[Recorded | None]:
        """See `RecordStore.find`."""
        return self.database.run(lambda connection: _find(connection, call_uuid))

    def end(self, finish: Finish, owner: str) -> Deferred[bool]:
        """See `RecordStore.end`."""
        return self.database.run(lambda connection: write_end(connection, finish, owner, outbox=False) is True)

    def keep(self, hung_up: Signal) -> Deferred[bool]:
        """See `RecordStore.keep`."""
        row = (written(hung_up), hung_up.call_uuid)
        return self.database.run(lambda connection: connection.execute(statements.KEEP_RECORD, row).rowcount > 0)

    def correct(self, finish: Finish) -> Deferred[bool]:
        """See `RecordStore.correct`."""
        return self.database.run(lambda connection: _correct(connection, finish))


def _find(connection: Connection, call_uuid: str) -> Recorded | None:
    row = connection.execute(statements.RECORDED_ATTEMPT, (call_uuid,)).fetchone()
    if row is None:
        return None
    owner, ended, unexplained, machine = row[:4]
    return Recorded(
        attempt=values.attempt(row[4:]),
        owner=owner,
        ended=bool(ended),
        unexplained=bool(unexplained),
        machine=bool(machine),
    )


def _correct(connection: Connection, end: Finish) -> bool:
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
    if changed and decision.status in _NO_MORE_CALLS:
        subscriber = attempt.plan.candidate.subscriber_id
        connection.execute(statements.CALL_NO_MORE, (int(decision.status), subscriber, attempt.id))
    return bool(changed)
