"""`attempts`: the records of calls, in lists and as files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from attrs import define
from twisted.internet.defer import Deferred

from api.v2.attributes import ID, YES_OR_NO, Attribute, answer
from api.v2.pages import Page, Portion, page_of
from api.v2.routes import Asked, File, Route
from api.v2.shapes import Schema
from dialer.kinds import LARGEST_ID, Member, Text, Word
from dialer.management import call_records
from dialer.management.call_records import FACTS, Form, RecordColumn, RecordFilter, RecordPlace, Step
from dialer.management.record_files import FORMATS, RecordFormat
from dialer.model import Disposition, Scope
from dialer.time_kinds import Moment

_FORMS: Final[Mapping[Form, Schema]] = {
    Form.NUMBER: {"type": "integer"},
    Form.TEXT: {"type": "string"},
    Form.MOMENT: {"type": "string", "format": "date-time"},
    Form.FLAG: {"type": "boolean"},
    Form.OBJECT: {"type": "object"},
}


def _schema(fact: RecordColumn) -> Schema:
    if fact.words:
        shape: Schema = {"enum": [*fact.words, *(() if fact.always else (None,))]}
        return {**({"type": "string"} if fact.always else {}), **shape, "description": fact.doc}
    form = _FORMS[fact.form]
    return {**(form if fact.always else {"anyOf": [form, {"type": "null"}]}), "description": fact.doc}


ATTEMPT: Final = answer(
    "Attempt",
    "The record of a call. What its end tells is null while it is open.",
    {fact.name: _schema(fact) for fact in FACTS},
    call_records.as_object,
)

UUID: Final = Attribute(name="attempt_id", kind=Text(64, 1), doc="the UUID of the call's channel", required=True)
OLDEST, NEWEST = "planned_at", "-planned_at"

FILTERS: Final = (
    Attribute(name="campaign_id", kind=ID, doc="those of this campaign, be it one that was removed"),
    Attribute(name="number", kind=Text(64, 1), doc="those to this number, in any spelling"),
    Attribute(name="disposition", kind=Member(Disposition), doc="those that ended so"),
    Attribute(name="cause", kind=Text(64, 1), doc="those that ended with this cause, such as USER_BUSY"),
    Attribute(name="gateway_id", kind=ID, doc="those that went through this gateway"),
    Attribute(name="since", kind=Moment(), doc="those that were begun at this moment or later (RFC 3339)"),
    Attribute(name="until", kind=Moment(), doc="those that were begun before this moment"),
    Attribute(name="answered", kind=YES_OR_NO, doc="those that were answered, or those that were not"),
    Attribute(name="ended", kind=YES_OR_NO, doc="those that are over, or those that are not"),
    Attribute(
        name="sort",
        kind=Word((OLDEST, NEWEST)),
        doc="by the moment at which they were begun: the oldest first, or the newest",
        default=OLDEST,
    ),
)
FORMAT: Final = Attribute(
    name="format", kind=Word(tuple(FORMATS)), doc="CSV with a header, or one JSON object a line", default="csv"
)


async def _filter(asked: Asked) -> RecordFilter:
    """The one that the query wants."""
    given = {name: value for name, value in asked.query.items() if name not in ("number", "sort", "format")}
    for name in ("answered", "ended"):
        if name in given:
            given[name] = given[name] == "yes"
    given["newest_first"] = asked.query["sort"] == NEWEST
    return await asked.ask(call_records.entered, asked.query.get("number"), given)


def _portion(found: Any) -> Portion:
    return Portion(entries=found.records, place=found.place)


def _cursor(place: RecordPlace) -> str:
    return f"{place.planned_at.isoformat()} {place.id}"


def _place(text: str) -> RecordPlace:
    moment, _, attempt_id = text.rpartition(" ")
    place = RecordPlace(datetime.fromisoformat(moment).astimezone(UTC), int(attempt_id))
    if _cursor(place) != text or not 0 <= place.id <= LARGEST_ID:
        raise ValueError
    return place


PAGE: Final = Page(place=_cursor, by=str, behind=_place)


def _list(asked: Asked) -> Deferred[Any]:
    """The attempts of your campaigns; for a superuser, all of them."""
    return Deferred.fromCoroutine(_page(asked))


async def _page(asked: Asked) -> Portion:
    wanted = await _filter(asked)
    return _portion(await call_records.page(asked.management, asked.who, wanted, asked.after, asked.limit - 1))


def _of_campaign(asked: Asked) -> Deferred[Any]:
    """The attempts of a campaign, the oldest first."""
    found = asked.ask(call_records.of_campaign, asked.who, asked.path["campaign_id"], asked.after, asked.limit - 1)
    return found.addCallback(_portion)


def _read(asked: Asked) -> Deferred[Any]:
    """One attempt."""
    return asked.ask(call_records.read, asked.who, asked.path["attempt_id"])


AT_ONCE: Final = 500
"""Records of a file that are read and written at once: some milliseconds on the database thread, and on the reactor's."""


def _export(asked: Asked) -> Deferred[Any]:
    """The attempts of your campaigns as a file, all that the filters leave, whatever their number."""
    return Deferred.fromCoroutine(_file(asked))


async def _file(asked: Asked) -> File:
    word = asked.query["format"]
    steps = call_records.steps(asked.management, asked.who, await _filter(asked), limit=AT_ONCE)
    first = await anext(steps)  # what is wrong with the request is told before anything is sent
    file = _File(FORMATS[word], steps, FORMATS[word].head + FORMATS[word].encode(first.records))
    return File(content_type=FORMATS[word].content_type, name=f"attempts.{word}", pieces=file)


@define(eq=False)
class _File:
    """The pieces of a file, of which the first is made."""

    format: RecordFormat
    steps: AsyncGenerator[Step]
    first: bytes | None

    def __aiter__(self) -> _File:
        return self

    async def __anext__(self) -> bytes:
        first, self.first = self.first, None
        return self.format.encode((await anext(self.steps)).records) if first is None else first

    async def aclose(self) -> None:
        """No more are wanted."""
        await self.steps.aclose()


ROUTES: Final = (
    Route(
        method="GET",
        path="campaigns/<campaign_id>/attempts",
        scope=Scope.READ,
        serve=_of_campaign,
        answer=page_of(ATTEMPT),
        page=PAGE,
    ),
    Route(
        method="GET",
        path="attempts",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(ATTEMPT),
        page=PAGE,
        parameters=FILTERS,
    ),
    Route(
        method="GET",
        path="attempts/export",
        scope=Scope.READ,
        serve=_export,
        parameters=(*FILTERS, FORMAT),
        files=tuple(each.content_type.partition(";")[0] for each in FORMATS.values()),
    ),
    Route(method="GET", path="attempts/<attempt_id>", scope=Scope.READ, serve=_read, answer=ATTEMPT, parameters=(UUID,)),
)
