"""Users and tokens: who may do what, and with what programs log in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from api.page.forms import check, controls, defaults, typed_values
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, number_in, shows
from dialer.errors import BadValue, Forbidden, InUse, LimitExceeded
from dialer.management import administration, gateways, tokens, users
from dialer.management.listing import OLDEST_FIRST
from dialer.management.page_sessions import end_all
from dialer.model import Scope, Token, User, UserDetails
from dialer.patterns import MOST_PATTERNS

FIELDS: Final = (
    "username", "role", "is_superuser", "is_active", "max_number_campaign", "max_number_subscriber_campaign", "max_frequency",
    "max_duration", "max_retries", "max_timeout", "caller_ids",
)  # fmt: skip


async def _list(visit: Visit) -> PageReply:
    found = await visit.ask(administration.all_users, visit.who, OLDEST_FIRST)
    return PageReply(template="users.html", values={"found": found})


_NO_LISTS: Final[Mapping[str, str]] = {}


async def _form(
    visit: Visit,
    key: int,
    values: dict[str, str],
    problems: dict[str, str],
    flaw: str,
    lists: Mapping[str, str] = _NO_LISTS,
) -> PageReply:
    """`lists` are those of numbers that were typed, of which one has a problem."""
    found: UserDetails | None = await visit.ask(administration.one_user, visit.who, key) if key else None
    shown = {
        "controls": controls(User, FIELDS, values, problems),
        "key": key,
        "name": values.get("username", ""),
        "flaw": flaw,
        "problems": problems,
        "grants": await _grants(visit, found) if found else (),
        "lists": [(name, lists.get(name, "\n".join(getattr(found, name)))) for name in users.LISTS] if found else (),
        "most": MOST_PATTERNS,
    }
    return PageReply(template="user.html", values=shown, status=400 if problems or flaw else 200)


async def _grants(visit: Visit, found: UserDetails) -> list[tuple[str, list[tuple[Any, bool]]]]:
    """Gateways and voice applications, and whether the user may use each; none for a superuser, who may use all."""
    if found.user.is_superuser:
        return []
    through = await visit.ask(gateways.listed, visit.who)
    apps = await visit.ask(gateways.applications, visit.who)
    return [
        ("gateways", [(each, each.name in found.gateways) for each in through]),
        ("voice-applications", [(each, each.name in found.voip_apps) for each in apps]),
    ]


async def _new(visit: Visit) -> PageReply:
    return await _form(visit, 0, {**defaults(User, FIELDS), "role": "operator"}, {}, "")


async def _show(visit: Visit) -> PageReply:
    return await _of_user(visit, visit.key("user"), "")


async def _of_user(visit: Visit, key: int, flaw: str) -> PageReply:
    found = await visit.ask(administration.one_user, visit.who, key)
    return await _form(visit, key, typed_values(User, FIELDS, found.user), {}, flaw)


async def _grant(visit: Visit) -> Moved | PageReply:
    """Those that are ticked, and no others."""
    key = visit.key("user")
    through, apps = (
        [number_in(part, noun) for part in visit.form.get(name, "").split(",") if part]
        for name, noun in (("gateways", "gateway"), ("voice-applications", "voip app"))
    )
    try:
        await visit.do(f"user {key}", administration.set_grants, visit.who, key, through, apps, details=dict(visit.form))
    except InUse as error:
        return await _of_user(visit, key, problem_of(error).text)
    return Moved(to=f"{PREFIX}users/{key}", told="user-changed")


async def _set_numbers(visit: Visit) -> Moved | PageReply:
    """The lists of numbers, each as a whole."""
    key = visit.key("user")
    typed = {name: visit.form[name] for name in users.LISTS if name in visit.form}
    given = {name: [text for text in re.split(r"[\s,;]+", value) if text] for name, value in typed.items()}
    try:
        await visit.do(f"user {key}", administration.change_user, visit.who, key, given, None, details=typed)
    except BadValue as error:
        found = await visit.ask(administration.one_user, visit.who, key)
        return await _form(visit, key, typed_values(User, FIELDS, found.user), {error.field: error.problem}, "", typed)
    return Moved(to=f"{PREFIX}users/{key}", told="user-changed")


async def _save(visit: Visit, key: int, told: str) -> Moved | PageReply:
    given, problems = check(User, FIELDS, visit.form)
    flaw, password, hashed = "", visit.form.get("password", ""), None
    try:
        hashed = await users.hashed(visit.management, password) if password or not key else None
    except BadValue as error:
        problems["password"] = error.problem
    if not problems:
        details = {name: value for name, value in visit.form.items() if name != "password"}
        try:
            if key:
                await visit.do(f"user {key}", administration.change_user, visit.who, key, given, hashed, details=details)
            else:
                name = visit.form.get("username", "")
                await visit.do(name, administration.add_user, visit.who, given, hashed, details=details)
        except BadValue as error:
            problems = {error.field: error.problem} if error.field in FIELDS else {}
            flaw = "" if problems else problem_of(error).text
        else:
            return Moved(to=f"{PREFIX}users", told=told)
    return await _form(visit, key, {**visit.form, "password": ""}, problems, flaw)


async def _create(visit: Visit) -> Moved | PageReply:
    return await _save(visit, 0, "user-created")


async def _change(visit: Visit) -> Moved | PageReply:
    return await _save(visit, visit.key("user"), "user-changed")


async def _sign_out(visit: Visit) -> Moved:
    key = visit.key("user")
    await visit.do(f"user {key}", end_all, key)
    return Moved(to=f"{PREFIX}users", told="user-signed-out")


TOKEN_FIELDS: Final = ("name", "scopes", "expires_at")


async def _tokens(visit: Visit) -> PageReply:
    return await _listed_tokens(visit, {}, "")


async def _listed_tokens(visit: Visit, problems: dict[str, str], flaw: str) -> PageReply:
    found = await visit.ask(tokens.listed, visit.who)
    owners: dict[int, str] = {}
    if visit.who.is_superuser and Scope.ADMIN in visit.who.scopes:
        everybody = await visit.ask(administration.all_users, visit.who, OLDEST_FIRST)
        owners = {each.user.id: each.user.username for each in everybody}
    scopes = [scope for scope in Scope if scope is not Scope.ADMIN or visit.who.is_superuser]
    values = {
        "found": found,
        "owners": owners,
        "name_control": controls(Token, ("name",), visit.form, problems)[0],
        "expiry_control": controls(Token, ("expires_at",), visit.form, problems)[0],
        "scopes": scopes,
        "chosen": visit.form.get("scopes", "read").split(","),
        "problems": problems,
        "flaw": flaw,
        "may_make": Scope.ADMIN in visit.who.scopes,
    }
    return PageReply(template="tokens.html", values=values, status=400 if problems or flaw else 200)


async def _make_token(visit: Visit) -> PageReply:
    given, problems = check(Token, TOKEN_FIELDS, visit.form)
    flaw = ""
    if not problems:
        try:
            made = await visit.do(visit.form.get("name", ""), tokens.create, visit.who, given, details=dict(visit.form))
        except BadValue as error:
            problems = {error.field: error.problem}
        except (Forbidden, LimitExceeded) as error:
            flaw = problem_of(error).text
        else:
            return PageReply(template="secret.html", values={"what": "token", "secret": made.text, "to": f"{PREFIX}tokens"})
    return await _listed_tokens(visit, problems, flaw)


async def _revoke(visit: Visit) -> Moved:
    key = visit.key("token")
    await visit.do(f"token {key}", tokens.revoke, visit.who, key)
    return Moved(to=f"{PREFIX}tokens", told="token-revoked")


_ADMINS: Final = {"scope": Scope.ADMIN, "superusers": True}
ROUTES: Final = (
    shows("users", _list, **_ADMINS),
    shows("users/new", _new, **_ADMINS),
    changes("users/new", _create, **_ADMINS),
    shows("users/<user>", _show, **_ADMINS),
    changes("users/<user>/settings", _change, **_ADMINS),
    changes("users/<user>/grants", _grant, **_ADMINS),
    changes("users/<user>/numbers", _set_numbers, **_ADMINS),
    changes("users/<user>/sign-out", _sign_out, **_ADMINS),
    shows("tokens", _tokens),
    changes("tokens/make", _make_token, scope=Scope.ADMIN),
    changes("tokens/<token>/revoke", _revoke, scope=Scope.ADMIN),
)
