"""Gateways: how they are used, and for admins their settings."""

from __future__ import annotations

from typing import Final

from api.page.forms import Options
from api.page.routes import PageReply, Visit, shows
from api.page.views.noun_forms import NounForm
from dialer.management import gateways
from dialer.model import Gateway

FIELDS: Final = (
    "name", "description", "status", "dial_string", "protocol", "hostname", "removeprefix", "addprefix", "addparameter",
    "maximum_call", "calls_per_second", "codecs", "prefixes", "group", "weight",
    "failover_id", "pause_after",
)  # fmt: skip


async def _list(visit: Visit) -> PageReply:
    found = await visit.site.overviews.read(visit.who)
    return PageReply(template="gateways.html", values={"found": found.gateways})


async def _options(visit: Visit, but: int) -> Options:
    others = await visit.ask(gateways.listed, visit.who)
    return {"failover_id": [("", ""), *((str(each.id), each.name) for each in others if each.id != but)]}


FORM: Final = NounForm(
    cls=Gateway,
    fields=FIELDS,
    template="gateway.html",
    place="gateways",
    parameter="gateway",
    word="gateway",
    told="gateway",
    read=gateways.read,
    create=gateways.create,
    change=gateways.change,
    remove=gateways.remove,
    options=_options,
    untold=frozenset({"addparameter"}),
)
ROUTES: Final = (shows("gateways", _list), *FORM.routes())
