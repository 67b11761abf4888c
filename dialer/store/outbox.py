"""The outbox: what must reach somebody else. Rows are written with their cause; here they are read and settled."""

from __future__ import annotations

from datetime import datetime

from attrs import define
from twisted.internet.defer import Deferred

from dialer.model import Delivery
from dialer.store.database import Database
from dialer.store.times import to_column
from dialer.stored import reader

_READ = reader(Delivery, "o")
DUE = f"SELECT {_READ.columns} FROM outbox o WHERE o.status = 'due' AND o.due_at <= ? ORDER BY o.due_at, o.id LIMIT ?"  # noqa: S608
SETTLE = "UPDATE outbox SET status = ?, tries = tries + 1, settled_at = ?, last_error = ? WHERE id = ? AND status = 'due'"
TRY_AGAIN = "UPDATE outbox SET tries = tries + 1, due_at = ?, last_error = ? WHERE id = ? AND status = 'due'"


@define(eq=False)
class Outbox:
    """Settling a row fires with False when it is settled already. Fails with: `StoreError`."""

    database: Database

    def due(self, now: datetime, limit: int) -> Deferred[list[Delivery]]:
        """Deliveries that are due now, the longest due first."""
        return self.database.run(lambda connection: [_READ(row) for row in connection.execute(DUE, (to_column(now), limit))])

    def delivered(self, row_id: int, now: datetime) -> Deferred[bool]:
        """It has arrived."""
        return self._change(SETTLE, ("delivered", to_column(now), "", row_id))

    def try_again(self, row_id: int, due_at: datetime, error: str) -> Deferred[bool]:
        """It did not arrive; try again at `due_at`."""
        return self._change(TRY_AGAIN, (to_column(due_at), error, row_id))

    def give_up(self, row_id: int, now: datetime, error: str) -> Deferred[bool]:
        """It did not arrive, and no more is tried."""
        return self._change(SETTLE, ("given_up", to_column(now), error, row_id))

    def _change(self, statement: str, values: tuple[object, ...]) -> Deferred[bool]:
        return self.database.run(lambda connection: connection.execute(statement, values).rowcount > 0)
