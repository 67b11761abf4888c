"""The do-not-call list over the API. It holds for all users: superusers keep it."""

from __future__ import annotations

from dialer.errors import NotFound
from dialer.management import numbers, rows
from dialer.management.management import Transaction, verb
from dialer.model import Account, DoNotCallEntry


@verb
def listed(t: Transaction, who: Account, after: str = "", limit: int = 1000) -> list[DoNotCallEntry]:
    """In the order of the numbers, those behind `after`. Raises `Forbidden`."""
    rows.check_superuser(who)
    return numbers.forbidden(t, after, limit)


@verb
def read(t: Transaction, who: Account, number: str) -> DoNotCallEntry:
    """The entry of a number, in whatever spelling it is listed. Raises `Forbidden`, `NotFound`, `BadValue`."""
    rows.check_superuser(who)
    (entry,) = numbers.check(t, [number])
    if entry is None:
        raise NotFound("do-not-call entry", number)
    return entry


@verb
def add(t: Transaction, who: Account, number: str, reason: str = "") -> DoNotCallEntry:
    """No campaign calls it any more; one that is on the list stays as it is. Returns the entry. Raises `Forbidden`,
    `BadValue`."""
    rows.check_superuser(who)
    numbers.forbid(t, [number], reason)
    return read(t, who, number)


@verb
def remove(t: Transaction, who: Account, number: str) -> None:
    """It may be called again. Raises as `read`."""
    rows.check_superuser(who)
    if not numbers.permit(t, [number]):
        raise NotFound("do-not-call entry", number)
