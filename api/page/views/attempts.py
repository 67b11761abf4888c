"""Attempts: those that are looked for; one with its time line, from plan to webhook, and its recording."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from attrs import frozen

from api.page.routes import PREFIX, Moved, PageFile, PageReply, Visit, changes, number_in, shows
from dialer.errors import BadValue
from dialer.management import attempt_course, call_records, recordings
from dialer.model.flow import Disposition
from dialer.time_kinds import Moment

PAGE: Final = 50
WAV: Final = "audio/wav"
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
    steps = time_line(record)
    values = {
        "record": record,
        "steps": steps,
        "earlier": await _earlier(visit, record),
        "deliveries": await visit.ask(attempt_course.deliveries, visit.who, record["attempt_id"]),
        "is_recorded": await recordings.is_there(visit.management, visit.who, record["attempt_id"]),
        "facts": [(name, value) for name, value in facts if value not in (None, "")],
    }
    return PageReply(template="attempt.html", values=values)


async def _earlier(visit: Visit, record: dict[str, Any]) -> dict[str, Any] | None:
    """The attempt before it to the same number in its campaign, by whose end it was decided that there is another one."""
    before = {"campaign_id": record["campaign_id"], "until": Moment().parse(record["planned_at"]), "newest_first": True}
    try:
        wanted = await visit.ask(call_records.entered, record["number"], before)
    except BadValue:  # a number that was taken by an older version
        return None
    found = await call_records.page(visit.management, visit.who, wanted, None, 1)
    return call_records.as_object(found.records[0]) if found.records else None


async def _recording(visit: Visit) -> PageFile:
    file = await recordings.content(visit.management, visit.who, visit.path["attempt"])
    return PageFile(content_type=WAV, file=file, kept="download" in visit.query)


async def _remove_recording(visit: Visit) -> Moved:
    call_uuid = visit.path["attempt"]
    await recordings.remove(visit.management, visit.who, call_uuid)
    await visit.note(f"attempt {call_uuid}", {})
    return Moved(to=f"{PREFIX}attempts/{call_uuid}", told="recording-removed")


ROUTES: Final = (
    shows("attempts", _list),
    shows("attempts/<attempt>", _show),
    shows("attempts/<attempt>/recording", _recording),
    changes("attempts/<attempt>/recording/remove", _remove_recording),
)
