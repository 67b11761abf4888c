"""What only superusers do over the API: gateways and voice applications, users and their grants, nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

from dialer.accounts import hash_password
from dialer.declare import entered
from dialer.errors import BadValue, NotFound
from dialer.kinds import Text
from dialer.management import gateways, grants, removals, rows, users
from dialer.management.listing import Slice
from dialer.management.management import Management, Transaction, reads, writes
from dialer.model import Account, Gateway, User, UserDetails, VoipApp
from dialer.model.role import Role
from dialer.patterns import MOST_PATTERNS, parse_pattern

PASSWORD: Final = Text(1024, 8)

# --- gateways and voice applications ----------------------------------------------------------------------------------------


T = TypeVar("T")


@frozen(kw_only=True)
class Administered(Generic[T]):
    """What superusers do with a noun that users have by grants: each use case raises what that of `gateways` raises, and
    `Forbidden`. `locked` gives one that nobody changes until the end of the transaction."""

    add: Callable[[Transaction, Account, Mapping[str, Any]], T]
    change: Callable[[Transaction, Account, int, Mapping[str, Any]], T]
    remove: Callable[[Transaction, Account, int], None]
    locked: Callable[[Transaction, Account, int], T]


def _administered(
    noun: str,
    entity: str,
    read: Callable[[Transaction, Account, int], T],
    create: Callable[[Transaction, Mapping[str, Any]], int],
    change: Callable[[Transaction, int, Mapping[str, Any]], object],
    remove: Callable[[Transaction, int], object],
) -> Administered[T]:
    @writes
    def add(t: Transaction, who: Account, given: Mapping[str, Any]) -> T:
        rows.check_superuser(who)
        return read(t, who, create(t, given))

    @writes
    def changed(t: Transaction, who: Account, key: int, given: Mapping[str, Any]) -> T:
        rows.check_superuser(who)
        change(t, key, given)
        return read(t, who, key)

    @writes
    def removed(t: Transaction, who: Account, key: int) -> None:
        rows.check_superuser(who)
        remove(t, key)

    @writes
    def locked(t: Transaction, who: Account, key: int) -> T:
        rows.check_superuser(who)
        rows.found(getattr(t.entities, entity), noun, key)
        return read(t, who, key)

    return Administered(add=add, change=changed, remove=removed, locked=locked)


GATEWAYS: Final[Administered[Gateway]] = _administered(
    "gateway", "Gateway", gateways.read, gateways.create, gateways.change, gateways.remove
)
APPLICATIONS: Final[Administered[VoipApp]] = _administered(
    "voip app",
    "VoipApp",
    gateways.application,
    gateways.create_application,
    gateways.change_application,
    gateways.remove_application,
)


# --- users ------------------------------------------------------------------------------------------------------------------


@reads
def all_users(
    t: Transaction,
    who: Account,
    part: Slice,
    username: str | None = None,
    is_superuser: bool | None = None,
    is_active: bool | None = None,
) -> list[UserDetails]:
    """All of them, as far as they are so. Raises `Forbidden`."""
    rows.check_superuser(who)
    return users.listed(t, part, username, is_superuser, is_active)


@reads
def one_user(t: Transaction, who: Account, user_id: int) -> UserDetails:
    """One of them. Raises `Forbidden`, `NotFound`."""
    rows.check_superuser(who)
    return users.details(t, user_id)


@writes
def locked_user(t: Transaction, who: Account, user_id: int) -> UserDetails:
    """The same, which nobody changes until the end of the transaction."""
    rows.check_superuser(who)
    _existing(t, user_id)
    rows.found(t.entities.User, "user", user_id)
    return one_user(t, who, user_id)


async def password_hash(management: Management, who: Account, given: Mapping[str, Any]) -> str | None:
    """What is stored of the `password` that is given; None where none is. Fails with `Forbidden`, `BadValue`, `Busy`."""
    rows.check_superuser(who)
    password = given.get("password")
    if password is None:
        return None
    if not password.isprintable():
        raise BadValue("password", "holds a control character")
    return await management.in_thread(partial(hash_password, password))


@writes
def add_user(t: Transaction, who: Account, given: Mapping[str, Any], hashed: str | None) -> UserDetails:
    """A user with that password's hash, if there is one. Raises `Forbidden`, `Duplicate`, `BadValue`."""
    rows.check_superuser(who)
    return users.details(t, users.create(t, _settings(given, hashed)))


