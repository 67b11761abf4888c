"""`gateways`: what campaigns call through. Passwords among their parameters are masked."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Attribute, Encoder, answer
from api.v2.pages import page_of, sorted_page
from api.v2.routes import Asked, Route
from dialer.declare import noun_of
from dialer.kinds import Member
from dialer.management import gateways
from dialer.model import Gateway, GatewayStatus, Scope

_SHOWN: Final = Encoder(Gateway, ("next_call_at",))

GATEWAY: Final = answer("Gateway", "A way out of the switch.", _SHOWN.properties, _SHOWN.encoder())


_NAME: Final = Attribute(name="name", kind=noun_of(Gateway).field("name").kind, doc="only the one of this name")
_STATUS: Final = Attribute(name="status", kind=Member(GatewayStatus), doc="only those that are so")


def _list(asked: Asked) -> Deferred[Any]:
    """The gateways that you may use, the oldest first."""
    return asked.ask(gateways.listed, asked.who, asked.part, asked.query.get("name"), asked.query.get("status"))


def _read(asked: Asked) -> Deferred[Any]:
    """One gateway that you may use."""
    return asked.ask(gateways.read, asked.who, asked.path["gateway_id"])


ROUTES: Final = (
    Route(
        method="GET",
        path="gateways",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(GATEWAY),
        page=sorted_page(Gateway, "name", "created_at", "updated_at"),
        parameters=(_NAME, _STATUS),
    ),
    Route(method="GET", path="gateways/<gateway_id>", scope=Scope.READ, serve=_read, answer=GATEWAY),
)
