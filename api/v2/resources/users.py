"""`users`: accounts, their limits, whom they may call, and what they may use. For superusers."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import YES_OR_NO, Attribute, Body, Encoder, answer, enterable, is_yes
from api.v2.nouns import IN_USE, TAKEN, NounRoutes
from api.v2.pages import sorted_page
from api.v2.routes import Asked, Route
from dialer.declare import noun_of
from dialer.kinds import Nullable
from dialer.list_kinds import Ids, Texts
from dialer.management import administration
from dialer.model import Scope, User, UserDetails
from dialer.patterns import MOST_PATTERNS

_SHOWN: Final = Encoder(User)
_encode = _SHOWN.encoder()
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
MOST_GRANTS: Final = 1000


def _told(found: UserDetails) -> dict[str, Any]:
    return {
        **_encode(found.user),
        "has_password": bool(found.user.password_hash),
        "blacklist": list(found.blacklist),
        "whitelist": list(found.whitelist),
        "gateways": list(found.gateways),
        "voip_apps": list(found.voip_apps),
    }


USER: Final = answer(
    "User",
    "An account.",
    {
        **_SHOWN.properties,
        "has_password": {"type": "boolean"},
        "blacklist": {**_TEXTS, "description": "beginnings of numbers that it may not call"},
        "whitelist": {**_TEXTS, "description": "those of the only ones that it may call, if there are any"},
        "gateways": {**_TEXTS, "description": "the names of those that are granted to it; a superuser has all"},
        "voip_apps": {**_TEXTS, "description": "the same of voice applications"},
    },
    _told,
)

_PATTERNS: Final = Texts(MOST_PATTERNS, 40)
_ENTERED: Final = (
    *enterable(User),
    Attribute(
        name="password", kind=Nullable(administration.PASSWORD), doc="what it logs in with; null: nobody logs in", default=None
    ),
    Attribute(name="blacklist", kind=_PATTERNS, doc="beginnings of numbers that it may not call", default=()),
    Attribute(name="whitelist", kind=_PATTERNS, doc="those of the only ones that it may call, if there are any", default=()),
)
NEW: Final = Body(name="NewUser", attributes=_ENTERED)
CHANGED: Final = Body(name="ChangedUser", attributes=_ENTERED, merges=True)
GRANTS: Final = Body(
    name="Grants",
    attributes=(
        Attribute(name="gateway_ids", kind=Ids(MOST_GRANTS), doc="gateways", default=()),
        Attribute(name="voip_app_ids", kind=Ids(MOST_GRANTS), doc="voice applications", default=()),
    ),
)
_NAME: Final = Attribute(name="username", kind=noun_of(User).field("username").kind, doc="only the one of this name")
_SUPERUSER: Final = Attribute(name="is_superuser", kind=YES_OR_NO, doc="only superusers, or only others")
_ACTIVE: Final = Attribute(name="is_active", kind=YES_OR_NO, doc="only those that may log in, or only others")


def _list(asked: Asked) -> Deferred[Any]:
    """All users."""
    flags = (is_yes(asked.query, name) for name in ("is_superuser", "is_active"))
    return asked.ask(administration.all_users, asked.who, asked.part, asked.query.get("username"), *flags)


def _read(asked: Asked) -> Deferred[UserDetails]:
    """One user."""
    return asked.ask(administration.one_user, asked.who, asked.path["user_id"])


def _create(asked: Asked) -> Deferred[UserDetails]:
    """Create a user; one that is no superuser has limits that protect from costs where none are given."""
    work = partial(administration.password_hash, asked.management, asked.who, asked.body)
    return asked.ask_after(work, administration.add_user, asked.who, asked.body)


def _change(asked: Asked) -> Deferred[UserDetails]:
    """Change a user: a merge patch, which acts at once."""
    work = partial(administration.password_hash, asked.management, asked.who, asked.body)
    return asked.ask_after(work, administration.change_user, asked.who, asked.path["user_id"], asked.body)


def _remove(asked: Asked) -> Deferred[None]:
    """Remove a user that has no campaigns and no phonebooks."""
    return asked.ask(administration.remove_user, asked.who, asked.path["user_id"])


def _granted(asked: Asked) -> tuple[Any, ...]:
    return asked.who, asked.path["user_id"], asked.body.get("gateway_ids", ()), asked.body.get("voip_app_ids", ())


def _grant(asked: Asked) -> Deferred[UserDetails]:
    """Let a user use gateways and voice applications."""
    return asked.ask(administration.grant, *_granted(asked))


def _revoke(asked: Asked) -> Deferred[UserDetails]:
    """Have a user use gateways and voice applications no more; those that its campaigns use stay."""
    return asked.ask(administration.revoke, *_granted(asked))


USERS: Final = NounRoutes(
    path="users",
    key="user_id",
    answer=USER,
    new=NEW,
    changed=CHANGED,
    page=sorted_page(User, "username", "created_at", value=lambda entry: entry.user),
    filters=(_NAME, _SUPERUSER, _ACTIVE),
    locked=administration.locked_user,
    readers=Scope.ADMIN,
    secrets=("password",),
    refused_new=TAKEN,
    refused_change=TAKEN,
    refused_end=IN_USE,
)

ROUTES: Final = (
    *USERS.routes(listed=_list, create=_create, read=_read, change=_change, remove=_remove),
    Route(method="POST", path=f"{USERS.one}/grant", scope=Scope.ADMIN, serve=_grant, body=GRANTS, answer=USER),
    Route(
        method="POST",
        path=f"{USERS.one}/revoke",
        scope=Scope.ADMIN,
        serve=_revoke,
        body=GRANTS,
        answer=USER,
        refusals=IN_USE,
    ),
)
