"""Users: who they are, and what they are allowed."""

from __future__ import annotations

from attrs import frozen

from dialer.errors import LimitExceeded, NotFound
from dialer.records import Account
from dialer.store.connection import Connection
from dialer.store.requests import statements


@frozen(kw_only=True)
class Limits:
    """What a user is allowed at most; None for any number."""

    campaigns: int | None
    contacts: int | None
    frequency: int | None
    duration: int | None
    retries: int | None
    timeout: int | None


def find(connection: Connection, username: str) -> tuple[Account, str] | None:
    """An active user and its password's hash."""
    row = connection.execute(statements.USER, (username,)).fetchone()
    if row is None:
        return None
    return Account(id=row[0], username=username, is_superuser=bool(row[1])), row[2]


def limits(connection: Connection, who: Account) -> Limits:
    """The limits as they are at this moment. Raises `NotFound` for a user that may no longer do anything: whoever proved
    to be it did so a little earlier."""
    row = connection.execute(statements.LIMITS, (who.id,)).fetchone()
    if row is None:
        raise NotFound("user", who.username)
    return Limits(campaigns=row[0], contacts=row[1], frequency=row[2], duration=row[3], retries=row[4], timeout=row[5])


def check_limit(limit: str, wanted: int | None, maximum: int | None) -> None:
    """Raise `LimitExceeded` when more is wanted than is allowed."""
    if wanted is not None and maximum is not None and wanted > maximum:
        raise LimitExceeded(limit, maximum)
