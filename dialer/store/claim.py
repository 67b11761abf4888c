"""The dialling lock of a node in a PostgreSQL database: who has it, until when, and how it is lost.

Three things guard it. A lock of the session (`pg_advisory_lock`) goes with the process that bears the name, however it ends.
The *epoch* of the node's row grows whenever the name changes hands, and when a survivor takes over the node's attempts: from
then on no transaction of the old bearer commits (`check`). The *lease* says until when others leave the node alone; it is
renewed by heartbeats, and counts by the database's clock.

The row also counts the node's commits. When a connection breaks during a COMMIT, the count tells whether it was done: the lock
is had only when the old session is over, so nothing of it can follow.
"""

from __future__ import annotations

from typing import Final

import psycopg2
import psycopg2.errors
from attrs import define, field, frozen

from dialer.errors import StoreError
from dialer.store import node_statements as statements
from dialer.store.connection import Connection
from dialer.store.maintenance import LOCKS, MAINTENANCE
from dialer.store.postgresql import PostgresConnection

PATIENCE: Final = "5s"
"""How long the lock is waited for: a killed process's session is over in milliseconds, a reset link's in a moment."""


@frozen(kw_only=True)
class Bearer:
    """The process that wants to dial as `name`; `lease` in seconds."""

    name: str
    host: str
    pid: int
    version: str
    lease: float


@define(eq=False)
class NodeClaim:
    """The claim of this process. Used on the database thread only."""

    bearer: Bearer
    id: int = field(default=0, init=False)
    epoch: int = field(default=0, init=False)
    commits: int = field(default=0, init=False)
    _session: int = field(default=0, init=False)

    def take(self, connection: PostgresConnection) -> None:
        """Become the node, or raise `StoreError` naming who is. Commits."""
        bearer = self.bearer
        self._share(connection)
        connection.execute(statements.ENTER, (bearer.name, bearer.host, bearer.pid, bearer.version))
        connection.commit()
        self.id, host, pid, session, expired, seconds = connection.execute(statements.NODE, (bearer.name,)).fetchone()
        if not self._lock(connection, wait=False):
            if expired and session:
                connection.execute(statements.DISMISS, (session,))
            if not self._lock(connection, wait=True):
                raise StoreError(
                    f"another dialer (process {pid} on {host}, heard of {seconds} s ago) is node {bearer.name!r} of this "
                    "database: stop it first, or give this one another name ([node] name)"
                )
        row = (bearer.host, bearer.pid, bearer.version, bearer.lease, self.id)
        self.epoch, self.commits = connection.execute(statements.TAKE, row).fetchone()
        (self._session,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.commit()

    def resume(self, connection: PostgresConnection) -> None:
        """Go on with another connection: the old session is over when this returns, and the lease is renewed unless the node
        was taken over. Raises `StoreError` when another process bears the name by now. Commits."""
        self._share(connection)
        connection.execute(statements.DISMISS, (self._session,))
        if not self._lock(connection, wait=True):
            raise StoreError(f"another dialer bears the name of this node ({self.bearer.name!r}): stop one of them")
        connection.execute(statements.RETURN, (self.bearer.lease, self.id, self.epoch))
        (self._session,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        connection.commit()

    def check(self, connection: Connection) -> None:
        """The last statement of a transaction that writes: count it, if the node may still write. Raises `StoreError`."""
        if connection.execute(statements.CHECK, (self.commits + 1, self.id, self.epoch)).rowcount:
            return
        (epoch,) = connection.execute(statements.STANDING, (self.id,)).fetchone() or (0,)
        if epoch == self.epoch:
            raise StoreError(f"the lease of node {self.bearer.name!r} has run out; it writes again once it is renewed")
        raise StoreError(f"node {self.bearer.name!r} was taken for dead, and others have taken its calls over; it joins again")

    def was_committed(self, connection: PostgresConnection) -> bool:
        """Whether the transaction was committed whose COMMIT nobody answered. To be asked after `resume`."""
        row = connection.execute(statements.COMMITS, (self.id,)).fetchone()
        return row is not None and bool(row[0] == self.commits + 1)

    def committed(self) -> None:
        """The transaction that `check` counted is durable."""
        self.commits += 1

    def rejoin(self, connection: Connection) -> None:
        """A survivor has taken over, or somebody has removed the node as a dead one: become a node anew, in the transaction
        under way. Raises `StoreError` when another process has taken the name since."""
        bearer = self.bearer
        row = connection.execute(statements.REJOIN, (bearer.lease, self.id)).fetchone()
        if row is None:
            mine = (self.id, bearer.name, self.epoch + 1, bearer.host, bearer.pid, bearer.version, bearer.lease, self.commits)
            row = connection.execute(statements.ENTER_AGAIN, mine).fetchone()
        if row is None:
            raise StoreError(f"another dialer bears the name of this node ({bearer.name!r}): stop one of them")
        (self.epoch,) = row

    def _share(self, connection: PostgresConnection) -> None:
        (free,) = connection.execute("SELECT pg_try_advisory_lock_shared(?, ?)", (LOCKS, MAINTENANCE)).fetchone()
        if not free:
            raise StoreError("the database is being upgraded or repaired: wait for the end of that, then start again")

    def _lock(self, connection: PostgresConnection, *, wait: bool) -> bool:
        if not wait:
            (had,) = connection.execute("SELECT pg_try_advisory_lock(?, ?)", (LOCKS, self.id)).fetchone()
            return bool(had)
        connection.commit()
        try:
            connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            connection.execute("SELECT pg_advisory_lock(?, ?)", (LOCKS, self.id))
        except psycopg2.errors.LockNotAvailable:
            connection.rollback()
            return False
        connection.commit()
        return True
