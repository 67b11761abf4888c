"""`gateways`: what campaigns call through. Passwords among their parameters are masked."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Attribute, Body, Encoder, answer, enterable
from api.v2.nouns import IN_USE, TAKEN, NounRoutes
from api.v2.pages import sorted_page
from api.v2.resources.campaigns import MOMENT_OR_NONE
from api.v2.routes import Asked, Route
from api.v2.shapes import shown_moment
from dialer.declare import noun_of
from dialer.kinds import Member
from dialer.management import administration, gateways
from dialer.management.gateways import GatewayStanding
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


def _add(asked: Asked) -> Deferred[Any]:
    """Add a gateway; users use it when it is granted to them."""
    return asked.ask(administration.GATEWAYS.add, asked.who, asked.body)


def _change(asked: Asked) -> Deferred[Any]:
    """Change a gateway: a merge patch, which acts at once. A masked value of its parameters stays."""
    return asked.ask(administration.GATEWAYS.change, asked.who, asked.path["gateway_id"], asked.body)


def _remove(asked: Asked) -> Deferred[Any]:
    """Remove a gateway that nothing uses, and that never carried a call."""
    return asked.ask(administration.GATEWAYS.remove, asked.who, asked.path["gateway_id"])


def _told(found: GatewayStanding) -> dict[str, Any]:
    health = found.health
    return {
        "gateway_id": found.gateway.id,
        "state": found.word,
        "is_down": found.is_down,
        "faults": health.faults,
        "cause": health.cause,
        "until": None if health.until is None else shown_moment(health.until),
        "trouble": health.trouble,
        "open_calls": found.open_calls,
        "maximum_call": found.gateway.maximum_call,
        "calls_per_second": found.gateway.calls_per_second,
    }


HEALTH: Final = answer(
    "GatewayHealth",
    "How a gateway is now. Faults are those that the dialer which answers has met with.",
    {
        "gateway_id": {"type": "integer"},
        "state": {"type": "string", "enum": list(gateways.STANDINGS), "description": "whether it takes a call now"},
        "is_down": {"type": "boolean", "description": "a dialer has found it down, and none has seen it serve since"},
        "faults": {"type": "integer", "description": "in a row"},
        "cause": {"type": "string", "description": "of the last of them"},
        "until": {**MOMENT_OR_NONE, "description": "until when it is backed off from"},
        "trouble": {
            "type": "string",
            "description": "what the switch says against its SIP gateway, such as DOWN, FAIL_WAIT: no call is made then",
        },
        "open_calls": {"type": "integer", "description": "through it, of all dialers"},
        "maximum_call": {"type": ["integer", "null"]},
        "calls_per_second": {"type": ["integer", "null"]},
    },
    _told,
)


def _health(asked: Asked) -> Deferred[GatewayStanding]:
    """Whether a gateway serves, and how it fared of late."""
    return Deferred.fromCoroutine(gateways.standing(asked.management, asked.who, asked.path["gateway_id"]))


NEW: Final = Body(name="NewGateway", attributes=enterable(Gateway, without=()))
CHANGED: Final = Body(name="ChangedGateway", attributes=enterable(Gateway, without=()), merges=True)
GATEWAYS: Final = NounRoutes(
    path="gateways",
    key="gateway_id",
    answer=GATEWAY,
    new=NEW,
    changed=CHANGED,
    page=sorted_page(Gateway, "name", "created_at", "updated_at"),
    filters=(_NAME, _STATUS),
    locked=administration.GATEWAYS.locked,
    refused_new=TAKEN,
    refused_change=TAKEN,
    refused_end=IN_USE,
)

ROUTES: Final = (
    *GATEWAYS.routes(listed=_list, create=_add, read=_read, change=_change, remove=_remove),
    Route(method="GET", path=f"{GATEWAYS.one}/health", scope=Scope.READ, serve=_health, answer=HEALTH),
)
