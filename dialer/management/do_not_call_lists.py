"""Do-not-call lists: of everybody, which superusers keep, and of users and of single campaigns, which their users keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dialer.declare import entered
from dialer.errors import AlreadyExists, BadValue, Forbidden, NotFound
from dialer.management import rows
from dialer.management.management import Transaction, call_soon, verb, writes
from dialer.model import Account, DoNotCallList, Scope
from dialer.model.do_not_call import EVERYBODYS
from dialer.store.do_not_call import release_forms
from dialer.store.held import RELEASE
from dialer.store.removals import ARCHIVE_NAME
from dialer.store.times import to_column
from dialer.stored import reader, value_of

KIND: Final = "do-not-call list"
AT_COMMAND_LINE: Final = "command line"

_READ: Final = reader(DoNotCallList, "l")
_LIVE: Final = (
    f"SELECT {_READ.columns} FROM do_not_call_list l LEFT JOIN campaign c ON c.id = l.campaign_id "  # noqa: S608
    "LEFT JOIN user_account u ON u.id = l.user_id WHERE l.archived_at IS NULL AND c.archived_at IS NULL "
    "AND u.archived_at IS NULL"
)
_ONE: Final = f"{_LIVE} AND l.id = ?"
_PAGE: Final = (
    f"{_LIVE} AND l.id > ? AND (l.user_id = ? OR (? AND (l.user_id IS NOT NULL OR ?))) AND (? OR l.name = ?) "
    "ORDER BY l.id LIMIT ?"
)
"""Parameters: the id before these, user, is a superuser, may see those of everybody, whether of any name, name, how many."""

_ARCHIVE: Final = ARCHIVE_NAME.format("do_not_call_list", "removed_by = ?, name", "name", 220)
_READY_AGAIN: Final = (
    f"{RELEASE} blocked_by = 'do-not-call' AND status = 1 AND EXISTS "  # noqa: S608
    "(SELECT 1 FROM do_not_call d WHERE d.identity = subscriber.identity AND d.list_id = ? AND d.removed_at IS NULL)"
)
"""Those that wait for an entry to expire. Parameter: list."""


def doer(who: Account) -> str:
    """Who it was, as it is noted."""
    return who.username or AT_COMMAND_LINE


@verb
def listed(t: Transaction, who: Account, after: int = 0, limit: int = 1000, name: str | None = None) -> list[DoNotCallList]:
    """The user's, the oldest first, or those of a name; for a superuser everybody's, and with the scope `admin` those that
    hold for everybody. `after` is an id."""
    whose = who.id, who.is_superuser, Scope.ADMIN in who.scopes
    found = t.connection.execute(_PAGE, (after, *whose, name is None, name or "", limit))
    return [_READ(row) for row in found.fetchall()]


@verb
def read(t: Transaction, who: Account, list_id: int) -> DoNotCallList:
    """One of them. Raises `NotFound`, and `Forbidden` for one that holds for everybody, of which superusers with the scope
    `admin` know."""
    row = t.connection.execute(_ONE, (list_id,)).fetchone()
    if row is None:
        raise NotFound(KIND, list_id)
    found = _READ(row)
    if found.user_id is None:
        _check_keeper(who)
    elif not who.is_superuser and found.user_id != who.id:
        raise NotFound(KIND, list_id)
    return found


@writes
def locked(t: Transaction, who: Account, list_id: int) -> DoNotCallList:
    """The same, which nobody changes until the end of the transaction."""
    return value_of(DoNotCallList, _row(t, who, list_id))


@writes
def create(t: Transaction, who: Account, given: Mapping[str, Any]) -> DoNotCallList:
    """A list without entries. With a campaign, it is one of the campaign's user; a superuser may name another user, or none:
    it holds for everybody then. Raises `BadValue`, `NotFound` for a campaign, `AlreadyExists`, `Forbidden`."""
    checked = entered(DoNotCallList, given)
    campaign_id, owner = checked.get("campaign_id"), checked.get("user_id")
    if campaign_id is not None:
        campaign = rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
        if owner not in (None, campaign.user.id):
            raise BadValue("user_id", "is not the campaign's user; leave it out")
        owner = campaign.user.id
    elif not who.is_superuser:
        if owner not in (None, who.id):
            raise BadValue("user_id", "is another user; leave it out")
        owner = who.id
    elif owner is None:
        _check_keeper(who)
    elif (user := t.entities.User.get(id=owner)) is None or rows.is_archived(user):
        raise BadValue("user_id", "is no user; expected the id of one, or null for a list that holds for everybody")
    _refuse_taken(t, owner, checked.get("name"))
    return value_of(DoNotCallList, rows.create(t, DoNotCallList, {**checked, "user_id": owner, "added_by": doer(who)}))


@writes
def change(t: Transaction, who: Account, list_id: int, given: Mapping[str, Any]) -> DoNotCallList:
    """Another name or description; for whom it holds is for good. Raises as `create`."""
    row = _row(t, who, list_id)
    checked = entered(DoNotCallList, given)
    for name in ("user_id", "campaign_id"):
        if name in checked:
            raise BadValue(name, "cannot be changed: make another list")
    if checked.get("name", row.name) != row.name:
        _refuse_taken(t, None if row.user is None else row.user.id, checked["name"])
    rows.change(t, DoNotCallList, row, checked)
    return value_of(DoNotCallList, row)


@writes
def remove(t: Transaction, who: Account, list_id: int) -> None:
    """Its entries hold no more, and stay for those who want to know of them. Raises as `read`, and `Forbidden` for the first
    list, which stays."""
    _row(t, who, list_id)
    if list_id == EVERYBODYS:
        raise Forbidden("this list stays, since callees put themselves on it; its entries can be removed")
    t.connection.execute(_ARCHIVE, (doer(who), to_column(t.now), list_id))
    t.connection.execute(_READY_AGAIN, (list_id,))
    release_forms(t.connection, list_id)
    t.then(call_soon)


def _row(t: Transaction, who: Account, list_id: int) -> Any:
    read(t, who, list_id)
    return rows.found(t.entities.DoNotCallList, KIND, list_id)


def _check_keeper(who: Account) -> None:
    rows.check_superuser(who)
    if Scope.ADMIN not in who.scopes:
        raise Forbidden("the login lacks the scope admin")


def _refuse_taken(t: Transaction, owner: int | None, name: str | None) -> None:
    held = "SELECT 1 FROM do_not_call_list WHERE coalesce(user_id, 0) = ? AND name = ?"
    if name is not None and t.connection.execute(held, (owner or 0, name)).fetchone() is not None:
        raise AlreadyExists(KIND, "name", name)
