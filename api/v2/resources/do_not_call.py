"""`do-not-call`: the entries of the list that holds for everybody, which superusers keep. `do_not_call_lists` has the
others."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Attribute, Body, Encoder, answer, enterable
from api.v2.pages import Page, page_of
from api.v2.routes import Asked, Current, Route
from dialer.kinds import Number
from dialer.management import do_not_call
from dialer.model import DoNotCallEntry, Scope
from dialer.model.do_not_call import EVERYBODYS

_SHOWN: Final = Encoder(DoNotCallEntry, ())

ENTRY: Final = answer("DoNotCallEntry", "A number that is not called.", _SHOWN.properties, _SHOWN.encoder())
NEW: Final = Body(name="NewDoNotCallEntry", attributes=enterable(DoNotCallEntry))
NUMBER: Final = Attribute(name="number", kind=Number(64, 1), doc="the number, in any spelling", required=True)


def _list(asked: Asked) -> Deferred[Any]:
    """The numbers, in their order."""
    return asked.ask(do_not_call.page, asked.who, EVERYBODYS, asked.after or "", asked.limit)


def _read(asked: Asked) -> Deferred[Any]:
    """The entry of a number, however it is spelled there."""
    return asked.ask(do_not_call.read, asked.who, EVERYBODYS, asked.path["number"])


def _add(asked: Asked) -> Deferred[Any]:
    """Put a number on the list; one that is there stays as it is, unless it would expire before."""
    return asked.ask(do_not_call.add_one, asked.who, EVERYBODYS, asked.body)


def _remove(asked: Asked) -> Deferred[Any]:
    """Take a number off the list: it may be called again."""
    return asked.ask(do_not_call.remove_one, asked.who, EVERYBODYS, asked.path["number"])


_CURRENT: Final = Current(
    use_case=do_not_call.read, args=lambda asked: (asked.who, EVERYBODYS, asked.path["number"]), answer=ENTRY
)

ROUTES: Final = (
    Route(
        method="GET",
        path="do-not-call",
        scope=Scope.ADMIN,
        serve=_list,
        answer=page_of(ENTRY),
        page=Page(place=lambda entry: entry.number, by=str),
    ),
    Route(
        method="POST",
        path="do-not-call",
        scope=Scope.ADMIN,
        serve=_add,
        body=NEW,
        answer=ENTRY,
        status=201,
    ),
    Route(
        method="GET",
        path="do-not-call/<number>",
        scope=Scope.ADMIN,
        serve=_read,
        answer=ENTRY,
        parameters=(NUMBER,),
    ),
    Route(
        method="DELETE",
        path="do-not-call/<number>",
        scope=Scope.ADMIN,
        serve=_remove,
        status=204,
        parameters=(NUMBER,),
        current=_CURRENT,
    ),
)
