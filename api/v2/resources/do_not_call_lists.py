"""`do-not-call-lists`: lists of numbers that are not called, by nobody, by the campaigns of a user, or by one campaign; their
entries, and what these were."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from attrs import evolve
from twisted.internet.defer import Deferred, succeed

from api.v2.attributes import Attribute, Body, Encoder, answer, enterable
from api.v2.nouns import TAKEN, NounRoutes
from api.v2.pages import Page, page_of
from api.v2.resources.do_not_call import ENTRY, NUMBER
from api.v2.routes import Asked, Current, Route
from api.v2.shapes import Schema
from dialer.declare import noun_of
from dialer.kinds import Numbers
from dialer.management import do_not_call, do_not_call_lists
from dialer.model import DoNotCallEntry, DoNotCallList, Scope

_LONG: Final = 200
"""Numbers from which on they are read on a thread."""
_SHOWN: Final = Encoder(DoNotCallList, ("archived_at", "removed_by"))

LIST: Final = answer("DoNotCallList", "A list of numbers that are not called.", _SHOWN.properties, _SHOWN.encoder())


def _referring(attribute: Attribute) -> Attribute:
    """A user that is not there is no wrong login."""
    return evolve(attribute, refers_to="") if attribute.name == "user_id" else attribute


NEW_LIST: Final = Body(name="NewDoNotCallList", attributes=tuple(map(_referring, enterable(DoNotCallList, without=()))))
CHANGED_LIST: Final = Body(
    name="ChangedDoNotCallList", attributes=enterable(DoNotCallList, without=("user_id", "campaign_id")), merges=True
)

_NUMBERS: Final = Attribute(name="numbers", kind=Numbers(), doc=f"at most {do_not_call.MOST}, in any spelling", required=True)
_COMMON: Final = tuple(each for each in enterable(DoNotCallEntry) if each.name != "number")
NEW_ENTRIES: Final = Body(name="NewDoNotCallEntries", attributes=(_NUMBERS, *_COMMON))
REMOVED_ENTRIES: Final = Body(name="RemovedDoNotCallEntries", attributes=(_NUMBERS,))


def _counts(name: str, told: str, other: str) -> Any:
    properties: dict[str, Schema] = {name: {"type": "integer", "description": told}, other: {"type": "integer"}}
    return properties, lambda found: {name: found.changed, other: found.unchanged}


ADDED: Final = answer(
    "AddedDoNotCallEntries", "How many numbers were put on a list.", *_counts("added", "or hold longer now", "already_there")
)
REMOVED: Final = answer(
    "RemovedDoNotCallEntriesCount",
    "How many numbers were taken off a list.",
    *_counts("removed", "from the list", "not_there"),
)


def _list(asked: Asked) -> Deferred[Any]:
    """Your lists, the oldest first; with the scope admin, those that hold for everybody."""
    return asked.ask(do_not_call_lists.listed, asked.who, asked.after or 0, asked.limit, asked.query.get("name"))


def _read(asked: Asked) -> Deferred[Any]:
    """One list."""
    return asked.ask(do_not_call_lists.read, asked.who, asked.path["list_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Make a list: of your campaigns, of one of them, or, for superusers, of another user or of everybody."""
    return asked.ask(do_not_call_lists.create, asked.who, asked.body)


def _change(asked: Asked) -> Deferred[Any]:
    """Give a list another name or description: a merge patch."""
    return asked.ask(do_not_call_lists.change, asked.who, asked.path["list_id"], asked.body)


def _remove(asked: Asked) -> Deferred[Any]:
    """Remove a list: its entries hold no more."""
    return asked.ask(do_not_call_lists.remove, asked.who, asked.path["list_id"])


def _entries(asked: Asked) -> Deferred[Any]:
    """The entries of a list that hold now, in the order of their numbers; with `number`, those of that number."""
    list_id, number = asked.path["list_id"], asked.query.get("number")
    if number is None:
        return asked.ask(do_not_call.page, asked.who, list_id, asked.after or "", asked.limit)
    found = asked.ask(do_not_call.check, asked.who, list_id, [number])
    return found.addCallback(
        lambda entries: [each for each in entries if each is not None and each.number > (asked.after or "")]
    )


