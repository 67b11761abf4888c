"""What a preview reads of a campaign and of its contacts, each time in a transaction that others share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from dialer import gate
from dialer.campaigns.planning import Routes
from dialer.campaigns.timetable import PlayedCalls, moment
from dialer.gateways import chain
from dialer.management.caller_ids import assigning
from dialer.management.management import Transaction, verb
from dialer.management.numbers import caller_id_refusal
from dialer.management.subscribers import check_ours
from dialer.model import Account, BlockReason, Campaign, CampaignStatus, Candidate, Gateway, SubscriberStatus
from dialer.model.consent import ConsentPolicy
from dialer.model.preview import Outlook, Prospect
from dialer.routing import no_carrier
from dialer.rules.decide import EarlierCall, decide
from dialer.store import held, mapping, statements
from dialer.store import previews as sql
from dialer.store.caller_id_assignment import last_shown
from dialer.store.caller_ids import FREE_CALLER_ID, CallerIdWaits, PoolState, place_of, pool_state
from dialer.store.dialled_forms import block_of, forbidden_forms
from dialer.store.may_call import AskedContact, blocks, ends, shown
from dialer.store.previews import BlockedContact, ContactScan, PreviewedContact, ScannedContacts, ScanPlace
from dialer.store.times import to_column

AT_ONCE: Final = 2000
"""Contacts that are read in one go, on a connection of its own, and looked at: one or two milliseconds each."""
CALL_SECONDS: Final = 30.0
"""How long a call is taken to last in a campaign that has made none."""
_TOLD_BY_LISTS: Final = frozenset({Prospect.LISTED_UNTIL, Prospect.DO_NOT_CALL, Prospect.CONSENT, Prospect.CONSENT_LATER})
"""Of these, more is told than the word."""


@frozen(kw_only=True)
class PreviewBasis:
    """What a preview begins with: `refusal` is why the campaign may not show its caller id, "" for nothing; `live` are its
    open calls by gateway; `rechecks` tells that what the rules keep waiting is looked at again soon. Its calls show numbers of
    `pool`, where it has one, or `only` that one of them."""

    campaign: Campaign
    gateways: Mapping[int, Gateway]
    counts: Mapping[SubscriberStatus, int]
    refusal: str
    live: Counter[int]
    rechecks: bool
    call_seconds: float
    pool: PoolState | None = None
    only: int | None = None

    @property
    def way(self) -> Gateway | None:
        """The gateway through which numbers are taken to be dialled: the first that is in service."""
        routes = Routes(self.gateways, PlayedCalls(), {})
        return routes.usable(self.campaign.gateway_id, self.campaign.starting_at, {})

    @property
    def is_rewritten(self) -> bool:
        """Whether that gateway dials other forms of numbers than those that are stored."""
        return self.way is not None and bool(self.way.removeprefix or self.way.addprefix)

    @property
    def has_tariffs(self) -> bool:
        """Whether some of the campaign's gateways carry some numbers alone."""
        return any(way.prefixes for way in chain(self.gateways, self.campaign.gateway_id))


@verb
def basis(t: Transaction, who: Account, campaign_id: int) -> PreviewBasis:
    """What is known of a campaign beside its contacts. Raises `NotFound`."""
    ask = t.connection.execute
    check_ours(t.connection, who, campaign_id)
    campaign = mapping.read_campaign(ask(statements.CAMPAIGN, (campaign_id,)).fetchone())
    gateways = {gateway.id: gateway for gateway in map(mapping.read_gateway, ask(statements.GATEWAYS))}
    refusals = [caller_id_refusal(t, campaign)]
    refusals += [gate.variables_refusal(way.parameters, "", t.numbering) for way in chain(gateways, campaign.gateway_id)]
    place = place_of(t.connection, campaign, assigning(t))
    pool = None
    if place is not FREE_CALLER_ID:
        pool = pool_state(t.connection, place.pool_id, t.now, t.numbering)
        wait = CallerIdWaits(t.connection, assigning(t), [campaign]).of(campaign) if pool is None else None
        refusals.append("" if wait is None else wait.text)
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
        pool=pool,
        only=place.only,
    )


@frozen
class Scanned:
    """Contacts; by their places among these, `never` is what forbids some of them for good, `listed_until` the moment until
    which a list does, and `agreed_from` the one from which they have the consent that is asked for, as columns have them."""

    columns: ScannedContacts
    never: Mapping[int, Prospect]
    listed_until: Mapping[int, str]
    agreed_from: Mapping[int, str]


@verb
def scan(t: Transaction, who: Account, found: PreviewBasis, place: ScanPlace) -> Scanned:
    """The next pending contacts. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    return _judged(t, found, _contacts(t, found).pending(place, AT_ONCE))


@verb
def scan_held(t: Transaction, who: Account, found: PreviewBasis, after: int) -> Scanned:
    """The next contacts that were set aside and will be looked at again, as if they were not. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    return _judged(t, found, _contacts(t, found).held(after, AT_ONCE))


def _contacts(t: Transaction, found: PreviewBasis) -> ContactScan:
    campaign = found.campaign
    ruled = bool(t.rules.rows) and not campaign.override
    with_contacts = ruled or campaign.consent is not ConsentPolicy.NOT_ASKED
    return ContactScan(t.connection, campaign.id, t.now, with_contacts)


