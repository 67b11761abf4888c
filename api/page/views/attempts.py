"""Attempts: those that are looked for, and one with its time line."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from attrs import frozen

from api.page.routes import PageReply, Visit, number_in, shows
from dialer.errors import BadValue
from dialer.management import call_records
from dialer.model.flow import Disposition
from dialer.time_kinds import Moment

PAGE: Final = 50
STEPS: Final = ("planned_at", "sent_at", "rang_at", "answered_at", "ended_at")


@frozen(kw_only=True)
class TimeLineStep:
    """Something that happened to a call: which of `STEPS`, when, and seconds after the step before."""

    name: str
    at: datetime
    after: float | None


def time_line(record: dict[str, Any]) -> list[TimeLineStep]:
    """The course of a call, in order."""
    found: list[TimeLineStep] = []
    for name in STEPS:
        if record[name] is not None:
            at = Moment().parse(record[name])
            found.append(TimeLineStep(name=name, at=at, after=(at - found[-1].at).total_seconds() if found else None))
    return found


async def filter_of(visit: Visit) -> tuple[dict[str, str], call_records.RecordFilter]:
    """What the query says, and what that means: the newest come first. Raises `BadValue`, `NotFound`."""
    query = {name: value for name, value in visit.query.items() if value}
    given: dict[str, Any] = {"newest_first": True}
    if "campaign" in query:
        given["campaign_id"] = number_in(query["campaign"], "campaign")
    if "disposition" in query:
        if query["disposition"] not in tuple(Disposition):
            raise BadValue("disposition", f"expected one of {', '.join(Disposition)}")
        given["disposition"] = query["disposition"]
    return query, await visit.ask(call_records.entered, query.get("number"), given)


async def _list(visit: Visit) -> PageReply:
    query, wanted = await filter_of(visit)
    step = await call_records.page(visit.management, visit.who, wanted, _place(query.get("after", "")), PAGE)
    values = {
        "records": [call_records.as_object(each) for each in step.records],
        "query": {name: query.get(name, "") for name in ("number", "campaign", "disposition")},
        "dispositions": list(Disposition),
        "more": "" if step.place is None else f"{step.place.planned_at.isoformat()}~{step.place.id}",
    }
    return PageReply(template="attempts.html", values=values)


def _place(text: str) -> call_records.RecordPlace | None:
    """Where a page begins. Raises `BadValue`."""
    moment, _, key = text.partition("~")
    if not text:
        return None
    try:
        return call_records.RecordPlace(Moment().parse(moment), number_in(key, "attempt"))
    except ValueError:
        raise BadValue("after", "is not of this list") from None


async def _show(visit: Visit) -> PageReply:
    record = call_records.as_object(await visit.ask(call_records.read, visit.who, visit.path["attempt"]))
    facts = [(name, record[name]) for name in call_records.NAMES if name not in ("session", *STEPS)]
    values = {
        "record": record,
        "steps": time_line(record),
        "facts": [(name, value) for name, value in facts if value not in (None, "")],
    }
    return PageReply(template="attempt.html", values=values)


ROUTES: Final = (shows("attempts", _list), shows("attempts/<attempt>", _show))
