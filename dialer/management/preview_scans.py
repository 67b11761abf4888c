"""What a preview reads of a campaign and of its contacts, each time in a transaction that others share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from dialer import gate
from dialer.campaigns.planning import Routes
from dialer.campaigns.timetable import PlayedCalls, moment
from dialer.gateways import chain
from dialer.management.management import Transaction, verb
from dialer.management.numbers import caller_id_refusal
from dialer.management.subscribers import check_ours
from dialer.model import Account, BlockReason, Campaign, CampaignStatus, Gateway, SubscriberStatus
from dialer.model.preview import Outlook, Prospect
from dialer.routing import no_carrier
from dialer.rules.decide import EarlierCall, decide
from dialer.store import held, mapping, statements
from dialer.store import previews as sql
from dialer.store.dialled_forms import block_of, forbidden_forms
from dialer.store.may_call import AskedContact, blocks, ends
from dialer.store.previews import BlockedContact, ScannedContact, ScanPlace
from dialer.store.times import to_column

AT_ONCE: Final = 500
"""Contacts that are read, and looked at, in one go: some milliseconds."""
CALL_SECONDS: Final = 30.0
"""How long a call is taken to last in a campaign that has made none."""
_TOLD_BY_LISTS: Final = frozenset({Prospect.LISTED_UNTIL, Prospect.DO_NOT_CALL, Prospect.CONSENT})
"""Of these, more is told than the word."""


@frozen(kw_only=True)
class PreviewBasis:
    """What a preview begins with: `refusal` is why the campaign may not show its caller id, "" for nothing; `live` are its
    open calls by gateway; `rechecks` tells that what the rules keep waiting is looked at again soon."""

    campaign: Campaign
    gateways: Mapping[int, Gateway]
    counts: Mapping[SubscriberStatus, int]
    refusal: str
    live: Counter[int]
    rechecks: bool
    call_seconds: float

    @property
    def way(self) -> Gateway | None:
        """The gateway through which numbers are taken to be dialled: the first that is in service."""
        routes = Routes(self.gateways, PlayedCalls(), {})
        return routes.usable(self.campaign.gateway_id, self.campaign.starting_at, {})


@verb
def basis(t: Transaction, who: Account, campaign_id: int) -> PreviewBasis:
    """What is known of a campaign beside its contacts. Raises `NotFound`."""
    ask = t.connection.execute
    check_ours(t.connection, who, campaign_id)
    campaign = mapping.read_campaign(ask(statements.CAMPAIGN, (campaign_id,)).fetchone())
    gateways = {gateway.id: gateway for gateway in map(mapping.read_gateway, ask(statements.GATEWAYS))}
    refusals = [caller_id_refusal(t, campaign)]
    refusals += [gate.variables_refusal(way.parameters, "", t.numbering) for way in chain(gateways, campaign.gateway_id)]
    (rechecks,) = ask(sql.WILL_RECHECK, (t.rules.fingerprint, campaign_id)).fetchone()
    (mean,) = ask(sql.MEAN_SECONDS, (campaign_id,)).fetchone()
    return PreviewBasis(
        campaign=evolve(campaign, status=CampaignStatus.START),
        gateways=gateways,
        counts={SubscriberStatus(status): count for status, count in ask(statements.COUNTS, (campaign_id,)) if count},
        refusal=next(filter(None, refusals), ""),
        live=Counter({key: int(count) for key, count in ask(sql.OPEN_OF_CAMPAIGN_BY_GATEWAY, (campaign_id,))}),
        rechecks=bool(rechecks),
        call_seconds=CALL_SECONDS if mean is None else max(float(mean) / 1000, 0.1),
    )


@frozen
class Scanned:
    """Contacts; by their ids, `never` is what forbids some of them for good, `listed_until` the moment until which a list
    does, as a column has it."""

    rows: Sequence[ScannedContact]
    never: Mapping[int, Prospect]
    listed_until: Mapping[int, str]


@verb
def scan(t: Transaction, who: Account, found: PreviewBasis, place: ScanPlace, way: Gateway | None) -> Scanned:
    """The next pending contacts. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    some = sql.pending(t.connection, found.campaign.id, place, AT_ONCE, to_column(t.now))
    return _carried(found, _judged(t, found.campaign, some, way))


