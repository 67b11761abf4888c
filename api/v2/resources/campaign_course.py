"""`campaigns/<id>/...`: how far a campaign is, what became of its contacts, and contacts that are called again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred

from api.newfies.answers import STATES
from api.v2.attributes import ID, Attribute, Body, answer
from api.v2.pages import Page, Portion, page_of
from api.v2.resources.attempts import FORMAT
from api.v2.resources.campaigns import COUNTS, MOMENT_OR_NONE
from api.v2.routes import Asked, Current, File, Route
from api.v2.shapes import Schema, shown_moment
from dialer.kinds import Flag, Number, Text, Word
from dialer.list_kinds import Words
from dialer.management import outcomes, phonebooks, redial, removals, reports, subscribers
from dialer.management.redial import Redialled
from dialer.management.subscribers import DONE
from dialer.model import CampaignReport, Disposition, Scope, SubscriberReport, SubscriberStatus

_NUMBER: Final[Schema] = {"type": "integer"}
_OF: Final = "campaigns/<campaign_id>"
_STATUSES: Final = {word: status for status, word in STATES.items()}
_FINISHED: Final = (*DONE, SubscriberStatus.NOT_AUTHORISED)

# --- how far it is ----------------------------------------------------------------------------------------------------------


def _moment(moment: Any) -> str | None:
    return None if moment is None else shown_moment(moment)


def _progressed(report: CampaignReport) -> dict[str, Any]:
    progress = report.progress
    return {
        "campaign_id": report.details.campaign.id,
        "total": sum(progress.subscribers.values()),
        "done": sum(progress.subscribers.get(status, 0) for status in _FINISHED),
        "contacts": {word: progress.subscribers.get(status, 0) for status, word in STATES.items()},
        "waiting": progress.waiting,
        "next_ready_at": _moment(progress.next_ready_at),
        "live_calls": report.live_calls,
        "finished_at": _moment(report.finished_at),
    }


PROGRESS: Final = answer(
    "Progress",
    "How far a campaign is.",
    {
        "campaign_id": _NUMBER,
        "total": {**_NUMBER, "description": "its contacts"},
        "done": {**_NUMBER, "description": "of these, those that will not be called any more"},
        "contacts": COUNTS,
        "waiting": {**_NUMBER, "description": "pending contacts, where none of them is due yet"},
        "next_ready_at": {**MOMENT_OR_NONE, "description": "when the first of these is due"},
        "live_calls": _NUMBER,
        "finished_at": {**MOMENT_OR_NONE, "description": "the end of the last call, when nobody is left to call"},
    },
    _progressed,
)


def _progress(asked: Asked) -> Deferred[CampaignReport]:
    """How far a campaign is."""
    return Deferred.fromCoroutine(reports.progress(asked.management, asked.who, asked.path["campaign_id"]))


# --- what became of its contacts --------------------------------------------------------------------------------------------


def _subscribed(report: SubscriberReport) -> dict[str, Any]:
    subscriber = report.subscriber
    return {
        "number": subscriber.number,
        "contact_id": subscriber.contact_id,
        "state": STATES[subscriber.status],
        "tries": subscriber.count_attempt,
        "last_attempt_at": _moment(subscriber.last_attempt_at),
        "next_attempt_at": _moment(report.next_attempt_at),
        "disposition": None if report.disposition is None else str(report.disposition),
        "reason": report.reason,
    }


SUBSCRIBER: Final = answer(
    "CampaignContact",
    "A contact in a campaign.",
    {
        "number": {"type": "string"},
        "contact_id": _NUMBER,
        "state": {"type": "string", "enum": list(_STATUSES)},
        "tries": {**_NUMBER, "description": "attempts that count"},
        "last_attempt_at": {**MOMENT_OR_NONE, "description": "when the last one that counts was begun"},
        "next_attempt_at": {**MOMENT_OR_NONE, "description": "not called before; null when it is not waiting"},
        "disposition": {"enum": [*map(str, Disposition), None], "description": "of the last attempt"},
        "reason": {"type": ["string", "null"], "description": "what was decided then, and why"},
    },
    _subscribed,
)
_WANTED: Final = Attribute(name="state", kind=Words(tuple(_STATUSES)), doc="those in one of these states, with commas between")
_ANY_NUMBER: Final = Attribute(name="number", kind=Number(64, 1), doc="the number, in any spelling", required=True)
_SETTABLE: Final = Attribute(
    name="state",
    kind=Word(tuple(word for status, word in STATES.items() if status <= SubscriberStatus.COMPLETE)),
    doc="takes effect at the end of a live call, if there is one",
    required=True,
)
CHANGED: Final = Body(name="ChangedCampaignContact", attributes=(_SETTABLE,), merges=True)


def _contacts(asked: Asked) -> Deferred[Portion]:
    """The contacts of a campaign in the order of their numbers: what became of them, and what comes next."""
    return Deferred.fromCoroutine(_some(asked))


async def _some(asked: Asked) -> Portion:
    words = asked.query.get("state", tuple(_STATUSES))
    found = await subscribers.portion(
        asked.management,
        asked.who,
        asked.path["campaign_id"],
        frozenset(_STATUSES[word] for word in words),
        asked.after or "",
        asked.limit - 1,
    )
    return Portion(entries=found.entries, place=found.after)


def _contact(asked: Asked) -> Deferred[SubscriberReport]:
    """One contact of a campaign, by its number in any spelling."""
    return asked.ask(subscribers.read, asked.who, asked.path["campaign_id"], asked.path["number"])


def _set_state(asked: Asked) -> Deferred[SubscriberReport]:
    """Have a contact called again, paused, or not called any more in this campaign."""
    key, number = asked.path["campaign_id"], asked.path["number"]
    wanted = _STATUSES[asked.body["state"]] if "state" in asked.body else None
    return asked.ask(subscribers.changed, asked.who, key, number, wanted)


def _report(asked: Asked) -> Deferred[File]:
    """What became of the contacts of a campaign, as a file: each with its state and its last attempt."""
    return Deferred.fromCoroutine(_file(asked))


async def _file(asked: Asked) -> File:
    word = asked.query["format"]
    pages = outcomes.pages(asked.management, asked.who, asked.path["campaign_id"])
    first = await anext(pages)  # what is wrong with the request is told before anything is sent
    content_type, head, encode = outcomes.FORMATS[word]
    return File(content_type=content_type, name=f"contacts.{word}", pieces=_pieces(head + encode(first), pages, encode))


async def _pieces(first: bytes, pages: AsyncGenerator[Any], encode: Any) -> AsyncGenerator[bytes]:
    yield first
    async for rows in pages:
        yield encode(rows)


# --- whose contacts it calls ------------------------------------------------------------------------------------------------

_BOOK: Final = Attribute(
    name="phonebook_id", kind=ID, doc="a phonebook of the campaign's user", required=True, refers_to="phonebook"
)
ATTACHED_BOOK: Final = Body(name="CampaignPhonebook", attributes=(_BOOK,))


def _attached(found: tuple[int, int, int]) -> dict[str, Any]:
    campaign_id, phonebook_id, added = found
    return {"campaign_id": campaign_id, "phonebook_id": phonebook_id, "added": added}


ATTACHED: Final = answer(
    "AttachedPhonebook",
    "A phonebook that a campaign calls.",
    {
        "campaign_id": _NUMBER,
        "phonebook_id": _NUMBER,
        "added": {**_NUMBER, "description": "contacts of it that the campaign did not have yet"},
    },
    _attached,
)


def _attach(asked: Asked) -> Deferred[Any]:
    """Have a campaign call the contacts of a phonebook, too, those that come later among them."""
    key, book = asked.path["campaign_id"], asked.body["phonebook_id"]
    attach = partial(phonebooks.attach, asked.management, asked.who, key, book)
    return asked.ask_after(attach, phonebooks.attached, asked.who, key, book)


def _detach(asked: Asked) -> Deferred[None]:
    """Have a campaign call the contacts of a phonebook no more, unless another one of it has them; their attempts stay."""
    key, book = asked.path["campaign_id"], asked.path["phonebook_id"]
    return Deferred.fromCoroutine(removals.detach(asked.management, asked.who, key, book))


# --- called again -----------------------------------------------------------------------------------------------------------

_STATES: Final = Attribute(
    name="states",
    kind=Words(tuple(word for word, status in _STATUSES.items() if status in DONE)),
    doc="those in one of these states",
    default=("failed",),
)
_DISPOSITIONS: Final = Attribute(
    name="dispositions",
    kind=Words(tuple(map(str, Disposition))),
    doc="of these, those whose last attempt ended in one of these ways; all of them where none is named",
)
_AFTER: Final = Attribute(name="after", kind=Text(64), doc="`after` of the answer before, to go on from there", default="")
DRY_RUN: Final = Attribute(
    name="dry_run", kind=Flag(), doc="true: nothing is changed, and the answer tells what would be", default=False
)
REDIAL: Final = Body(name="Redial", attributes=(_STATES, _DISPOSITIONS, _AFTER, DRY_RUN))


def _redialled(done: Redialled) -> dict[str, Any]:
    return {"looked_at": done.looked_at, "changed": done.changed, "after": done.after, "dry_run": done.dry_run}


REDIALLED: Final = answer(
    "Redialled",
    "What came of it.",
    {
        "looked_at": {**_NUMBER, "description": f"contacts; at most {redial.AT_ONCE} by a request"},
        "changed": {**_NUMBER, "description": "that are called again, or would be"},
        "after": {"type": ["string", "null"], "description": "where there are more: what the next request begins behind"},
        "dry_run": {"type": "boolean"},
    },
    _redialled,
)


def _redial(asked: Asked) -> Deferred[Redialled]:
    """Call contacts again that are done: each once more, and more often as far as `max_retry` allows."""
    statuses = frozenset(_STATUSES[word] for word in asked.body.get("states", _STATES.default))
    ends = frozenset(map(Disposition, asked.body.get("dispositions", ())))
    more = asked.body.get("after", ""), asked.body.get("dry_run", False)
    return asked.ask(redial.redial, asked.who, asked.path["campaign_id"], statuses, ends, *more)


# --- routes -----------------------------------------------------------------------------------------------------------------

ROUTES: Final = (
    Route(method="GET", path=f"{_OF}/progress", scope=Scope.READ, serve=_progress, answer=PROGRESS),
    Route(
        method="GET",
        path=f"{_OF}/report",
        scope=Scope.READ,
        serve=_report,
        parameters=(FORMAT,),
        files=tuple(content_type.partition(";")[0] for content_type, _, _ in outcomes.FORMATS.values()),
    ),
    Route(
        method="POST",
        path=f"{_OF}/phonebooks",
        scope=Scope.DIAL,
        serve=_attach,
        body=ATTACHED_BOOK,
        answer=ATTACHED,
        refusals=("limit-exceeded",),
    ),
    Route(method="DELETE", path=f"{_OF}/phonebooks/<phonebook_id>", scope=Scope.DIAL, serve=_detach, status=204),
    Route(method="POST", path=f"{_OF}/redial", scope=Scope.DIAL, serve=_redial, body=REDIAL, answer=REDIALLED),
    Route(
        method="GET",
        path=f"{_OF}/contacts",
        scope=Scope.READ,
        serve=_contacts,
        answer=page_of(SUBSCRIBER),
        page=Page(place=str, by=str),
        parameters=(_WANTED,),
    ),
    Route(
        method="GET",
        path=f"{_OF}/contacts/<number>",
        scope=Scope.READ,
        serve=_contact,
        answer=SUBSCRIBER,
        parameters=(_ANY_NUMBER,),
    ),
    Route(
        method="PATCH",
        path=f"{_OF}/contacts/<number>",
        scope=Scope.DIAL,
        serve=_set_state,
        body=CHANGED,
        answer=SUBSCRIBER,
        parameters=(_ANY_NUMBER,),
        current=Current(
            use_case=subscribers.locked,
            args=lambda asked: (asked.who, asked.path["campaign_id"], asked.path["number"]),
            answer=SUBSCRIBER,
        ),
    ),
)
