"""Events that have happened, as far as they were asked for and are kept: the newest first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import orjson
from attrs import frozen

from dialer.management.management import Transaction, verb
from dialer.management.subscribers import check_ours
from dialer.model import Account, EventKind
from dialer.model.event import EVENT_TYPES, Told
from dialer.store import events

LOOKED_AT: Final = 20_000
"""Events that one request looks at: some milliseconds on the database thread."""


@frozen(kw_only=True)
class EventPortion:
    """Some events, and the id before which the next ones are; None when there is nothing before them."""

    events: Sequence[Told]
    before: int | None


@verb
def portion(
    t: Transaction,
    who: Account,
    kinds: Collection[EventKind],
    campaign_id: int | None = None,
    before: int | None = None,
    limit: int = 25,
) -> EventPortion:
    """At most so many events with ids below `before`: those of the user that are of these kinds, and of the campaign where one
    is given; everybody's for a superuser. Where what is wanted is rare, fewer are found than there are. Raises `NotFound` for
    a campaign that is not the user's."""
    if campaign_id is not None:
        check_ours(t.connection, who, campaign_id)
    top = events.last(t.connection) + 1 if before is None else before
    floor = max(top - LOOKED_AT, 1)
    wanted = [str(kind) for kind in kinds if who.is_superuser or not EVENT_TYPES[kind].superusers]
    row = (floor, top, who.is_superuser, who.id, campaign_id is None, campaign_id or 0, orjson.dumps(wanted).decode(), limit)
    found = [events.told(each) for each in t.connection.execute(events.NEWEST.of(t.connection), row).fetchall()]
    if len(found) == limit:
        return EventPortion(events=found, before=found[-1].event.id)
    return EventPortion(events=found, before=floor if floor > events.kept(t.connection).oldest else None)
