"""`voice-applications`: what answered calls are connected to."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Attribute, Body, Encoder, answer, enterable
from api.v2.nouns import IN_USE, TAKEN, NounRoutes
from api.v2.pages import sorted_page
from api.v2.routes import Asked
from dialer.declare import noun_of
from dialer.kinds import Word, word_of
from dialer.management import administration, gateways
from dialer.model import VoipApp, VoipAppType

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
    return asked.ask(administration.APPLICATIONS.add, asked.who, asked.body)


def _change(asked: Asked) -> Deferred[Any]:
    """Change a voice application: a merge patch, which acts at once."""
    return asked.ask(administration.APPLICATIONS.change, asked.who, asked.path["voip_app_id"], asked.body)


def _remove(asked: Asked) -> Deferred[Any]:
    """Remove a voice application that no campaign uses."""
    return asked.ask(administration.APPLICATIONS.remove, asked.who, asked.path["voip_app_id"])


APPLICATIONS: Final = NounRoutes(
    path="voice-applications",
    key="voip_app_id",
    answer=APPLICATION,
    new=NEW,
    changed=CHANGED,
    page=sorted_page(VoipApp, "name", "created_at", "updated_at"),
    filters=(_NAME, _TYPE),
    locked=administration.APPLICATIONS.locked,
    refused_new=TAKEN,
    refused_change=TAKEN,
    refused_end=IN_USE,
)

ROUTES: Final = APPLICATIONS.routes(listed=_list, create=_add, read=_read, change=_change, remove=_remove)
