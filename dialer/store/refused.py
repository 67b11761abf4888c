"""Gateways that refuse us pause the campaigns that have no other way out: one part of a transaction on the database thread.

What a node has seen of a gateway is held against the calls of all nodes: one that got through since the first refusal shows
that the gateway takes some, so it is not the account. Attempts are gone through by their ids from that refusal on, which are
those of some minutes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from dialer.gateways import chain
from dialer.model import EventKind, Gateway, GatewayStatus, ObeyedRefusals, PausedCampaign, Refusals
from dialer.store import events, mapping, statements
from dialer.store.connection import Connection

_GOT_THROUGH: Final = (
    "SELECT 1 FROM attempt WHERE id > ? AND gateway_id = ? AND (rang_at IS NOT NULL OR answered_at IS NOT NULL "
    "OR (counts_as_attempt = 1 AND disposition IN ('BUSY', 'NO_ANSWER', 'REJECTED', 'INVALID_NUMBER'))) LIMIT 1"
)
"""A call that rang, was answered, or was refused by the contact's network. Parameters: the first refused attempt, gateway."""

_WHICH: Final = "FROM campaign WHERE status = 1 AND single = 0 AND archived_at IS NULL"
_STARTED: Final = f"SELECT id, name, user_id, gateway_id {_WHICH} ORDER BY id"
"""In the order of their ids, in which everybody locks campaigns."""
_IN_USE: Final = f"SELECT DISTINCT gateway_id {_WHICH}"


def pause_refused(
    connection: Connection, refusals: Mapping[int, Refusals], now: datetime, wanted: frozenset[EventKind]
) -> ObeyedRefusals:
    """Pause the started campaigns whose gateways all refuse us, or are inactive; tell of it, when somebody asks for that.
    Single calls have their own end."""
    refusing = {
        key: each
        for key, each in refusals.items()
        if connection.execute(_GOT_THROUGH, (each.first_attempt, key)).fetchone() is None
    }
    gateways = {each.id: each for each in map(mapping.read_gateway, connection.execute(statements.GATEWAYS).fetchall())}
    reasons = {key: _no_way_out(list(chain(gateways, key)), refusing) for key in gateways}
    paused = []
    for campaign_id, name, user_id, gateway_id in connection.execute(_STARTED).fetchall():
        reason = reasons[gateway_id]
        if reason and connection.execute(statements.PAUSE_CAMPAIGN, (reason, campaign_id)).rowcount:
            paused.append(PausedCampaign(id=campaign_id, name=name, reason=reason))
            tell_paused(connection, paused[-1], user_id, now, wanted)
    used = {way.id for (key,) in connection.execute(_IN_USE).fetchall() for way in chain(gateways, key)}
    return ObeyedRefusals(paused=tuple(paused), unused=frozenset(refusals.keys() - used))


def tell_paused(
    connection: Connection, campaign: PausedCampaign, user_id: int, now: datetime, wanted: frozenset[EventKind]
) -> None:
    """The event of a campaign that the dialer has paused."""
    if EventKind.CAMPAIGN_PAUSED in wanted:
        about = events.About(user_id=user_id, campaign_id=campaign.id)
        facts = {"name": campaign.name, "reason": campaign.reason}
        events.add(connection, EventKind.CAMPAIGN_PAUSED, now, about, facts)


def _no_way_out(ways: Collection[Gateway], refusing: Mapping[int, Refusals]) -> str:
    """Why none of these gateways is a way out for good; "" when one may be."""
    told = []
    for way in ways:
        if way.id in refusing:
            told.append(f"gateway {way.name} {refusing[way.id].text}")
        elif way.status is GatewayStatus.INACTIVE:
            told.append(f"gateway {way.name} is inactive")
        else:
            return ""
    return mapping.as_text("; ".join(told)) if any(way.id in refusing for way in ways) else ""
