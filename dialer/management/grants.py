"""Grants: the gateways and voice applications that a user may use. One that is not granted does not exist for the user; a
superuser has all of them.

A campaign never refers to one that its user does not have: who may choose any for somebody else's campaign grants it by that,
and a grant that campaigns use is not revoked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from dialer.errors import NotFound
from dialer.management import rows
from dialer.management.management import Transaction, reads, writes
from dialer.model import Account
from dialer.model.user import ADMINISTRATOR
from dialer.store.grants import GRANTS

FIELDS: Final = {"gateway_id": "gateway", "voip_app_id": "voip app"}
"""The fields of a campaign that name what has to be granted."""


@reads
def holders(t: Transaction) -> Mapping[str, Mapping[int, tuple[str, ...]]]:
    """The names of the users that have a grant, by the noun and its id; superusers, who need none, are left out."""
    found: dict[str, dict[int, list[str]]] = {noun: {} for noun in GRANTS}
    for user in t.entities.User.select().order_by(lambda u: u.username):
        if user.is_superuser or rows.is_archived(user):
            continue
        for noun, granted in (("gateway", user.gateways), ("voip app", user.voip_apps)):
            for each in granted:
                found[noun].setdefault(each.id, []).append(user.username)
    return {noun: {key: tuple(names) for key, names in held.items()} for noun, held in found.items()}


@writes
def grant(t: Transaction, user_id: int, things: Mapping[str, Iterable[int]]) -> None:
    """Let a user use things: ids by their noun, `gateway` and `voip app`. Raises `NotFound`."""
    rows.found(t.entities.User, "user", user_id)
    for noun, key in _all_of(t, things):
        t.connection.execute(GRANTS[noun].add, (user_id, key))


@writes
def revoke(t: Transaction, user_id: int, things: Mapping[str, Iterable[int]]) -> None:
    """The opposite. Raises `NotFound`, and `InUse` when a campaign of the user uses one."""
    user = rows.found(t.entities.User, "user", user_id)
    for noun, key in _all_of(t, things):
        kind, name = f"grant for {user.username} of the {noun}", rows.noun_entity(t, noun)[key].name
        if not t.connection.execute(GRANTS[noun].remove, (user_id, key)).rowcount:
            raise NotFound(kind, name)
        # Asked behind the removal: that waited for those who were about to use it.
        (used,) = t.connection.execute(GRANTS[noun].used, (user_id, key)).fetchone()
        rows.refuse_in_use(kind, name, {"campaign": used}, "it is used by")


def _all_of(t: Transaction, things: Mapping[str, Iterable[int]]) -> list[tuple[str, int]]:
    found = [(noun, key) for noun, keys in things.items() for key in keys]
    for noun, key in found:
        if rows.noun_entity(t, noun).get(id=key) is None:
            raise NotFound(noun, key)
    return found


def check(t: Transaction, user_id: int, given: Mapping[str, Any]) -> None:
    """Raise `NotFound` for the first of a campaign's settings that names what a user does not have, whether that exists or
    not."""
    for field, noun in FIELDS.items():
        key = given.get(field)
        if key is not None and t.connection.execute(GRANTS[noun].held.of(t.connection), (user_id, key)).fetchone() is None:
            raise NotFound(noun, key)


def add(t: Transaction, user_id: int, given: Mapping[str, Any]) -> None:
    """Grant what a campaign's settings name, as far as it exists: somebody who may choose any has chosen it."""
    for field, noun in FIELDS.items():
        if given.get(field) is not None:
            t.connection.execute(GRANTS[noun].add, (user_id, given[field]))


def visible(t: Transaction, who: Account, noun: str) -> Any:
    """The query of the rows of a noun that exist for a user. Raises `NotFound` for a user that may do nothing."""
    user = rows.asking(t, who)
    query = rows.noun_entity(t, noun).select()
    if who is ADMINISTRATOR or user.is_superuser:
        return query
    key = user.id
    return query.filter(lambda row: key in row.users.id)