@verb
def scan_held(t: Transaction, who: Account, found: PreviewBasis, after: int, way: Gateway | None) -> Scanned:
    """The next contacts that were set aside and will be looked at again, as if they were not. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    some = sql.held_before(t.connection, found.campaign.id, after, AT_ONCE, to_column(t.now))
    return _carried(found, _judged(t, found.campaign, some, way))


def _carried(found: PreviewBasis, scanned: Scanned) -> Scanned:
    """With those that no gateway carries."""
    head, gateways = found.campaign.gateway_id, found.gateways
    if not any(way.prefixes for way in chain(gateways, head)):
        return scanned
    never = {row.id: Prospect.NO_GATEWAY for row in scanned.rows if no_carrier(gateways, head, row.identity)}
    return evolve(scanned, never={**never, **scanned.never})


def _judged(t: Transaction, campaign: Campaign, rows: list[ScannedContact], way: Gateway | None) -> Scanned:
    """With what forbids each, as `dialer.store.begin` finds it: by `dialer.store.may_call`, and by what a gateway dials."""
    until = {row.id: row.listed_until or "" for row in rows if row.listed_until and ends(row.listed_until) is not None}
    never = {row.id: prospect_of(row.blocked_by) for row in rows if row.blocked_by is not None and row.id not in until}
    behind = sql.blocked_behind_lists(t.connection, list(until), to_column(t.now))
    never |= {key: prospect_of(word) for key, word in behind.items()}
    if way is not None and (way.removeprefix or way.addprefix):
        also: dict[int, Sequence[str]] = {}
        for row in rows:
            leg = gate.leg_through(way, row.number)
            also[row.id] = gate.identities((gate.GatedLeg(leg.number, leg.forms[1:]),), t.numbering)
        asked = {form for forms in also.values() for form in forms}
        forbidden = forbidden_forms(t.connection, asked, campaign.id, campaign.user_id, t.now)
        for row in rows:
            why = block_of(row.number, also[row.id], forbidden)
            if why is not None and why.until is None:
                never.setdefault(row.id, Prospect.DIALLED_FORM)
            elif why is not None and why.until is not None:
                until[row.id] = max(until.get(row.id, ""), to_column(why.until))
    return Scanned(rows, never, until)


def prospect_of(word: str | None) -> Prospect:
    """Of a contact that is not called for a reason that has no end (`BlockReason`); None: somebody has set it so."""
    match word:
        case None:
            return Prospect.NOT_AUTHORISED
        case BlockReason.NEVER_DIALLED:
            return Prospect.EMERGENCY
        case BlockReason.CALLING_RULES:
            return Prospect.REFUSED
    return Prospect(word)


@verb
def earlier_calls(t: Transaction, who: Account, campaign: Campaign, ids: Sequence[int]) -> Mapping[str, Sequence[EarlierCall]]:
    """The earlier calls to some of its contacts that the rules may count, by identity. Raises `NotFound`."""
    check_ours(t.connection, who, campaign.id)
    found = sql.candidates(t.connection, campaign.id, ids)
    return held.histories(t.connection, t.rules, ((each, campaign) for each in found.values()), t.now)


@verb
def scan_blocked(
    t: Transaction, who: Account, found: PreviewBasis, after: str
) -> tuple[list[tuple[BlockedContact, Prospect]], str | None]:
    """The next contacts that may not be called, with what forbids them. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    now = to_column(t.now)
    some, behind = sql.blocked(t.connection, found.campaign.id, after, AT_ONCE, now, without_held=found.rechecks)

    def why(each: BlockedContact) -> Prospect:
        return Prospect.EMERGENCY if t.numbering.is_emergency(each.number) else prospect_of(each.blocked_by)

    return [(each, why(each)) for each in some], behind


@verb
def described(
    t: Transaction, who: Account, campaign: Campaign, wanted: Sequence[tuple[int, int]], prospect: Prospect, at: datetime
) -> list[Outlook]:
    """Contacts by the ids of their subscribers, with their moments; those that are gone are left out. Raises `NotFound`."""
    check_ours(t.connection, who, campaign.id)
    found = sql.candidates(t.connection, campaign.id, [key for key, _ in wanted])
    known: Mapping[str, Sequence[EarlierCall]] = {}
    if prospect in (Prospect.CALLING_RULES, Prospect.REFUSED):
        known = held.histories(t.connection, t.rules, ((each, campaign) for each in found.values()), at)

    def text(key: int) -> str:
        if prospect in _TOLD_BY_LISTS:
            asked = AskedContact(campaign.id, found[key].contact_id, found[key].number, found[key].identity)
            return next((block.text for block in blocks(t.connection, asked, at)), "")
        if prospect not in (Prospect.CALLING_RULES, Prospect.REFUSED):
            return ""
        return decide(t.rules, found[key], campaign, known.get(found[key].identity, ()), at).text

    return [
        Outlook(
            contact_id=found[key].contact_id,
            number=found[key].number,
            prospect=prospect,
            at=moment(when) if when else None,
            text=text(key),
        )
        for key, when in wanted
        if key in found
    ]
