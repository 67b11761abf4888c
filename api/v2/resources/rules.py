"""`rules`: the calling rules that hold for the installation, and when a number may be called by them."""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import Deferred

from api.v2.attributes import YES_OR_NO, Attribute, answer, is_yes
from api.v2.pages import Page, page_of
from api.v2.resources.campaigns import MOMENT_OR_NONE
from api.v2.routes import Asked, Route
from api.v2.shapes import Schema, shown_moment
from dialer.kinds import Member, Text
from dialer.management import rules_in_force
from dialer.management.rules_in_force import COLUMNS, AskedNumber, ToldRow
from dialer.model import Purpose, Scope
from dialer.time_kinds import KnownZone, Moment

_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_OPEN: Final = "; empty: all day"


@frozen
class NumberedRow:
    """A row with its place in the list."""

    place: int
    row: ToldRow


RULE: Final = answer(
    "CallingRule",
    "Something that a place asks of its callers. What it does not say, it does not limit.",
    {
        **dict.fromkeys(COLUMNS, _TEXT),
        "place": {**_TEXT, "description": "a country such as FR, a state such as US-FL, or * for every number"},
        "for": {**_TEXT, "description": "the purposes and the voice that it holds for; empty: all"},
        "weekday": {**_TEXT, "description": f"when calls are allowed, such as 09:00-12:00 14:00-20:00{_OPEN}"},
        "saturday": {**_TEXT, "description": f"the same{_OPEN}"},
        "sunday": {**_TEXT, "description": f"the same{_OPEN}"},
        "holiday": {**_TEXT, "description": "the same; empty: as the day of the week"},
        "source": {**_TEXT, "description": "the statute or regulation that says so"},
        "read_on": {**_TEXT, "description": "when that was read"},
    },
    lambda found: dict(found.row),
)


def _told(found: Any) -> dict[str, Any]:
    return {**found, "until": None if found["until"] is None else shown_moment(found["until"])}


RULING: Final = answer(
    "NumberRuling",
    "Whether a number may be called by the hours of the place where it is, with the rows that hold.",
    {
        "number": _TEXT,
        "identity": {**_TEXT, "description": "its canonical digits"},
        "places": {**_TEXTS, "description": "where it may be"},
        "time_zones": _TEXTS,
        "clocks": {**_TEXTS, "description": "the time there"},
        "rows": {**_TEXTS, "description": "the names of the rows that hold"},
        "ruling": {**_TEXT, "description": "open, closed or never"},
        "until": {**MOMENT_OR_NONE, "description": "when it may be called, where it may not be now"},
        "text": {**_TEXT, "description": "why not"},
        "unknown": {**_TEXT, "description": "what is not known of where it is"},
        "technology": {**_TEXT, "description": "live or prerecorded"},
    },
    _told,
)

_PLACE: Final = Attribute(name="place", kind=Text(10, 1), doc="only those of this country and its states, such as FR")
_IN: Final = Attribute(name="in", kind=Text(10, 1), doc="only those that hold in this place, such as US-FL")
_WHY: Final = (
    Attribute(name="number", kind=Text(64, 1), doc="the number, in any spelling; needed"),
    Attribute(name="at", kind=Moment(), doc="when it is to be called; now, unless it is given"),
    Attribute(name="time_zone", kind=KnownZone(), doc="where the contact is known to be"),
    Attribute(name="purpose", kind=Member(Purpose), doc="of the campaign", default=Purpose.SALES),
    Attribute(name="prerecorded", kind=YES_OR_NO, doc="whether the campaign plays or speaks", default="no"),
)


def _list(asked: Asked) -> Deferred[list[NumberedRow]]:
    """The rows of the calling rules that hold here."""
    return Deferred.fromCoroutine(_listed(asked))


async def _listed(asked: Asked) -> list[NumberedRow]:
    if "in" in asked.query:
        found = await rules_in_force.rows_in(asked.management, asked.query["in"])
    else:
        found = await rules_in_force.rows_of(asked.management, asked.query.get("place", ""))
    after = asked.after or 0
    return [NumberedRow(place, row) for place, row in enumerate(found, start=1) if place > after][: asked.limit]


def _why(asked: Asked) -> Deferred[Any]:
    """Whether a number may be called by the calling rules, and when."""
    query = asked.query
    return Deferred.fromCoroutine(
        rules_in_force.why(
            asked.management,
            AskedNumber(
                number=query.get("number", ""),
                at=query.get("at"),
                time_zone=query.get("time_zone", ""),
                purpose=query["purpose"],
                prerecorded=bool(is_yes(query, "prerecorded")),
            ),
        )
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="rules",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(RULE),
        page=Page(place=lambda found: found.place),
        parameters=(_PLACE, _IN),
    ),
    Route(method="GET", path="rules/why", scope=Scope.READ, serve=_why, answer=RULING, parameters=_WHY),
)