def _add(asked: Asked) -> Deferred[Any]:
    """Put numbers on a list, all or none; those that are there stay as they are, unless they would expire before."""
    given = {name: value for name, value in asked.body.items() if name != "numbers"}
    return asked.ask_after(partial(_parsed, asked, given), do_not_call.add, asked.who, asked.path["list_id"])


def _parsed(asked: Asked, given: dict[str, Any]) -> Deferred[list[DoNotCallEntry]]:
    numbers = asked.body["numbers"]
    parse = partial(do_not_call.entries_of, numbers, asked.management.numbering, given)
    return succeed(parse()) if len(numbers) < _LONG else asked.management.in_thread(parse)


def _take_off(asked: Asked) -> Deferred[Any]:
    """Take numbers off a list, as far as they are there: they may be called again."""
    return asked.ask_after(partial(_parsed, asked, {}), do_not_call.remove_entries, asked.who, asked.path["list_id"])


def _read_entry(asked: Asked) -> Deferred[Any]:
    """The entry of a number that holds now, however it is spelled there."""
    return asked.ask(do_not_call.read, asked.who, asked.path["list_id"], asked.path["number"])


def _remove_entry(asked: Asked) -> Deferred[Any]:
    """Take a number off a list."""
    return asked.ask(do_not_call.remove_one, asked.who, asked.path["list_id"], asked.path["number"])


def _history(asked: Asked) -> Deferred[Any]:
    """All entries that a list ever had, the oldest first: who put them there and took them off, and when."""
    list_id, number = asked.path["list_id"], asked.query.get("number")
    return asked.ask(do_not_call.history, asked.who, list_id, asked.after or 0, asked.limit, number)


LISTS: Final = NounRoutes(
    path="do-not-call-lists",
    key="list_id",
    answer=LIST,
    new=NEW_LIST,
    changed=CHANGED_LIST,
    page=Page(place=lambda each: each.id),
    filters=(Attribute(name="name", kind=noun_of(DoNotCallList).field("name").kind, doc="only those of this name"),),
    locked=do_not_call_lists.locked,
    writers=Scope.DIAL,
    refused_new=TAKEN,
    refused_change=TAKEN,
)
_CURRENT_ENTRY: Final = Current(
    use_case=do_not_call.read, args=lambda asked: (asked.who, asked.path["list_id"], asked.path["number"]), answer=ENTRY
)
_OF_NUMBER: Final = evolve(NUMBER, required=False, doc="only this one, in any spelling")

ROUTES: Final = (
    *LISTS.routes(listed=_list, create=_create, read=_read, change=_change, remove=_remove),
    Route(
        method="GET",
        path=f"{LISTS.one}/entries",
        scope=Scope.READ,
        serve=_entries,
        answer=page_of(ENTRY),
        page=Page(place=lambda entry: entry.number, by=str),
        parameters=(_OF_NUMBER,),
    ),
    Route(method="POST", path=f"{LISTS.one}/entries", scope=Scope.DIAL, serve=_add, body=NEW_ENTRIES, answer=ADDED),
    Route(
        method="POST",
        path=f"{LISTS.one}/entries/remove",
        scope=Scope.DIAL,
        serve=_take_off,
        body=REMOVED_ENTRIES,
        answer=REMOVED,
    ),
    Route(
        method="GET",
        path=f"{LISTS.one}/entries/<number>",
        scope=Scope.READ,
        serve=_read_entry,
        answer=ENTRY,
        parameters=(NUMBER,),
    ),
    Route(
        method="DELETE",
        path=f"{LISTS.one}/entries/<number>",
        scope=Scope.DIAL,
        serve=_remove_entry,
        status=204,
        parameters=(NUMBER,),
        current=_CURRENT_ENTRY,
    ),
    Route(
        method="GET",
        path=f"{LISTS.one}/history",
        scope=Scope.READ,
        serve=_history,
        answer=page_of(ENTRY),
        page=Page(place=lambda entry: entry.id),
        parameters=(_OF_NUMBER,),
    ),
)
