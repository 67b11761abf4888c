"""`voice-applications`: what answered calls are connected to."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Attribute, Body, Encoder, answer, enterable
from api.v2.pages import page_of, sorted_page
from api.v2.routes import Asked, Current, Route
from dialer.declare import noun_of
from dialer.kinds import Word, word_of
from dialer.management import administration, gateways
from dialer.model import Scope, VoipApp, VoipAppType

_SHOWN: Final = Encoder(VoipApp)
_KINDS: Final = {word_of(kind): kind for kind in VoipAppType}

APPLICATION: Final = answer("VoiceApplication", "What an answered call is connected to.", _SHOWN.properties, _SHOWN.encoder())
NEW: Final = Body(name="NewVoiceApplication", attributes=enterable(VoipApp))
CHANGED: Final = Body(name="ChangedVoiceApplication", attributes=enterable(VoipApp), merges=True)
_NAME: Final = Attribute(name="name", kind=noun_of(VoipApp).field("name").kind, doc="only the one of this name")
_TYPE: Final = Attribute(name="type", kind=Word(tuple(_KINDS)), doc="only those of this type")


def _list(asked: Asked) -> Deferred[Any]:
    """The voice applications that you may use."""
    kind = _KINDS.get(asked.query.get("type", ""))
    return asked.ask(gateways.applications, asked.who, asked.part, asked.query.get("name"), kind)


def _read(asked: Asked) -> Deferred[Any]:
    """One voice application that you may use."""
    return asked.ask(gateways.application, asked.who, asked.path["voip_app_id"])


def _add(asked: Asked) -> Deferred[Any]:
    """Add a voice application; users use it when it is granted to them."""
    return asked.ask(administration.add_application, asked.who, asked.body)


def _change(asked: Asked) -> Deferred[Any]:
    """Change a voice application: a merge patch, which acts at once."""
    return asked.ask(administration.change_application, asked.who, asked.path["voip_app_id"], asked.body)


def _remove(asked: Asked) -> Deferred[Any]:
    """Remove a voice application that no campaign uses."""
    return asked.ask(administration.remove_application, asked.who, asked.path["voip_app_id"])


_OF: Final = "voice-applications/<voip_app_id>"
_CURRENT: Final = Current(
    use_case=administration.locked_application, args=lambda asked: (asked.who, asked.path["voip_app_id"]), answer=APPLICATION
)
_TAKEN: Final = ("already-exists",)

ROUTES: Final = (
    Route(
        method="GET",
        path="voice-applications",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(APPLICATION),
        page=sorted_page(VoipApp, "name", "created_at", "updated_at"),
        parameters=(_NAME, _TYPE),
    ),
    Route(
        method="POST",
        path="voice-applications",
        scope=Scope.ADMIN,
        serve=_add,
        body=NEW,
        answer=APPLICATION,
        status=201,
        location="voice-applications/{id}",
        refusals=_TAKEN,
    ),
    Route(method="GET", path=_OF, scope=Scope.READ, serve=_read, answer=APPLICATION),
    Route(
        method="PATCH",
        path=_OF,
        scope=Scope.ADMIN,
        serve=_change,
        body=CHANGED,
        answer=APPLICATION,
        current=_CURRENT,
        refusals=_TAKEN,
    ),
    Route(method="DELETE", path=_OF, scope=Scope.ADMIN, serve=_remove, status=204, current=_CURRENT, refusals=("in-use",)),
)
