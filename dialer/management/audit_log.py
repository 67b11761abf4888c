"""The audit log: who has changed what on the page, written in the transaction of the change. What is refused, and so changes
nothing, is not in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from attrs import Factory, frozen

from dialer.kinds import LARGEST_ID
from dialer.management.management import Around, Transaction, verb
from dialer.model import Account, AuditEntry, Scope
from dialer.store import audit_log as sql
from dialer.store.times import to_column

LONGEST_DETAIL: Final = 500
"""Characters of a value that are kept."""


@frozen(kw_only=True)
class Deed:
    """Something that was done: by whom and from which address; a stable word, what it was done to, and the values that were
    given, without secrets."""

    who: Account
    address: str
    action: str
    subject: str = ""
    details: Mapping[str, str] = Factory(dict)


def audited(deed: Deed) -> Around:
    """For `Management.ask_within`: what is done within is in the audit log, or neither."""

    def around(t: Transaction, do: Callable[[], Any]) -> Any:
        done = do()
        _write(t, deed)
        return done

    return around


@verb
def note(t: Transaction, deed: Deed) -> None:
    """Write down a deed that is no single transaction."""
    _write(t, deed)


def _write(t: Transaction, deed: Deed) -> None:
    details = orjson.dumps({name: value[:LONGEST_DETAIL] for name, value in deed.details.items()}).decode()
    t.connection.execute(
        sql.ADD,
        (to_column(t.now), deed.who.id, deed.who.username, deed.address, deed.action, deed.subject[:255], details),
    )


@verb
def listed(t: Transaction, who: Account, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
    """The newest entries with ids below `before`: a user's own, and everybody's for an admin."""
    first = LARGEST_ID if before is None else before
    if who.is_superuser and Scope.ADMIN in who.scopes:
        rows = t.connection.execute(sql.ALL, (first, limit)).fetchall()
    else:
        rows = t.connection.execute(sql.OF_USER, (first, who.id, limit)).fetchall()
    return [sql.READ(row) for row in rows]
