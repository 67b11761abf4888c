"""What is looked at: events as they happen, the doctor's findings, the audit log."""

from __future__ import annotations

from typing import Final

import orjson

from api.page.live import LISTED, Picture, PictureStream
from api.page.routes import PageReply, Visit, changes, number_in, shows
from api.page.views.overview import PARTS, expect, picture_stream
from dialer.errors import NotFound
from dialer.management import audit_log
from dialer.management.overview import newest_events
from dialer.model import Scope
from dialer.model.event import EventKind

EVENTS: Final = 60
PAGE: Final = 50


async def _picture(visit: Visit) -> Picture:
    found = await visit.ask(newest_events, visit.who, EVENTS)
    made = str(visit.site.renderer.macro(PARTS, "events")(found, {}))
    return Picture(target="live", shape=(), parts={"events": made}, whole=made)


async def _events(visit: Visit) -> PageReply:
    await expect(visit, LISTED)
    return PageReply(template="events.html", values={"live": (await _picture(visit)).whole})


async def _follow(visit: Visit) -> PictureStream:
    return picture_stream(visit, ("events", visit.who), lambda: _picture(visit), frozenset(EventKind))


async def _doctor(visit: Visit) -> PageReply:
    if visit.management.examine is None:
        raise NotFound("doctor", "")
    return PageReply(template="doctor.html", values={"found": None})


async def _examine(visit: Visit) -> PageReply:
    """It makes a call on the switch: no page of somebody else has it made."""
    if visit.management.examine is None:
        raise NotFound("doctor", "")
    found = await visit.management.examine()
    await visit.note("", {})
    return PageReply(template="doctor.html", values={"found": found})


async def _audit(visit: Visit) -> PageReply:
    before = number_in(visit.query["before"], "entry") if "before" in visit.query else None
    found = await visit.ask(audit_log.listed, visit.who, before, PAGE + 1)
    more = found[PAGE - 1].id if len(found) > PAGE else None
    entries = [(entry, orjson.loads(entry.details)) for entry in found[:PAGE]]
    return PageReply(template="audit.html", values={"found": entries, "more": more})


ROUTES: Final = (
    shows("events", _events),
    shows("live/events", _follow, streams=True),
    shows("doctor", _doctor, scope=Scope.ADMIN, superusers=True),
    changes("doctor", _examine, scope=Scope.ADMIN, superusers=True),
    shows("audit", _audit),
)