@writes
def change_user(t: Transaction, who: Account, user_id: int, given: Mapping[str, Any], hashed: str | None) -> UserDetails:
    """Change what is given. Raises `Forbidden`, `NotFound`, `Duplicate`, and `BadValue`, also for what would lock the asking
    user out."""
    rows.check_superuser(who)
    if user_id == who.id:
        _refuse_own_lockout(given)
    _existing(t, user_id)
    users.change(t, user_id, _settings(given, hashed))
    return users.details(t, user_id)


def _refuse_own_lockout(given: Mapping[str, Any]) -> None:
    own = entered(User, {name: given[name] for name in ("is_superuser", "is_active", "role") if name in given})
    for name in ("is_superuser", "is_active"):
        if own.get(name) is False:
            raise BadValue(name, "cannot be taken from yourself: another superuser can do that")
    if own.get("role", Role.ADMIN) is not Role.ADMIN:
        raise BadValue("role", "cannot be a lesser one for yourself: another superuser can do that")


@writes
def remove_user(t: Transaction, who: Account, user_id: int) -> None:
    """Remove a user that has nothing. Raises `Forbidden`, `NotFound`, `InUse`, and `BadValue` for the asking one."""
    rows.check_superuser(who)
    if user_id == who.id:
        raise BadValue("user_id", "is yourself: another superuser can do that")
    _existing(t, user_id)
    removals.user_without_anything(t, user_id)


def _existing(t: Transaction, user_id: int) -> None:
    """Raise `NotFound` for a user that does not exist; not the one that tells of the asking user."""
    row = t.entities.User.get(id=user_id)
    if row is None or rows.is_archived(row):
        raise NotFound(users.OTHER, user_id)


def _settings(given: Mapping[str, Any], hashed: str | None) -> dict[str, Any]:
    found = {name: value for name, value in given.items() if name != "password"}
    for name in users.LISTS:
        if name in found:
            found[name] = _patterns(found[name], name)
    return found if hashed is None else {**found, "password_hash": hashed}


def _patterns(texts: Sequence[str], name: str) -> tuple[str, ...]:
    patterns = tuple(dict.fromkeys(parse_pattern(text, name) for text in texts))
    if len(patterns) > MOST_PATTERNS:
        raise BadValue(name, f"has {len(patterns)} patterns; at most {MOST_PATTERNS} are allowed")
    return patterns


@writes
def grant(t: Transaction, who: Account, user_id: int, gateway_ids: Sequence[int], app_ids: Sequence[int]) -> UserDetails:
    """Let a user use these gateways and voice applications. Raises `Forbidden`, `NotFound`."""
    return _change_grants(t, who, user_id, grants.grant, gateway_ids, app_ids)


@writes
def revoke(t: Transaction, who: Account, user_id: int, gateway_ids: Sequence[int], app_ids: Sequence[int]) -> UserDetails:
    """The opposite. Raises also `InUse`."""
    return _change_grants(t, who, user_id, grants.revoke, gateway_ids, app_ids)


@writes
def set_grants(t: Transaction, who: Account, user_id: int, gateway_ids: Sequence[int], app_ids: Sequence[int]) -> None:
    """Have a user use these gateways and voice applications, and no others. Raises as `revoke`; then nothing is changed."""
    rows.check_superuser(who)
    _existing(t, user_id)
    row = t.entities.User[user_id]
    wanted = {"gateway": set(gateway_ids), "voip app": set(app_ids)}
    held = {"gateway": {each.id for each in row.gateways}, "voip app": {each.id for each in row.voip_apps}}
    grants.grant(t, user_id, {noun: sorted(keys - held[noun]) for noun, keys in wanted.items()})
    grants.revoke(t, user_id, {noun: sorted(keys - wanted[noun]) for noun, keys in held.items()})


def _change_grants(
    t: Transaction,
    who: Account,
    user_id: int,
    change: Callable[..., None],
    gateway_ids: Sequence[int],
    app_ids: Sequence[int],
) -> UserDetails:
    rows.check_superuser(who)
    _existing(t, user_id)
    change(t, user_id, {"gateway": gateway_ids, "voip app": app_ids})
    return users.details(t, user_id)
