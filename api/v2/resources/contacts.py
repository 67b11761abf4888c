"""`phonebooks/<id>/contacts`: the contacts of a phonebook."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Body, Encoder, answer, enterable
from api.v2.pages import Page, page_of
from api.v2.routes import Asked, Current, Route
from dialer.management import contact_list, contacts
from dialer.model import Contact, Scope

_SHOWN: Final = Encoder(Contact)

CONTACT: Final = answer("Contact", "Somebody to call.", _SHOWN.properties, _SHOWN.encoder())
NEW: Final = Body(name="NewContact", attributes=enterable(Contact))
CHANGED: Final = Body(name="ChangedContact", attributes=enterable(Contact), merges=True)


def _list(asked: Asked) -> Deferred[Any]:
    """The contacts of a phonebook, the oldest first."""
    return asked.ask(contact_list.page, asked.who, asked.path["phonebook_id"], asked.after or 0, asked.limit)


def _read(asked: Asked) -> Deferred[Any]:
    """One contact of a phonebook."""
    found = asked.ask(contact_list.read, asked.who, asked.path["phonebook_id"], asked.path["contact_id"])
    return found.addCallback(lambda each: each.contact)


def _add(asked: Asked) -> Deferred[Any]:
    """Add a contact to a phonebook; the campaigns that use it call it."""
    return asked.ask(contacts.added, asked.who, asked.path["phonebook_id"], asked.body)


def _change(asked: Asked) -> Deferred[Any]:
    """Change a contact: a merge patch. With another consent, campaigns that ask for one ask again."""
    return asked.ask(contact_list.change_there, asked.who, asked.path["phonebook_id"], asked.path["contact_id"], asked.body)


_CURRENT: Final = Current(
    use_case=contact_list.locked,
    args=lambda asked: (asked.who, asked.path["phonebook_id"], asked.path["contact_id"]),
    answer=CONTACT,
)

ROUTES: Final = (
    Route(
        method="GET",
        path="phonebooks/<phonebook_id>/contacts",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(CONTACT),
        page=Page(place=lambda contact: contact.id),
    ),
    Route(
        method="POST",
        path="phonebooks/<phonebook_id>/contacts",
        scope=Scope.DIAL,
        serve=_add,
        body=NEW,
        answer=CONTACT,
        status=201,
        location="phonebooks/{phonebook_id}/contacts/{id}",
        refusals=("limit-exceeded", "already-exists"),
    ),
    Route(
        method="GET",
        path="phonebooks/<phonebook_id>/contacts/<contact_id>",
        scope=Scope.READ,
        serve=_read,
        answer=CONTACT,
    ),
    Route(
        method="PATCH",
        path="phonebooks/<phonebook_id>/contacts/<contact_id>",
        scope=Scope.DIAL,
        serve=_change,
        body=CHANGED,
        answer=CONTACT,
        current=_CURRENT,
        refusals=("already-exists",),
    ),
)
