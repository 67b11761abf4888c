"""Why a campaign, or one of its contacts, is not called now: told from the database alone, beside the dialers that are at work
with it. Until when a gateway is backed off from, and a full switch, are known to the dialling process only: its API and its
log tell of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from dialer import gate
from dialer.campaigns import idle
from dialer.campaigns.planning import Routes
from dialer.errors import NotFound
from dialer.gateways import chain
from dialer.management import campaigns, reports
from dialer.management.management import Transaction, reads, verb
from dialer.management.numbers import caller_id_refusal
from dialer.management.subscribers import check_ours, subscribed_identity
from dialer.model import (
    Account,
    Block,
    BlockReason,
    Campaign,
    CampaignReport,
    Candidate,
    Disposition,
    Gateway,
    IdleCode,
    IdleReason,
    Progress,
    SubscriberStatus,
)
from dialer.numbers import parse_number
from dialer.routing import no_carrier
from dialer.rules.decide import Ruling, decide
from dialer.store import held, mapping, statements, told_state, turns
from dialer.store import reports as sql
from dialer.store.dialled_forms import block_of, forbidden_forms
from dialer.store.drains import drains
from dialer.store.may_call import AskedContact, blocks, shown
from dialer.store.nodes import NodeEntry, Standing, entries
from dialer.store.times import from_column, from_column_or_none


@frozen
class _Open:
    """Attempts that are open, by the id of their gateway and of their campaign."""

    gateways: Mapping[int, int]
    campaigns: Mapping[int, int]


@reads
def campaign(t: Transaction, who: Account, campaign_id: int) -> CampaignReport:
    """A campaign, how far it is, and why it is not calling. Raises `NotFound`."""
    details, progress = reports.read(t, who, campaign_id)
    live = _counted(t, sql.OPEN_BY_CAMPAIGN).get(campaign_id, 0)
    return CampaignReport(
        details=details,
        progress=progress,
        live_calls=live,
        reason=idle_reason(t, details.campaign, progress),
        finished_at=reports.last_end(t, campaign_id) if progress.finished else None,
        blocked=campaigns.blocked(t, who, campaign_id),
    )


@verb
def why_idle(t: Transaction, campaign_id: int) -> IdleReason | None:
    """Why a campaign is not calling, whatever its contacts. Raises `NotFound`."""
    row = t.connection.execute(statements.CAMPAIGN, (campaign_id,)).fetchone()
    if row is None:
        raise NotFound("campaign", campaign_id)
    return idle_reason(t, mapping.read_campaign(row), None)


def idle_reason(t: Transaction, campaign: Campaign, progress: Progress | None) -> IdleReason | None:
    """Why a campaign is not calling, as far as the database knows; None when nothing keeps it from it. Without `progress`, its
    contacts are not looked at."""
    in_use = _Open(_counted(t, sql.OPEN_BY_GATEWAY), _counted(t, sql.OPEN_BY_CAMPAIGN))
    gateways = {each.id: each for each in map(mapping.read_gateway, t.connection.execute(statements.GATEWAYS).fetchall())}
    nodes = [entry for entry in entries(t.connection, t.now) if entry.standing in (Standing.DIALLING, Standing.NO_SWITCH)]
    reason = idle.explain(
        idle.Situation(
            campaign=campaign,
            now=t.now,
            routes=Routes(gateways, in_use, {}),
            dialers=bool(nodes),
            switch_ready=any(entry.node.ready for entry in nodes),
            drained=_drained(t, nodes),
            progress=progress,
            caller_id=caller_id_refusal(t, campaign),
            next_call_at=campaign.next_call_at,
        )
    )
    return _down(t, campaign, gateways) if reason is None or reason.code is IdleCode.NEXT_CALL_LATER else reason


def _drained(t: Transaction, nodes: Sequence[NodeEntry]) -> str:
    """By whom the switches are drained that these nodes are connected to; "" when one is not."""
    drained = drains(t.connection)
    there = sorted({name for entry in nodes for name, process in entry.node.switches.items() if process})
    return ", ".join(drained[name].text for name in there) if drained.keys() >= set(there) else ""


def _down(t: Transaction, campaign: Campaign, gateways: Mapping[int, Gateway]) -> IdleReason | None:
    """That all gateways of a campaign are down, as far as any dialer has told."""
    down = {row[0] for row in t.connection.execute(told_state.DOWN).fetchall()}
    ways = [way.name for way in chain(gateways, campaign.gateway_id)]
    if not ways or not down.issuperset(ways):
        return None
    text = ", ".join(f"gateway {name} is down, or backed off from, as a dialer has told" for name in ways)
    return IdleReason(IdleCode.GATEWAY_PAUSED, text)


def _counted(t: Transaction, statement: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for key, count in t.connection.execute(statement):
        found[key] = found.get(key, 0) + int(count)
    return found


@frozen(kw_only=True)
class Try:
    """An attempt, as far as it is known."""

    planned_at: datetime
    ended_at: datetime | None
    disposition: Disposition | None
    cause: str
    reason: str


@frozen(kw_only=True)
class Contacted:
    """A number in a campaign. `status` is None when the campaign does not have it. `blocks` are all that keeps the campaign
    from calling it, the strongest first, the calling rules the last; `blocked_by` what it waits for, or was blocked by when
    its turn came, `elsewhere` the campaign that calls it now. `ahead` are the contacts that are called before it, once it is
    ready: as many as `MOST_COUNTED` when there are more."""

    number: str
    identity: str
    contact_id: int | None = None
    status: SubscriberStatus | None = None
    requested: SubscriberStatus | None = None
    ready_at: datetime | None = None
    tries: Sequence[Try] = ()
    blocks: Sequence[Block] = ()
    blocked_by: BlockReason | None = None
    emergency: bool = False
    elsewhere: str = ""
    ahead: int = 0


@verb
def contact(t: Transaction, campaign_id: int, text: str) -> Contacted:
    """What is known of a number, in whatever spelling, in a campaign. Raises `BadValue` for what is no number, `NotFound`."""
    number = parse_number(text, "number")
    ask = t.connection.execute
    if ask("SELECT 1 FROM campaign WHERE id = ? AND archived_at IS NULL", (campaign_id,)).fetchone() is None:
        raise NotFound("campaign", campaign_id)
    return _contacted(t, campaign_id, number, subscribed_identity(t, campaign_id, number))


@verb
def ours(t: Transaction, who: Account, campaign_id: int) -> Campaign:
    """One of the user's campaigns. Raises `NotFound`."""
    check_ours(t.connection, who, campaign_id)
    return mapping.read_campaign(t.connection.execute(statements.CAMPAIGN, (campaign_id,)).fetchone())


