"""Why a campaign, or one of its contacts, is not called now: told from the database alone, beside the dialers that are at work
with it. A backed off gateway and a full switch are known to the dialling process only: its API and its log tell of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from dialer.campaigns import idle
from dialer.campaigns.planning import Routes
from dialer.errors import NotFound
from dialer.management import campaigns, reports
from dialer.management.management import Transaction, reads, verb
from dialer.management.numbers import caller_id_refusal
from dialer.management.subscribers import subscribed_identity
from dialer.model import Account, Block, BlockReason, CampaignReport, Candidate, Disposition, Gateway, SubscriberStatus
from dialer.numbers import parse_number
from dialer.rules.decide import Ruling, decide
from dialer.store import held, mapping, statements
from dialer.store import reports as sql
from dialer.store.may_call import Asked, blocks, shown
from dialer.store.nodes import Standing, entries
from dialer.store.times import from_column, from_column_or_none
from dialer.stored import value_of


@frozen
class _Open:
    """Attempts that are open, by the id of their gateway and of their campaign."""

    gateways: Mapping[int, int]
    campaigns: Mapping[int, int]


@reads
def campaign(t: Transaction, who: Account, campaign_id: int) -> CampaignReport:
    """A campaign, how far it is, and why it is not calling. Raises `NotFound`."""
    details, progress = reports.read(t, who, campaign_id)
    in_use = _Open(_counted(t, sql.OPEN_BY_GATEWAY), _counted(t, sql.OPEN_BY_CAMPAIGN))
    gateways = {row.id: value_of(Gateway, row) for row in t.entities.Gateway.select()}
    nodes = [entry for entry in entries(t.connection, t.now) if entry.standing in (Standing.DIALLING, Standing.NO_SWITCH)]
    reason = idle.explain(
        idle.Situation(
            campaign=details.campaign,
            now=t.now,
            routes=Routes(gateways, in_use, {}),
            dialers=bool(nodes),
            switch_ready=any(entry.node.ready for entry in nodes),
            progress=progress,
            caller_id=caller_id_refusal(t, details.campaign),
            next_call_at=details.campaign.next_call_at,
        )
    )
    return CampaignReport(
        details=details,
        progress=progress,
        live_calls=in_use.campaigns.get(campaign_id, 0),
        reason=reason,
        finished_at=reports.last_end(t, campaign_id) if progress.finished else None,
        blocked=campaigns.blocked(t, who, campaign_id),
    )


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
    from calling it, the strongest first, the calling rules the last; `blocked_by` what it was blocked by when its turn came,
    `elsewhere` the campaign that calls it now."""

    number: str
    identity: str
    status: SubscriberStatus | None = None
    requested: SubscriberStatus | None = None
    ready_at: datetime | None = None
    tries: Sequence[Try] = ()
    blocks: Sequence[Block] = ()
    blocked_by: str | None = None
    emergency: bool = False
    elsewhere: str = ""


@verb
def contact(t: Transaction, campaign_id: int, text: str) -> Contacted:
    """What is known of a number, in whatever spelling, in a campaign. Raises `BadValue` for what is no number, `NotFound`."""
    number = parse_number(text, "number")
    ask = t.connection.execute
    if ask("SELECT 1 FROM campaign WHERE id = ? AND archived_at IS NULL", (campaign_id,)).fetchone() is None:
        raise NotFound("campaign", campaign_id)
    identity = subscribed_identity(t, campaign_id, number)
    found = ask(sql.STANDING, (campaign_id, identity)).fetchone()
    elsewhere = ask(sql.CALLED_ELSEWHERE, (identity, campaign_id)).fetchone()
    told: dict[str, Any] = {"number": number}
    contact_id = 0
    if found is not None:
        key, contact_id, told["number"], status, requested, ready_at, told["blocked_by"] = found
        told |= {
            "status": SubscriberStatus(status),
            "requested": None if requested is None else SubscriberStatus(requested),
            "ready_at": from_column_or_none(ready_at),
            "tries": tuple(_try(row) for row in ask(sql.TRIES, (key,))),
        }
    asked = Asked(campaign_id, contact_id, told["number"], identity)
    return Contacted(
        identity=identity,
        blocks=tuple(_blocks(t, asked, found)),
        emergency=t.numbering.is_emergency(told["number"]),
        elsewhere="" if elsewhere is None else elsewhere[0],
        **told,
    )


def _blocks(t: Transaction, asked: Asked, found: tuple[Any, ...] | None) -> Iterator[Block]:
    """All that keeps a number from being called, the calling rules the last."""
    yield from blocks(t.connection, asked, t.now)
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


_ANY = (None, *SubscriberStatus)
_TOLD_OF = {
    BlockReason.CONSENT: tuple(SubscriberStatus),
    BlockReason.CALLING_RULES: (SubscriberStatus.START, SubscriberStatus.PAUSE, SubscriberStatus.NOT_AUTHORISED),
}
"""Where a reason matters: None for a number that the campaign does not have."""

_DONE = {
    SubscriberStatus.PAUSE: "it is paused",
    SubscriberStatus.ABORT: "it was aborted",
    SubscriberStatus.FAIL: "it failed: no try is left, or trying again cannot help",
    SubscriberStatus.COMPLETE: "it is complete: the contact was reached",
    SubscriberStatus.NOT_AUTHORISED: "it may not be called",
}


def sentences(found: Contacted, now: datetime) -> Iterator[str]:
    """All that keeps the number from being called now, the strongest first, and then its tries; times in UTC."""
    if found.emergency:
        yield "it is an emergency number, which is never dialled"
    for block in found.blocks:
        if found.status in _TOLD_OF.get(block.reason, _ANY):
            yield block.text
    if found.elsewhere:
        yield f"campaign {found.elsewhere} is calling it now: one number never rings twice at once"
    yield _standing(found, now)
    for number_of_try, each in enumerate(found.tries, start=1):
        end = "it is under way" if each.ended_at is None else f"{each.disposition}, {each.cause}: {each.reason}"
        yield f"try {number_of_try} on {shown(each.planned_at)}: {end}"


def _standing(found: Contacted, now: datetime) -> str:
    match found.status:
        case None:
            return "the campaign does not have it"
        case SubscriberStatus.IN_PROCESS:
            after = (
                "" if found.requested is None else f"; when the call ends, {_DONE.get(found.requested, 'it is pending again')}"
            )
            return f"it is being called now{after}"
        case SubscriberStatus.START if found.ready_at is not None and found.ready_at > now:
            return f"it is called again on {shown(found.ready_at)} at the earliest"
        case SubscriberStatus.START:
            return "it is pending, and called when its turn comes"
        case SubscriberStatus.NOT_AUTHORISED if found.blocked_by:
            return f"{_DONE[SubscriberStatus.NOT_AUTHORISED]}: it was blocked when its turn came ({found.blocked_by})"
        case status:
            return _DONE[status]
