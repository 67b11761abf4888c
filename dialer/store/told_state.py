"""What others were told last of things that go on: which campaigns are idle and why, which gateways are down. A change is told
in the transaction that writes it: once, whichever node sees it first.

A campaign has a row while it is idle, a gateway while it is down; `told_state.state` is the reason's code.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from dialer.model import Campaign, EventKind, Gateway, IdleCode, IdleReason, SubscriberStatus
from dialer.store import events
from dialer.store.connection import Connection

OF_CAMPAIGNS: Final = frozenset({EventKind.CAMPAIGN_IDLE, EventKind.CAMPAIGN_FINISHED})
"""The kinds that depend on it."""

_FINISHED: Final = (
    "INSERT INTO told_state (noun, noun_id, state) SELECT 'campaign', c.id, 'all-done' FROM campaign c WHERE c.id = ? "
    "AND c.status = 1 AND c.single = 0 AND NOT EXISTS (SELECT 1 FROM subscriber_count n WHERE n.campaign_id = c.id "
    "AND n.status IN (1, 6) AND n.subscribers > 0) "
    "ON CONFLICT (noun, noun_id) DO UPDATE SET state = 'all-done' WHERE told_state.state <> 'all-done' "
    "RETURNING noun_id"
)
"""Nothing comes back while a contact is pending or being called, when it was told, and of a single call. Parameter:
campaign."""

_IDLE: Final = (
    "INSERT INTO told_state (noun, noun_id, state) SELECT 'campaign', c.id, ? FROM campaign c WHERE c.id = ? AND c.status = 1 "
    "ON CONFLICT (noun, noun_id) DO UPDATE SET state = excluded.state WHERE told_state.state <> excluded.state "
    "RETURNING noun_id"
)
"""Parameters: the reason's code, campaign."""

_FORGET: Final = "DELETE FROM told_state WHERE noun = 'campaign' AND noun_id = ?"

FORGET_GONE: Final = (
    "DELETE FROM told_state WHERE (noun = 'campaign' AND NOT EXISTS (SELECT 1 FROM campaign c WHERE c.id = noun_id "
    "AND c.status = 1)) OR (noun = 'gateway' AND NOT EXISTS (SELECT 1 FROM gateway g WHERE g.id = noun_id))"
)
"""A campaign that is started again tells again why it does not call."""

STATES: Final = "SELECT noun_id, state FROM told_state WHERE noun = 'campaign' AND noun_id > ? AND noun_id <= ?"

_DOWN: Final = (
    "INSERT INTO told_state (noun, noun_id, state) SELECT 'gateway', g.id, 'down' FROM gateway g WHERE g.id = ? "
    "ON CONFLICT (noun, noun_id) DO NOTHING RETURNING noun_id"
)
_UP: Final = "DELETE FROM told_state WHERE noun = 'gateway' AND noun_id = ? RETURNING noun_id"
DOWN: Final = "SELECT g.name FROM told_state s JOIN gateway g ON g.id = s.noun_id WHERE s.noun = 'gateway'"

IS_DOWN: Final = "SELECT 1 FROM told_state WHERE noun = 'gateway' AND noun_id = ?"

_CAMPAIGN: Final = "SELECT user_id, name FROM campaign WHERE id = ?"
_COUNTS: Final = "SELECT status, subscribers FROM subscriber_count WHERE campaign_id = ?"


def tell_finished(connection: Connection, campaign_ids: Iterable[int], at: datetime, wanted: frozenset[EventKind]) -> None:
    """Those of the campaigns in which nobody is left to call have finished, unless that was told. Nothing is written while
    nobody asks for events of that."""
    if not wanted & OF_CAMPAIGNS:
        return
    for campaign_id in campaign_ids:
        changed = connection.execute(_FINISHED, (campaign_id,)).fetchone()
        if changed is not None and EventKind.CAMPAIGN_FINISHED in wanted:
            user_id, name = connection.execute(_CAMPAIGN, (campaign_id,)).fetchone()
            counts = {int(status): int(number) for status, number in connection.execute(_COUNTS, (campaign_id,))}
            facts = {"name": name, **{word: counts.get(int(status), 0) for word, status in _DONE.items()}}
            about = events.About(user_id=user_id, campaign_id=campaign_id)
            events.add(connection, EventKind.CAMPAIGN_FINISHED, at, about, facts)


_DONE: Final = {
    "completed": SubscriberStatus.COMPLETE,
    "failed": SubscriberStatus.FAIL,
    "blocked": SubscriberStatus.NOT_AUTHORISED,
    "aborted": SubscriberStatus.ABORT,
}


def tell_idle(
    connection: Connection, campaign: Campaign, reason: IdleReason, at: datetime, wanted: frozenset[EventKind]
) -> None:
    """A campaign is idle for a reason, unless that was told."""
    if reason.code is IdleCode.ALL_DONE:
        tell_finished(connection, [campaign.id], at, wanted | {EventKind.CAMPAIGN_IDLE})
        return
    changed = connection.execute(_IDLE, (str(reason.code), campaign.id)).fetchone()
    if changed is not None and EventKind.CAMPAIGN_IDLE in wanted:
        facts = {"name": campaign.name, "reason": str(reason.code), "text": reason.text, "until": reason.until}
        about = events.About(user_id=campaign.user_id, campaign_id=campaign.id)
        events.add(connection, EventKind.CAMPAIGN_IDLE, at, about, facts)


def forget_idle(connection: Connection, campaign_ids: Iterable[int]) -> None:
    """These campaigns call."""
    connection.executemany(_FORGET, [(campaign_id,) for campaign_id in campaign_ids])


def tell_down(connection: Connection, gateway: Gateway, at: datetime, facts: dict[str, object], *, tell: bool) -> None:
    """A gateway is down, unless that was told."""
    if connection.execute(_DOWN, (gateway.id,)).fetchone() is not None and tell:
        events.add(connection, EventKind.GATEWAY_DOWN, at, events.About(), facts)


def tell_up(connection: Connection, gateway: Gateway, at: datetime, facts: dict[str, object], *, tell: bool) -> None:
    """A gateway serves again, unless that was told."""
    if connection.execute(_UP, (gateway.id,)).fetchone() is not None and tell:
        events.add(connection, EventKind.GATEWAY_UP, at, events.About(), facts)