@verb
def contact_by_id(t: Transaction, who: Account, campaign_id: int, contact_id: int) -> tuple[Contacted, Campaign]:
    """What is known of a contact in a campaign, be it as another spelling of its number, and the campaign. Raises
    `NotFound`."""
    check_ours(t.connection, who, campaign_id)
    row = t.connection.execute(sql.OF_CONTACT, (campaign_id, contact_id, contact_id)).fetchone()
    if row is None:
        raise NotFound("contact", contact_id)
    read = mapping.read_campaign(t.connection.execute(statements.CAMPAIGN, (campaign_id,)).fetchone())
    return _contacted(t, campaign_id, *row), read


def _contacted(t: Transaction, campaign_id: int, number: str, identity: str) -> Contacted:
    ask = t.connection.execute
    found = ask(sql.STANDING, (campaign_id, identity)).fetchone()
    elsewhere = ask(sql.CALLED_ELSEWHERE, (identity, campaign_id)).fetchone()
    campaign = mapping.read_campaign(ask(statements.CAMPAIGN, (campaign_id,)).fetchone())
    told: dict[str, Any] = {"number": number}
    if found is not None:
        key, told["number"], status, requested, ready_at, contact_id, blocked_by = found
        told |= {
            "contact_id": contact_id,
            "status": SubscriberStatus(status),
            "requested": None if requested is None else SubscriberStatus(requested),
            "ready_at": from_column_or_none(ready_at),
            "blocked_by": None if blocked_by is None else BlockReason(blocked_by),
            "tries": tuple(_try(row) for row in ask(sql.TRIES, (key,))),
            "ahead": turns.ahead(t.connection, campaign, key, t.now),
        }
    leg = _leg(t, campaign, told["number"])
    asked = AskedContact(campaign_id, told.get("contact_id", 0), told["number"], identity)
    return Contacted(
        identity=identity,
        blocks=tuple(_blocks(t, campaign, asked, leg, found)),
        emergency=bool(gate.emergency_refusal(leg.forms, t.numbering)),
        elsewhere="" if elsewhere is None else elsewhere[0],
        **told,
    )


def _leg(t: Transaction, campaign: Campaign, number: str) -> gate.GatedLeg:
    """The number through the campaign's own gateway."""
    row = t.connection.execute(statements.GATEWAY, (campaign.gateway_id,)).fetchone()
    return gate.GatedLeg(number, (number,)) if row is None else gate.leg_through(mapping.read_gateway(row), number)


def _blocks(
    t: Transaction, campaign: Campaign, asked: AskedContact, leg: gate.GatedLeg, found: tuple[Any, ...] | None
) -> Iterator[Block]:
    """All that keeps a number from being called, the calling rules the last."""
    yield from blocks(t.connection, asked, t.now)
    others = gate.identities((gate.GatedLeg(leg.number, leg.forms[1:]),), t.numbering)
    otherwise = block_of(asked.number, others, forbidden_forms(t.connection, others, campaign.id, campaign.user_id, t.now))
    if otherwise is not None:
        yield otherwise
    gateways = {each.id: each for each in map(mapping.read_gateway, t.connection.execute(statements.GATEWAYS).fetchall())}
    if reason := no_carrier(gateways, campaign.gateway_id, asked.identity):
        yield Block(reason=BlockReason.NO_GATEWAY, text=reason)
    ruling = _ruling(t, asked.campaign_id, asked.identity, found)
    if not ruling.is_open:
        until = "for ever" if ruling.until is None else f"until {shown(ruling.until)}"
        yield evolve(held.as_block(ruling), text=f"the calling rules forbid it {until}: {ruling.text}")


def _ruling(t: Transaction, campaign_id: int, identity: str, found: tuple[Any, ...] | None) -> Ruling:
    """Of the campaign's next call to a number, with the time zone that its contact has there."""
    started = t.connection.execute(statements.CAMPAIGN, (campaign_id,)).fetchone()
    campaign = mapping.read_campaign(started)
    time_zone = "" if found is None else t.connection.execute(sql.TIME_ZONE, (found[0],)).fetchone()[0]
    candidate = Candidate(
        subscriber_id=0, contact_id=0, campaign_id=campaign_id, number=identity, identity=identity, time_zone=time_zone
    )
    known = held.histories(t.connection, t.rules, [(candidate, campaign)], t.now)
    return decide(t.rules, candidate, campaign, known.get(identity, ()), t.now)


def _try(row: tuple[Any, ...]) -> Try:
    planned_at, ended_at, disposition, cause, reason = row
    return Try(
        planned_at=from_column(planned_at),
        ended_at=from_column_or_none(ended_at),
        disposition=None if disposition is None else Disposition(disposition),
        cause=cause or "",
        reason=reason or "",
    )
