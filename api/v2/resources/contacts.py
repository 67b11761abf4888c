"""`contacts`, and those of a phonebook: added one by one or many at once, looked for, changed, removed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from attrs import evolve
from twisted.internet.defer import Deferred

from api.v2.attributes import ID, Attribute, Body, Encoder, answer, enterable
from api.v2.pages import page_of, sorted_page
from api.v2.problems import Problem
from api.v2.resources.campaign_course import DRY_RUN
from api.v2.routes import Asked, Current, Route
from dialer.declare import noun_of
from dialer.kinds import Number
from dialer.list_kinds import Objects, Texts, VariableChanges
from dialer.management import contact_list, contact_search, contacts, many_contacts
from dialer.management.contact_list import VARIABLES
from dialer.management.many_contacts import ManyAdded, ManyRemoved, RefusedItem
from dialer.model import Contact, Scope

_SHOWN: Final = Encoder(Contact)
_INTEGER: Final = {"type": "integer"}

CONTACT: Final = answer("Contact", "Somebody to call.", _SHOWN.properties, _SHOWN.encoder())
NEW: Final = Body(name="NewContact", attributes=enterable(Contact))


def _changeable(attribute: Attribute) -> Attribute:
    """Of the variables, null takes one away, and those that are not named stay."""
    return evolve(attribute, kind=VariableChanges()) if attribute.name == VARIABLES else attribute


CHANGED: Final = Body(name="ChangedContact", attributes=tuple(map(_changeable, enterable(Contact))), merges=True)
_NUMBER: Final = Attribute(name="number", kind=Number(64, 1), doc="those of this number, in any spelling")
_REFERENCE: Final = Attribute(name="reference", kind=noun_of(Contact).field("reference").kind, doc="the one of this reference")
_OF_BOOK: Final = Attribute(name="phonebook_id", kind=ID, doc="those of this phonebook alone")
_SORTED: Final = sorted_page(Contact, "number")


def _list(asked: Asked) -> Deferred[Any]:
    """The contacts of a phonebook."""
    key, number, reference = asked.path["phonebook_id"], asked.query.get("number"), asked.query.get("reference")
    if number is None and not reference:
        return asked.ask(contact_list.page, asked.who, key, asked.part)
    return asked.ask(contact_search.found, asked.who, asked.part, number, reference, key)


def _search(asked: Asked) -> Deferred[Any]:
    """The contacts of all your phonebooks that have a number or a reference."""
    given = (asked.query.get(each.name) for each in (_NUMBER, _REFERENCE, _OF_BOOK))
    return asked.ask(contact_search.found, asked.who, asked.part, *given)


def _read(asked: Asked) -> Deferred[Any]:
    """One contact of a phonebook."""
    found = asked.ask(contact_list.read, asked.who, asked.path["phonebook_id"], asked.path["contact_id"])
    return found.addCallback(lambda each: each.contact)


def _add(asked: Asked) -> Deferred[Any]:
    """Add a contact to a phonebook; the campaigns that use it call it."""
    return asked.ask(contacts.added, asked.who, asked.path["phonebook_id"], asked.body)


def _change(asked: Asked) -> Deferred[Any]:
    """Change a contact: a merge patch. Its number may get another spelling; another number is another contact.

    With another consent, campaigns that ask for one ask again."""
    given = {name: value for name, value in asked.body.items() if name != VARIABLES}
    variables = asked.body.get(VARIABLES)
    return asked.ask(contact_list.changed, asked.who, asked.path["phonebook_id"], asked.path["contact_id"], given, variables)


def _remove(asked: Asked) -> Deferred[Any]:
    """Remove a contact, which no campaign calls any more; its attempts stay."""
    return asked.ask(contact_list.remove, asked.who, asked.path["phonebook_id"], asked.path["contact_id"])


# --- many -------------------------------------------------------------------------------------------------------------------

_CONTACTS: Final = Attribute(
    name="contacts", kind=Objects(many_contacts.MOST_ADDED, NEW.name), doc="each as for one", required=True
)
NEW_ONES: Final = Body(name="NewContacts", attributes=(_CONTACTS, DRY_RUN))


def _added(found: ManyAdded) -> dict[str, Any]:
    refused = [{"index": each.index, "reason": each.reason, "detail": each.detail} for each in found.refused]
    return {"taken": found.taken, "known": found.known, "refused": refused, "dry_run": found.dry_run}


ADDED: Final = answer(
    "AddedContacts",
    "What became of the contacts.",
    {
        "taken": {**_INTEGER, "description": "that were added, or would be in a dry run"},
        "known": {**_INTEGER, "description": "whose numbers the phonebook had already: these stay as they are"},
        "refused": {
            "type": "array",
            "description": "the others",
            "items": {
                "type": "object",
                "properties": {
                    "index": {**_INTEGER, "description": "the place in the list, from 0 on"},
                    "reason": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["index", "reason", "detail"],
                "additionalProperties": False,
            },
        },
        "dry_run": {"type": "boolean"},
    },
    _added,
)


def _readable(given: Sequence[dict[str, Any]]) -> tuple[list[tuple[int, dict[str, Any]]], list[RefusedItem]]:
    found, refused = [], []
    for index, each in enumerate(given):
        try:
            found.append((index, NEW.parse(each)))
        except Problem as problem:
            refused.append(RefusedItem(index=index, reason="value not allowed", detail=problem.detail))
    return found, refused


def _add_many(asked: Asked) -> Deferred[ManyAdded]:
    """Add many contacts to a phonebook, as far as they can be; the answer names the others."""
    found, refused = _readable(asked.body["contacts"])
    dry_run = asked.body.get("dry_run", False)
    return asked.ask(many_contacts.add, asked.who, asked.path["phonebook_id"], found, refused, dry_run)


_TEXTS: Final = partial(Attribute, kind=Texts(many_contacts.MOST_REMOVED), default=())
REMOVED_ONES: Final = Body(
    name="ContactsToRemove",
    attributes=(
        _TEXTS(name="numbers", doc="those of these numbers, in any spelling"),
        _TEXTS(name="references", doc="and those of these references"),
        DRY_RUN,
    ),
)


def _removed(found: ManyRemoved) -> dict[str, Any]:
    keys = list(found.contact_ids)
    return {"removed": len(keys), "contact_ids": keys, "unknown": list(found.unknown), "dry_run": found.dry_run}


REMOVED: Final = answer(
    "RemovedContacts",
    "The contacts that were removed.",
    {
        "removed": {**_INTEGER, "description": "how many were removed, or would be in a dry run"},
        "contact_ids": {"type": "array", "items": _INTEGER},
        "unknown": {
            "type": "array",
            "items": {"type": "string"},
            "description": "numbers and references of which the phonebook has no contact",
        },
        "dry_run": {"type": "boolean"},
    },
    _removed,
)


def _remove_many(asked: Asked) -> Deferred[ManyRemoved]:
    """Remove many contacts of a phonebook; their attempts stay."""
    wanted = (asked.body.get("numbers", ()), asked.body.get("references", ()), asked.body.get("dry_run", False))
    return asked.ask(many_contacts.remove, asked.who, asked.path["phonebook_id"], *wanted)


# --- routes -----------------------------------------------------------------------------------------------------------------

_OF: Final = "phonebooks/<phonebook_id>/contacts"
_CURRENT: Final = Current(
    use_case=contact_list.locked,
    args=lambda asked: (asked.who, asked.path["phonebook_id"], asked.path["contact_id"]),
    answer=CONTACT,
)

ROUTES: Final = (
    Route(
        method="GET",
        path="contacts",
        scope=Scope.READ,
        serve=_search,
        answer=page_of(CONTACT),
        page=_SORTED,
        parameters=(_NUMBER, _REFERENCE, _OF_BOOK),
    ),
    Route(
        method="GET",
        path=_OF,
        scope=Scope.READ,
        serve=_list,
        answer=page_of(CONTACT),
        page=_SORTED,
        parameters=(_NUMBER, _REFERENCE),
    ),
    Route(
        method="POST",
        path=_OF,
        scope=Scope.DIAL,
        serve=_add,
        body=NEW,
        answer=CONTACT,
        status=201,
        location="phonebooks/{phonebook_id}/contacts/{id}",
        refusals=("limit-exceeded", "already-exists"),
    ),
    Route(method="POST", path=f"{_OF}/batch", scope=Scope.DIAL, serve=_add_many, body=NEW_ONES, answer=ADDED),
    Route(method="POST", path=f"{_OF}/remove", scope=Scope.DIAL, serve=_remove_many, body=REMOVED_ONES, answer=REMOVED),
    Route(method="GET", path=f"{_OF}/<contact_id>", scope=Scope.READ, serve=_read, answer=CONTACT),
    Route(
        method="PATCH",
        path=f"{_OF}/<contact_id>",
        scope=Scope.DIAL,
        serve=_change,
        body=CHANGED,
        answer=CONTACT,
        current=_CURRENT,
        refusals=("already-exists",),
    ),
    Route(method="DELETE", path=f"{_OF}/<contact_id>", scope=Scope.DIAL, serve=_remove, status=204, current=_CURRENT),
)
