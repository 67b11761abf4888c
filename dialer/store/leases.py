"""The clock by which leases count: that of the database, whatever the clocks of the nodes say."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dialer.store.connection import MOMENT, Connection
from dialer.store.times import from_column, to_column

_MOMENT: Final = MOMENT.within("SELECT %s")


def moment(connection: Connection, now: datetime) -> datetime:
    """This moment by the clock of the database. A file has none of its own, and one node: there it is `now`, the moment of the
    process."""
    (text,) = connection.execute(_MOMENT.of(connection), (to_column(now),)).fetchone()
    return from_column(text)
