"""A user of the dialer: its limits, and whom it may call."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import field, frozen

from dialer.declare import key, noun, reference, rule, setting, stamp
from dialer.errors import BadValue
from dialer.model.role import Role
from dialer.model.token import EVERY_SCOPE, Scope
from dialer.numbers import parse_number

PROTECTIVE_LIMITS: Final = {"max_number_campaign": 100, "max_number_subscriber_campaign": 100_000, "max_frequency": 100}
"""The limits of a new user that is no superuser, and of a superuser that is one no more, as far as it has and is given no
others: a login alone spends little money."""


def without_colon(name: str, field: str) -> str:
    """HTTP's Basic authentication cannot carry a name with a colon (RFC 7617, section 2). Raises `BadValue`."""
    if ":" in name:
        raise BadValue(field, "may not contain a colon")
    return name


def caller_id_list(text: str, field: str) -> str:
    """Numbers with commas between them, each once. Raises `BadValue`."""
    numbers = (parse_number(item, field) for item in text.split(",") if item.strip())
    return ",".join(dict.fromkeys(numbers))


def _limit(name: str) -> str:
    return f"{PROTECTIVE_LIMITS[name]}, also when it ceases to be a superuser; none for a superuser"


@noun("user", table="user_account", links={"gateways": "gateway", "voip_apps": "voip app"})
@frozen(kw_only=True)
class User:
    """An account. `password_hash` is argon2's own string, "" for one that nobody logs in to. A limit of None is no limit."""

    id: int = key()
    username: str = setting(shortest=1, longest=150, check=without_colon, doc="its name, unique")
    password_hash: str = setting("", longest=1000, secret=True, doc="argon2's own string; empty: nobody logs in")
    is_superuser: bool = setting(False, doc="sees and changes everybody's objects")
    is_active: bool = setting(True, doc="may log in")
    max_number_campaign: int | None = setting(None, otherwise=_limit("max_number_campaign"), doc="campaigns it may have")
    max_number_subscriber_campaign: int | None = setting(
        None, otherwise=_limit("max_number_subscriber_campaign"), doc="contacts of a campaign"
    )
    max_frequency: int | None = setting(None, ge=1, otherwise=_limit("max_frequency"), doc="calls per minute of a campaign")
    max_duration: int | None = setting(None, ge=1, unit="s", doc="the longest call")
    max_retries: int | None = setting(None, doc="further attempts for a contact")
    max_timeout: int | None = setting(None, ge=1, unit="s", doc="the longest ringing")
    caller_ids: str = rule(
        "",
        longest=4096,
        check=caller_id_list,
        doc="the numbers that its calls may show as the caller's, with commas between them; empty: any",
    )
    created_at: datetime = stamp("when it was created")
    archived_at: datetime | None = setting(None, read_only=True, doc="when it was removed; its attempts stay")
    role: Role = setting(
        Role.OPERATOR,
        otherwise="admin for a superuser, operator for anybody else",
        doc="what its logins may do with what it sees: viewer (look), operator (change, start and stop), admin (users and "
        "gateways, too; superusers only)",
    )


@noun("number pattern")
@frozen(kw_only=True)
class NumberPattern:
    """A pattern of a user's blacklist or whitelist (`dialer.patterns`); `matcher` is the operand of SQL's LIKE."""

    user_id: int = reference("user", reverse="number_patterns", is_key=True, doc="whose list")
    kind: str = setting(longest=20, is_key=True, doc="blacklist or whitelist")
    pattern: str = setting(longest=40, is_key=True, doc="the beginning of a number")
    matcher: str = setting(longest=80, doc="for LIKE")


@frozen(kw_only=True)
class UserDetails:
    """A user with whom it may call: nobody on the blacklist, and nobody but those on the whitelist when that is not empty.
    `gateways` and `voip_apps` are the names of those that are granted; a superuser has all of them."""

    user: User
    blacklist: tuple[str, ...] = ()
    whitelist: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    voip_apps: tuple[str, ...] = ()


@frozen(kw_only=True)
class CallRules:
    """Whom the calls of a user may reach: patterns, and the identities that were asked for and are on the do-not-call list;
    and the numbers that they may show as the caller's, with commas between them, "" for any."""

    blacklist: frozenset[str] = frozenset()
    whitelist: frozenset[str] = frozenset()
    do_not_call: frozenset[str] = frozenset()
    caller_ids: str = ""


@frozen(kw_only=True)
class Account:
    """A user that has proved who it is. A superuser sees and changes everybody's objects. `proof` is the password's hash of
    that moment, or that of the token `token_id`, "" where an administrator named the user: each use case asks anew whether it
    still is the account's. `scopes` are what the login is good for."""

    id: int
    username: str
    is_superuser: bool = False
    proof: str = field(default="", repr=False)
    token_id: int | None = None
    scopes: frozenset[Scope] = EVERY_SCOPE


ADMINISTRATOR = Account(id=0, username="", is_superuser=True)
"""At the command line, where everything can be seen and changed: no user's limits hold."""
