"""Work on a database that no dialer may be at work with: upgrades and repairs. And who is at work.

A SQLite file has a lock beside it. On a server, all who dial share a lock of their sessions, which this takes whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from dialer.errors import StoreError
from dialer.store.connection import Dialect
from dialer.store.faults import explain, is_database_error
from dialer.store.location import dialect_of, opened, shown, sqlite_path
from dialer.store.lock import DiallingLock, holder
from dialer.store.node_statements import AT_WORK

LOCKS: Final = 0x6469616C
"""The first half of the keys of our session locks ("dial"); the second is a node's id, or `MAINTENANCE`."""

MAINTENANCE: Final = 0
"""Shared by all who dial."""

_EXCLUDE: Final = "SELECT pg_try_advisory_xact_lock(?, ?)"


@contextmanager
def without_dialers(url: str) -> Iterator[None]:
    """No dialer is at work with a file, nor starts meanwhile; on a server, a writer calls `exclude_dialers` in its
    transaction. Raises `StoreError` naming who is at work."""
    if dialect_of(url) is Dialect.POSTGRESQL:
        yield
        return
    lock = DiallingLock(sqlite_path(url))
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def exclude_dialers(connection: Any) -> None:
    """Until the end of the transaction no dialer is at work with the server's database. Raises `StoreError` naming one that
    is."""
    (alone,) = connection.execute(_EXCLUDE, (LOCKS, MAINTENANCE)).fetchone()
    if not alone:
        raise StoreError("a dialer is at work with this database, or another upgrade or repair: stop it first (dialer nodes)")


def at_work(url: str) -> str | None:
    """The process that dials with the database, for people; None when there is none. Raises `StoreError`."""
    if dialect_of(url) is Dialect.SQLITE:
        process = holder(sqlite_path(url))
        return None if process is None else f"process {process}"
    try:
        with opened(url) as connection:
            nodes = [f"{name} (process {pid} on {host})" for name, host, pid in connection.execute(AT_WORK)]
    except Exception as error:
        if not is_database_error(error):
            raise
        raise explain(error, shown(url)) from error
    return ", ".join(nodes) or None
