"""`nodes` and `switches`: the dialers of the installation, and what they are connected to. For superusers."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import YES_OR_NO, Attribute, Encoder, answer, is_yes
from api.v2.pages import Page, page_of, sorted_page
from api.v2.resources.campaigns import MOMENT_OR_NONE
from api.v2.routes import Asked, Current, Route
from api.v2.shapes import shown_moment
from dialer.kinds import Text, Word
from dialer.management import installation
from dialer.management.installation import NodeEntry, Standing, SwitchEntry
from dialer.model import NodeRecord, Scope

_SHOWN: Final = Encoder(NodeRecord, ("session", "commits"))
_encode = _SHOWN.encoder()
_WORDS: Final = {each.name.lower(): each for each in Standing}


def _node(entry: NodeEntry) -> dict[str, Any]:
    return {
        **_encode(entry.node),
        "state": entry.standing.name.lower(),
        "is_alive": entry.alive,
        "leased": entry.leased,
        "open_attempts": entry.open_attempts,
    }


NODE: Final = answer(
    "Node",
    "A dialling process.",
    {
        **_SHOWN.properties,
        "state": {"type": "string", "enum": list(_WORDS)},
        "is_alive": {"type": "boolean", "description": "others leave its calls alone"},
        "leased": {"type": "boolean", "description": "its lease tells that; false where the lock of a database file does"},
        "open_attempts": {"type": "integer"},
    },
    _node,
)


def _switch(entry: SwitchEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "ready": entry.ready,
        "core_uuid": entry.core_uuid,
        "nodes": list(entry.nodes),
        "open_attempts": entry.open_attempts,
        "drained_at": None if entry.drain is None else shown_moment(entry.drain.drained_at),
        "drained_by": None if entry.drain is None else entry.drain.drained_by,
    }


SWITCH: Final = answer(
    "Switch",
    "A FreeSWITCH that dialers are, or were last, connected to.",
    {
        "name": {"type": "string"},
        "ready": {"type": "boolean", "description": "a dialer is connected to it"},
        "core_uuid": {"type": "string", "description": "its process, while it is ready"},
        "nodes": {"type": "array", "items": {"type": "string"}, "description": "the names of these dialers"},
        "open_attempts": {"type": "integer", "description": "of these dialers"},
        "drained_at": {
            **MOMENT_OR_NONE,
            "description": "since when no dialer begins calls on it, because somebody said so; null when they do",
        },
        "drained_by": {"type": ["string", "null"], "description": "who said so"},
    },
    _switch,
)

_NODE: Final = Attribute(name="node", kind=Text(64, 1), doc="the name of the node", required=True)
_SWITCH: Final = Attribute(name="switch", kind=Text(255, 1), doc="the name of the switch", required=True)
_DRAINED: Final = Attribute(name="drained", kind=YES_OR_NO, doc="only those that are drained, or only the others")
_STATE: Final = Attribute(name="state", kind=Word(tuple(_WORDS)), doc="only those that are so")
_AT_SWITCH: Final = Attribute(name="switch", kind=Text(255, 1), doc="only those of this switch")


def _list(asked: Asked) -> Deferred[Any]:
    """The dialers that share the database."""
    standing = _WORDS.get(asked.query.get("state", ""))
    return asked.ask(installation.nodes, asked.who, asked.part, standing, asked.query.get("switch"))


def _read(asked: Asked) -> Deferred[Any]:
    """One dialer."""
    return asked.ask(installation.node, asked.who, asked.path["node"])


def _remove(asked: Asked) -> Deferred[Any]:
    """Forget a dialer that will not come back."""
    return asked.ask(installation.remove_node, asked.who, asked.path["node"])


def _switches(asked: Asked) -> Deferred[Any]:
    """The switches of the installation, in the order of their names."""
    is_drained = is_yes(asked.query, _DRAINED.name)
    return asked.ask(installation.switches, asked.who, asked.after or "", asked.limit, is_drained)


def _one_switch(asked: Asked) -> Deferred[Any]:
    """One switch."""
    return asked.ask(installation.switch, asked.who, asked.path["switch"])


def _drain(asked: Asked) -> Deferred[Any]:
    """Have no dialer begin calls on a switch, restarted or not; those that it has go on."""
    return asked.ask(installation.drain, asked.who, asked.path["switch"])


def _resume(asked: Asked) -> Deferred[Any]:
    """Have dialers begin calls on a switch again."""
    return asked.ask(installation.resume, asked.who, asked.path["switch"])


ROUTES: Final = (
    Route(
        method="GET",
        path="nodes",
        scope=Scope.ADMIN,
        serve=_list,
        answer=page_of(NODE),
        page=sorted_page(NodeRecord, "name", "started_at", "seen_at", default="name", value=lambda entry: entry.node),
        parameters=(_STATE, _AT_SWITCH),
    ),
    Route(method="GET", path="nodes/<node>", scope=Scope.ADMIN, serve=_read, answer=NODE, parameters=(_NODE,)),
    Route(
        method="DELETE",
        path="nodes/<node>",
        scope=Scope.ADMIN,
        serve=_remove,
        status=204,
        parameters=(_NODE,),
        current=Current(use_case=installation.node, args=lambda asked: (asked.who, asked.path["node"]), answer=NODE),
        refusals=("wrong-state",),
    ),
    Route(
        method="GET",
        path="switches",
        scope=Scope.ADMIN,
        serve=_switches,
        answer=page_of(SWITCH),
        page=Page(place=lambda entry: entry.name, by=str),
        parameters=(_DRAINED,),
    ),
    Route(method="GET", path="switches/<switch>", scope=Scope.ADMIN, serve=_one_switch, answer=SWITCH, parameters=(_SWITCH,)),
    Route(
        method="POST", path="switches/<switch>/drain", scope=Scope.ADMIN, serve=_drain, answer=SWITCH, parameters=(_SWITCH,)
    ),
    Route(
        method="POST", path="switches/<switch>/resume", scope=Scope.ADMIN, serve=_resume, answer=SWITCH, parameters=(_SWITCH,)
    ),
)
