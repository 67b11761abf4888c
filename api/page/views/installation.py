"""The installation, for superusers: the switches, and the dialers that are connected to them."""

from __future__ import annotations

from typing import Final

from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, shows
from dialer.errors import NotFound, WrongState
from dialer.management import installation
from dialer.management.installation import Standing
from dialer.management.listing import Slice
from dialer.model import Scope

BY_NAME: Final = Slice(sort="name")
REMOVABLE: Final = (Standing.STOPPED, Standing.DEAD)


async def _list(visit: Visit) -> PageReply:
    return await _listed(visit, "")


async def _listed(visit: Visit, flaw: str) -> PageReply:
    values = {
        "switches": await visit.ask(installation.switches, visit.who),
        "own": installation.own_switches(visit.management),
        "nodes": await visit.ask(installation.nodes, visit.who, BY_NAME),
        "removable": REMOVABLE,
        "flaw": flaw,
    }
    return PageReply(template="installation.html", values=values, status=409 if flaw else 200)


async def _remove(visit: Visit) -> Moved | PageReply:
    name = visit.path["node"]
    try:
        await visit.do(f"node {name}", installation.remove_node, visit.who, name)
    except WrongState as error:
        return await _listed(visit, problem_of(error).text)
    return Moved(to=f"{PREFIX}switches", told="node-removed")


async def _put_aside(visit: Visit) -> Moved:
    return await _use(visit, True, "switch-put-aside")


async def _take_back(visit: Visit) -> Moved:
    return await _use(visit, False, "switch-taken-back")


async def _use(visit: Visit, put_aside: bool, told: str) -> Moved:
    name = visit.path["switch"]
    if name not in installation.own_switches(visit.management):
        raise NotFound("switch", name)
    await visit.do(f"switch {name}", installation.put_aside, visit.who, name, put_aside)
    return Moved(to=f"{PREFIX}switches", told=told)


_ADMINS: Final = {"scope": Scope.ADMIN, "superusers": True}
ROUTES: Final = (
    shows("switches", _list, **_ADMINS),
    changes("switches/<switch>/put-aside", _put_aside, **_ADMINS),
    changes("switches/<switch>/take-back", _take_back, **_ADMINS),
    changes("switches/nodes/<node>/remove", _remove, **_ADMINS),
)
