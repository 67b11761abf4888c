"""The numbers that must never be called, by any campaign. `begin` obeys them; so does whoever asks for candidates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson
from attrs import define
from twisted.internet.defer import Deferred

from dialer.errors import BadValue
from dialer.store.connection import LISTED, Connection
from dialer.store.database import Database
from dialer.store.faults import refused_value
from dialer.store.times import to_column

ADD_ALL = LISTED.within(
    "INSERT INTO do_not_call (number, reason, created_at) SELECT j.value, ?, ? FROM %s WHERE true "
    "ON CONFLICT (number) DO NOTHING"
)
"""`WHERE true` keeps SQLite from reading ON as a join's. Parameters: reason, now, JSON list of numbers."""

ADD = "INSERT INTO do_not_call (number, reason, created_at) VALUES (?, ?, ?) ON CONFLICT (number) DO NOTHING"
REMOVE = LISTED.within("DELETE FROM do_not_call WHERE number IN (SELECT j.value FROM %s)")
PAGE = "SELECT number FROM do_not_call WHERE number > ? ORDER BY number LIMIT ?"


@define(eq=False)
class DoNotCall:
    """Fails with: `BadValue` for what is not a number, `StoreError`."""

    database: Database

    def add(self, numbers: Sequence[str], now: datetime, reason: str = "") -> Deferred[int]:
        """Fires with how many were not there before."""

        def insert(connection: Connection) -> int:
            try:
                row = (reason, to_column(now), orjson.dumps(list(numbers)).decode())
                return connection.execute(ADD_ALL.of(connection), row).rowcount
            except Exception as error:
                refused: BadValue | None = refused_value(error)
                raise refused or error from error

        return self.database.run(insert)

    def remove(self, numbers: Sequence[str]) -> Deferred[int]:
        """Fires with how many were there. Subscribers that were set to NOT_AUTHORISED meanwhile stay so."""
        listed = orjson.dumps(list(numbers)).decode()
        return self.database.run(lambda connection: connection.execute(REMOVE.of(connection), (listed,)).rowcount)

    def page(self, after: str = "", limit: int = 1000) -> Deferred[list[str]]:
        """Numbers in order, those behind `after`."""
        return self.database.run(lambda connection: [number for (number,) in connection.execute(PAGE, (after, limit))])
