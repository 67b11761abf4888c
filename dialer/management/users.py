"""Users: their accounts, their limits, and whom they may call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from pony.orm import select

from dialer.accounts import hash_password
from dialer.declare import entered
from dialer.errors import BadValue, NotFound
from dialer.management import rows
from dialer.management.listing import OLDEST_FIRST, Slice, in_sql
from dialer.management.management import Management, Transaction, reads, verb, writes
from dialer.model import Account, User, UserDetails
from dialer.model.role import Role
from dialer.model.user import PROTECTIVE_LIMITS
from dialer.patterns import like
from dialer.store import user_list
from dialer.store.page_sessions import END_LINKS
from dialer.stored import value_of

SHORTEST_PASSWORD: Final = 8
LONGEST_PASSWORD: Final = 1000

LISTS = ("blacklist", "whitelist")
"""The lists of patterns of a user, beside its own settings."""


OTHER: Final = "other user"
"""The word for a user that is asked about, who is not the one that asks."""


@reads
def listed(
    t: Transaction,
    part: Slice = OLDEST_FIRST,
    username: str | None = None,
    is_superuser: bool | None = None,
    is_active: bool | None = None,
) -> list[UserDetails]:
    """All of them, as far as they are so."""
    wanted = {"u.username": username, "u.is_superuser": is_superuser, "u.is_active": is_active}
    return user_list.users(t.connection, wanted, *in_sql(part, "u"))


@reads
def details(t: Transaction, user_id: int) -> UserDetails:
    """One of them. Raises `NotFound`."""
    t.entities.db.flush()
    found = user_list.users(t.connection, {"u.id": user_id})
    if not found:
        raise NotFound(OTHER, user_id)
    return found[0]


@reads
def account(t: Transaction, username: str) -> Account:
    """The account in whose name an administrator does something. Raises `NotFound`."""
    return _account(t.entities.User.get(username=username), username)


@reads
def owner(t: Transaction, username: str) -> Account:
    """The account to which an administrator gives something new. Raises `NotFound`."""
    return account(t, username)


@reads
def account_of(t: Transaction, user_id: int) -> Account:
    """The account of that id. Raises `NotFound`."""
    return _account(t.entities.User.get(id=user_id), user_id)


def _account(row: Any, key: str | int) -> Account:
    if row is None:
        raise NotFound("user", key)
    return Account(id=row.id, username=row.username, is_superuser=row.is_superuser)


@reads
def read(t: Transaction, who: Account) -> User:
    """The asking user itself. Raises `NotFound`."""
    row = t.entities.User.get(id=who.id, is_active=True)
    if row is None:
        raise NotFound("user", who.username)
    return value_of(User, row)


@reads
def superusers(t: Transaction) -> tuple[str, ...]:
    """The names of those that may log in, the oldest first."""
    user, yes = t.entities.User, True  # a parameter: flags are numbers in the tables
    found = select((u.id, u.username) for u in user if u.is_superuser == yes and u.is_active == yes)
    return tuple(name for _, name in sorted(found))


async def hashed(management: Management, password: str) -> str:
    """What is stored of a new password. Fails with `BadValue` for one that is too short or too long, and with `Busy`."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadValue("password", f"expected {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return await management.in_thread(partial(hash_password, password))


@writes
def create(t: Transaction, given: Mapping[str, Any]) -> int:
    """A user, whose name is unique; one that is no superuser has `PROTECTIVE_LIMITS` where none are given. Returns its id.
    Raises `Duplicate`, `BadValue`, naming the field."""
    lists, settings = _parted(given)
    checked = entered(User, settings)
    superuser = checked.get("is_superuser", False)
    checked = {"role": Role.ADMIN if superuser else Role.OPERATOR, **checked}
    _check_role(checked["role"], superuser=superuser)
    row = rows.create(t, User, checked if superuser else {**PROTECTIVE_LIMITS, **checked})
    _write(t, row, lists)
    return int(row.id)


async def enter(management: Management, given: Mapping[str, Any]) -> int:
    """The same with a `password` in place of its hash. Fails with what `create` raises."""
    created: int = await management.ask(create, _with_hash(given))
    return created


async def change_entered(management: Management, user_id: int, given: Mapping[str, Any]) -> None:
    """As `change`, with a `password` in place of its hash."""
    await management.ask(change, user_id, _with_hash(given))


def _with_hash(given: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: value for name, value in given.items() if name != "password"}
    return {**settings, "password_hash": hash_password(given["password"])} if "password" in given else settings


@writes
def change(t: Transaction, user_id: int, given: Mapping[str, Any]) -> None:
    """Change what is given; a list of patterns is replaced. A superuser that is one no more has `PROTECTIVE_LIMITS` where it
    had none and is given none, and is no admin; one that becomes a superuser is an admin unless another role is given. With
    another password, links that would sign in are good for nothing. Raises `NotFound`, `Duplicate`, `BadValue`."""
    lists, settings = _parted(given)
    row = rows.found(t.entities.User, "user", user_id)
    checked = entered(User, settings)
    if row.is_superuser and checked.get("is_superuser") is False:
        checked = {**{name: most for name, most in PROTECTIVE_LIMITS.items() if getattr(row, name) is None}, **checked}
        checked = {"role": Role.OPERATOR if row.role == Role.ADMIN else Role(row.role), **checked}
    elif checked.get("is_superuser") and not row.is_superuser:
        checked = {"role": Role.ADMIN, **checked}
    _check_role(checked.get("role", Role(row.role)), superuser=checked.get("is_superuser", row.is_superuser))
    rows.change(t, User, row, checked)
    if "password_hash" in checked:
        t.connection.execute(END_LINKS, (user_id,))
    _write(t, row, lists)


def _check_role(role: Role, *, superuser: bool) -> None:
    if role is Role.ADMIN and not superuser:
        raise BadValue("role", "admin is for superusers only; expected viewer or operator")


def _parted(given: Mapping[str, Any]) -> tuple[dict[str, Sequence[str]], dict[str, Any]]:
    lists = {name: value for name, value in given.items() if name in LISTS}
    return lists, {name: value for name, value in given.items() if name not in LISTS}


def _write(t: Transaction, row: Any, lists: Mapping[str, Sequence[str]]) -> None:
    """Replace lists. Patterns are as `dialer.patterns.parse_pattern` gives them."""
    for kind, patterns in lists.items():
        row.number_patterns.select(lambda n: n.kind == kind).delete(bulk=True)  # noqa: B023 - asked at once
        for pattern in patterns:
            t.entities.NumberPattern(user=row, kind=kind, pattern=pattern, matcher=like(pattern))


@verb
def current(t: Transaction, who: Account) -> Account:
    """A user that has proved who it is, with its rights of now. Raises `NotFound` for one that is none any more, as
    `Management.ask` does for each use case."""
    return who
