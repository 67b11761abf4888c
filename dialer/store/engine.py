"""The differences between the kinds of database in running transactions: opening, the dialling lock, faults that pass.

An engine lives on the database thread, but for what says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pony import orm

from dialer.errors import StoreError
from dialer.store.connection import Connection
from dialer.store.entities import Entities

if TYPE_CHECKING:
    from dialer.store.claim import NodeClaim

T = TypeVar("T")
Work = Callable[[Connection], T]


class CannotCommit(Exception):
    """The transaction as a whole cannot begin or commit: no function in it is to blame. `args[0]` is why."""


class Engine(Protocol):
    """A database that can be opened, asked, and closed."""

    @property
    def away(self) -> StoreError | None:
        """Why nothing can be asked at the moment; None when it can. Read on any thread."""
        ...

    @property
    def claim(self) -> NodeClaim | None:
        """The dialling lock of a node on a server, where there is one to be had."""
        ...

    @property
    def shared(self) -> bool:
        """Whether other processes write, too, so that locks must not be held for longer than a function needs them."""
        ...

    def open(self) -> Entities:
        """Check the schema, take the dialling lock if that is wanted, and bind the entities. Raises `StoreError`, or what
        the driver raises: nothing is held then."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...

    def perform(self, work: Work[T]) -> T:
        """Run `work` in a transaction, again when that is safe and useful, and commit. Raises what it raises, and
        `CannotCommit`; nothing was written then."""
        ...

    def revive(self) -> None:
        """Try to reach a database that is `away`."""
        ...

    def interrupt(self) -> None:
        """Give up what the database was asked and does not answer. Called on any other thread."""
        ...

    def give_up(self) -> None:
        """The process stops: wait no more for a database that is away. Called on any other thread."""
        ...

    def explained(self, error: BaseException) -> BaseException:
        """The product's error for the driver's; any other as it is."""
        ...


def transact(db: Any, work: Work[T], kept: list[T], seal: Callable[[Connection, int], None]) -> None:
    """One transaction on a bound Pony database. What `work` returns is appended to `kept` before the COMMIT, of which the
    answer may be lost; `seal` comes last, with the connection's `total_changes` before the work."""
    with orm.db_session:
        try:
            connection: Connection = db.get_connection()
        except Exception as error:
            raise CannotCommit(error) from error
        before = connection.total_changes
        result = work(connection)
        try:
            orm.flush()
            seal(connection, before)
            kept.append(result)
            orm.commit()
        except Exception as error:
            raise CannotCommit(error) from error