def _judged(t: Transaction, found: PreviewBasis, columns: ScannedContacts) -> Scanned:
    """With what forbids each, as `dialer.store.begin` finds it: by `dialer.store.may_call`, and by what a gateway dials."""
    never: dict[int, Prospect] = {}
    until: dict[int, str] = {}
    begins: dict[int, str] = {}
    for place, (word, listed) in enumerate(zip(columns.blocked_by, columns.listed_until, strict=True)):
        agreed_from = columns.agreed_from[place] if word == BlockReason.CONSENT else None
        if listed is not None and ends(listed) is None:
            never[place] = Prospect.DO_NOT_CALL
        elif word is not None and agreed_from is None:
            never[place] = prospect_of(word)
        else:
            if listed is not None:
                until[place] = listed
            if agreed_from is not None:
                begins[place] = agreed_from
    if found.is_rewritten:
        _judge_forms(t, found, columns, never, until)
    if found.has_tariffs:
        head, gateways = found.campaign.gateway_id, found.gateways
        for place, identity in enumerate(columns.identities):
            if place not in never and no_carrier(gateways, head, identity):
                never[place] = Prospect.NO_GATEWAY
    return Scanned(columns, never, until, begins)


def _judge_forms(
    t: Transaction, found: PreviewBasis, columns: ScannedContacts, never: dict[int, Prospect], until: dict[int, str]
) -> None:
    """The same of the forms in which the gateway dials their numbers."""
    if (way := found.way) is None:
        return
    also: list[Sequence[str]] = []
    for number in columns.numbers:
        leg = gate.leg_through(way, number)
        also.append(gate.identities((gate.GatedLeg(leg.number, leg.forms[1:]),), t.numbering))
    asked = {form for forms in also for form in forms}
    forbidden = forbidden_forms(t.connection, asked, found.campaign.id, found.campaign.user_id, t.now)
    for place, (number, forms) in enumerate(zip(columns.numbers, also, strict=True)):
        why = block_of(number, forms, forbidden) if forbidden else None
        if why is not None and why.until is None:
            never.setdefault(place, Prospect.DIALLED_FORM)
        elif why is not None and why.until is not None:
            until[place] = max(until.get(place, ""), to_column(why.until))


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
def earlier_calls(
    t: Transaction, who: Account, campaign: Campaign, identities: Sequence[str], seconds: int
) -> Mapping[str, Sequence[EarlierCall]]:
    """The calls to some numbers of the last `seconds`, which the rules may count, by identity. Raises `NotFound`."""
    check_ours(t.connection, who, campaign.id)
    return sql.earlier_calls(t.connection, identities, t.now - timedelta(seconds=seconds))


@verb
def shown_before(t: Transaction, who: Account, found: PreviewBasis, subscribers: Sequence[int]) -> Mapping[int, int]:
    """The caller ids of the pool that subscribers were shown before, and keep, by their ids. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    return {} if found.pool is None else last_shown(t.connection, found.pool.pool, subscribers)


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
        known = held.histories(t.connection, t.rules, ((each.candidate, campaign) for each in found.values()), at)

    def text(who: Candidate) -> str:
        if prospect in _TOLD_BY_LISTS:
            asked = AskedContact(campaign.id, who.contact_id, who.number, who.identity)
            found = blocks(t.connection, asked, at)
            wanted = prospect is Prospect.CONSENT_LATER
            return next((each.text for each in found if not wanted or each.reason is BlockReason.CONSENT), "")
        if prospect not in (Prospect.CALLING_RULES, Prospect.REFUSED):
            return ""
        return decide(t.rules, who, campaign, known.get(who.identity, ()), at).text

    pool = _pool_name(t, campaign) if prospect is Prospect.CALLER_ID else ""
    return [
        Outlook(
            contact_id=each.candidate.contact_id,
            number=each.candidate.number,
            prospect=prospect,
            at=moment(when) if when else None,
            text=_caller_id_text(pool, when) or text(each.candidate) or _retry_text(each),
            attempt=each.candidate.count_attempt + 1,
            is_retry=each.candidate.is_retry,
        )
        for each, when in ((found[key], when) for key, when in wanted if key in found)
    ]


def _pool_name(t: Transaction, campaign: Campaign) -> str:
    state = pool_state(t.connection, place_of(t.connection, campaign, assigning(t)).pool_id, t.now, t.numbering)
    return "" if state is None else state.pool.name


def _caller_id_text(pool: str, when: int) -> str:
    """Of somebody for whom a pool has no caller id."""
    if not pool:
        return ""
    if not when:
        return f"the pool {pool} has no caller id that may be shown to it"
    return f"no caller id of the pool {pool} may be shown to it before {shown(moment(when))}"


def _retry_text(each: PreviewedContact) -> str:
    """Of somebody who was tried before: which attempt it is, when it is due by the table of retries, and after what."""
    if each.ready_at is None or not each.candidate.is_retry:
        return ""
    after = f" after {each.last}" if each.last else ""
    return f"a retry, attempt no. {each.candidate.count_attempt + 1}{after}, due on {shown(each.ready_at)}"
