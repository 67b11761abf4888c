"""The installation, for superusers: the switches, and the dialers that are connected to them."""

from __future__ import annotations

from typing import Final

from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, shows
from dialer.errors import WrongState
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


async def _drain(visit: Visit) -> Moved:
    name = visit.path["switch"]
    await visit.do(f"switch {name}", installation.drain, visit.who, name)
    return Moved(to=f"{PREFIX}switches", told="switch-drained")


async def _resume(visit: Visit) -> Moved:
    name = visit.path["switch"]
    await visit.do(f"switch {name}", installation.resume, visit.who, name)
    return Moved(to=f"{PREFIX}switches", told="switch-resumed")


_ADMINS: Final = {"scope": Scope.ADMIN, "superusers": True}
ROUTES: Final = (
    shows("switches", _list, **_ADMINS),
    changes("switches/<switch>/drain", _drain, **_ADMINS),
    changes("switches/<switch>/resume", _resume, **_ADMINS),
    changes("switches/nodes/<node>/remove", _remove, **_ADMINS),
)
