"""`phonebooks`: lists of contacts."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import ID, Attribute, Body, Encoder, answer, enterable
from api.v2.nouns import TAKEN, NounRoutes
from api.v2.pages import sorted_page
from api.v2.routes import Asked
from dialer.declare import noun_of
from dialer.kinds import Nullable
from dialer.management import phonebooks, removals
from dialer.model import Phonebook, Scope

_SHOWN: Final = Encoder(Phonebook)

PHONEBOOK: Final = answer("Phonebook", "A list of contacts.", _SHOWN.properties, _SHOWN.encoder())

_CAMPAIGN: Final = Attribute(
    name="campaign_id", kind=Nullable(ID), doc="a campaign that calls its contacts", default=None, refers_to="campaign"
)
NEW: Final = Body(name="NewPhonebook", attributes=(*enterable(Phonebook), _CAMPAIGN))
CHANGED: Final = Body(name="ChangedPhonebook", attributes=enterable(Phonebook), merges=True)
_NAME: Final = Attribute(name="name", kind=noun_of(Phonebook).field("name").kind, doc="only those of this name")


def _list(asked: Asked) -> Deferred[Any]:
    """Your phonebooks, the newest first."""
    return asked.ask(phonebooks.listed, asked.who, asked.part, asked.query.get("name"))


def _read(asked: Asked) -> Deferred[Any]:
    """One phonebook."""
    return asked.ask(phonebooks.read, asked.who, asked.path["phonebook_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Create a phonebook, for a campaign when one is named."""
    given = {name: value for name, value in asked.body.items() if name != _CAMPAIGN.name}
    return asked.ask(phonebooks.create, asked.who, given, asked.body.get(_CAMPAIGN.name))


def _change(asked: Asked) -> Deferred[Any]:
    """Change a phonebook: a merge patch; the region only while there are no contacts."""
    return asked.ask(phonebooks.change, asked.who, asked.path["phonebook_id"], asked.body)


def _delete(asked: Asked) -> Deferred[None]:
    """Remove a phonebook with its contacts, which no campaign calls any more; the attempts of the past stay."""
    removed = removals.phonebook(asked.management, asked.who, asked.path["phonebook_id"], asked.ask)
    return Deferred.fromCoroutine(removed)


PHONEBOOKS: Final = NounRoutes(
    path="phonebooks",
    key="phonebook_id",
    answer=PHONEBOOK,
    new=NEW,
    changed=CHANGED,
    page=sorted_page(Phonebook, "name", "created_at", default="-id"),
    filters=(_NAME,),
    locked=phonebooks.locked,
    writers=Scope.DIAL,
    refused_new=TAKEN,
    refused_change=TAKEN,
)

ROUTES: Final = PHONEBOOKS.routes(listed=_list, create=_create, read=_read, change=_change, remove=_delete)
