"""`events`: what happens, as it happens."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.event_stream import Wish
from api.v2.attributes import ID, Attribute
from api.v2.routes import Asked, Route
from dialer.envelope import EventId
from dialer.management import live
from dialer.management.live import StreamStart
from dialer.model import Scope
from dialer.model.event import EventKind, EventKinds

_EVERY: Final = frozenset(EventKind)

_PARAMETERS: Final = (
    Attribute(
        name="kinds", kind=EventKinds(), doc="kinds of events and patterns of them, with commas between; all by default"
    ),
    Attribute(name="campaign", kind=ID, doc="the id of the campaign whose events alone are told"),
    Attribute(name="after", kind=EventId(), doc="begin behind the event with this id; the header Last-Event-ID comes first"),
)


def _follow(asked: Asked) -> Deferred[tuple[Wish, StreamStart]]:
    """What happens, as it happens: server-sent events."""
    campaign = asked.query.get("campaign")
    wish = Wish(kinds=asked.query.get("kinds", _EVERY), campaign_id=campaign)
    after: Any = asked.after or asked.query.get("after")
    return asked.ask(live.begin, asked.who, after, campaign).addCallback(lambda beginning: (wish, beginning))


ROUTES: Final = (Route(method="GET", path="events", scope=Scope.READ, serve=_follow, streams=True, parameters=_PARAMETERS),)
