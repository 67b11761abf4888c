"""`gateways`: what campaigns call through. Passwords among their parameters are masked."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Encoder, answer
from api.v2.pages import Page, page_of
from api.v2.routes import Asked, Route
from dialer.management import gateways
from dialer.model import Gateway, Scope

_SHOWN: Final = Encoder(Gateway, ("next_call_at",))

GATEWAY: Final = answer("Gateway", "A way out of the switch.", _SHOWN.properties, _SHOWN.encoder())


def _list(asked: Asked) -> Deferred[Any]:
    """The gateways that you may use, the oldest first."""
    return asked.ask(gateways.listed, asked.who, asked.after or 0, asked.limit)


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
        page=Page(place=lambda gateway: gateway.id),
    ),
    Route(method="GET", path="gateways/<gateway_id>", scope=Scope.READ, serve=_read, answer=GATEWAY),
)
