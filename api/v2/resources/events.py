"""`events`: what happens, as it happens; and `past-events`, what has happened."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.event_stream import Wish
from api.v2.attributes import ID, Attribute, answer
from api.v2.pages import Page, Portion, page_of
from api.v2.routes import Asked, Route
from dialer.envelope import EventId, envelope
from dialer.management import live, past_events
from dialer.management.live import StreamStart
from dialer.management.past_events import EventPortion
from dialer.model import Scope
from dialer.model.event import EventKind, EventKinds

_EVERY: Final = frozenset(EventKind)

_KINDS: Final = Attribute(
    name="kinds", kind=EventKinds(), doc="kinds of events and patterns of them, with commas between; all by default"
)
_CAMPAIGN: Final = Attribute(name="campaign", kind=ID, doc="the id of the campaign whose events alone are told")
_AFTER: Final = Attribute(
    name="after", kind=EventId(), doc="begin behind the event with this id; the header Last-Event-ID comes first"
)
_NUMBER: Final = {"type": "integer"}
_ID_OR_NONE: Final = {"type": ["integer", "null"]}
_TEXT_OR_NONE: Final = {"type": ["string", "null"]}
EVENT: Final = answer(
    "Event",
    "Something that happened, as webhooks and live events tell it.",
    {
        "id": EventId().schema(),
        "type": {"type": "string", "enum": [str(kind) for kind in EventKind]},
        "version": {**_NUMBER, "description": "of its data"},
        "timestamp": {"type": "string", "format": "date-time"},
        "sequence": {**_NUMBER, "description": "its place among the events of its attempt"},
        "campaign_id": _ID_OR_NONE,
        "contact_id": _ID_OR_NONE,
        "attempt_id": {**_TEXT_OR_NONE, "description": "the UUID of the call's channel"},
        "reference": {**_TEXT_OR_NONE, "description": "your own word for the contact"},
        "data": {"type": "object"},
    },
    envelope,
)


def _follow(asked: Asked) -> Deferred[tuple[Wish, StreamStart]]:
    """What happens, as it happens: server-sent events."""
    campaign = asked.query.get("campaign")
    wish = Wish(kinds=asked.query.get("kinds", _EVERY), campaign_id=campaign)
    after: Any = asked.after or asked.query.get("after")
    return asked.ask(live.begin, asked.who, after, campaign).addCallback(lambda beginning: (wish, beginning))


def _past(asked: Asked) -> Deferred[Portion]:
    """What has happened, the newest first: the events that somebody asked for, as long as they are kept."""
    kinds, campaign = asked.query.get("kinds", _EVERY), asked.query.get("campaign")
    found = asked.ask(past_events.portion, asked.who, kinds, campaign, asked.after, asked.limit - 1)
    return found.addCallback(_portion)


def _portion(found: EventPortion) -> Portion:
    return Portion(entries=found.events, place=found.before)


ROUTES: Final = (
    Route(
        method="GET",
        path="events",
        scope=Scope.READ,
        serve=_follow,
        streams=True,
        parameters=(_KINDS, _CAMPAIGN, _AFTER),
    ),
    Route(
        method="GET",
        path="past-events",
        scope=Scope.READ,
        serve=_past,
        answer=page_of(EVENT),
        page=Page(place=int, by=int),
        parameters=(_KINDS, _CAMPAIGN),
    ),
)
