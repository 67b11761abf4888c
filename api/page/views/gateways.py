"""Gateways: how they are used, and for admins their settings."""

from __future__ import annotations

from typing import Any, Final

from api.page.forms import Options, check, controls, defaults, typed_values
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, shows
from dialer.errors import BadValue, InUse, NotFound
from dialer.management import gateways
from dialer.model import Gateway, Scope

FIELDS: Final = (
    "name", "description", "status", "dial_string", "protocol", "hostname", "removeprefix", "addprefix", "addparameter",
    "maximum_call", "calls_per_second", "codecs", "prefixes", "group", "weight",
    "failover_id", "pause_after",
)  # fmt: skip


async def _list(visit: Visit) -> PageReply:
    found = await visit.site.overviews.read(visit.who)
    return PageReply(template="gateways.html", values={"found": found.gateways})


async def _options(visit: Visit, but: int = 0) -> Options:
    others = await visit.ask(gateways.listed, visit.who)
    return {"failover_id": [("", ""), *((str(each.id), each.name) for each in others if each.id != but)]}


async def _form(visit: Visit, key: int, values: dict[str, str], problems: dict[str, str], flaw: str) -> PageReply:
    rows = controls(Gateway, FIELDS, values, problems, await _options(visit, key))
    values_: dict[str, Any] = {"controls": rows, "key": key, "name": values.get("name", ""), "flaw": flaw}
    return PageReply(template="gateway.html", values=values_, status=400 if problems or flaw else 200)


async def _new(visit: Visit) -> PageReply:
    return await _form(visit, 0, defaults(Gateway, FIELDS), {}, "")


async def _show(visit: Visit) -> PageReply:
    found = await visit.ask(gateways.read, visit.who, visit.key("gateway"))
    return await _form(visit, found.id, typed_values(Gateway, FIELDS, found), {}, "")


async def _save(visit: Visit, key: int, told: str) -> Moved | PageReply:
    given, problems = check(Gateway, FIELDS, visit.form)
    flaw = ""
    if not problems:
        details = {name: value for name, value in visit.form.items() if name != "addparameter"}
        try:
            if key:
                await visit.do(f"gateway {key}", gateways.change, key, given, details=details)
            else:
                await visit.do(visit.form.get("name", ""), gateways.create, given, details=details)
        except BadValue as error:
            problems = {error.field: error.problem} if error.field in FIELDS else {}
            flaw = "" if problems else problem_of(error).text
        except NotFound as error:
            flaw = problem_of(error).text
        else:
            return Moved(to=f"{PREFIX}gateways", told=told)
    return await _form(visit, key, dict(visit.form), problems, flaw)


async def _create(visit: Visit) -> Moved | PageReply:
    return await _save(visit, 0, "gateway-created")


async def _change(visit: Visit) -> Moved | PageReply:
    return await _save(visit, visit.key("gateway"), "gateway-changed")


async def _remove(visit: Visit) -> Moved | PageReply:
    key = visit.key("gateway")
    try:
        await visit.do(f"gateway {key}", gateways.remove, key)
    except InUse as error:
        found = await visit.ask(gateways.read, visit.who, key)
        return await _form(visit, key, typed_values(Gateway, FIELDS, found), {}, problem_of(error).text)
    return Moved(to=f"{PREFIX}gateways", told="gateway-removed")


_ADMINS: Final = {"scope": Scope.ADMIN, "superusers": True}
ROUTES: Final = (
    shows("gateways", _list),
    shows("gateways/new", _new, **_ADMINS),
    changes("gateways/new", _create, **_ADMINS),
    shows("gateways/<gateway>", _show, **_ADMINS),
    changes("gateways/<gateway>/settings", _change, **_ADMINS),
    changes("gateways/<gateway>/remove", _remove, **_ADMINS),
)
