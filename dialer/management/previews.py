"""The preview of a campaign: who will be called within a horizon, who later, who never, and why.

It asks what dialling asks: the lists and the forms of a number as `dialer.store.begin` does, the calling rules
(`dialer.rules.decide`), the order, the hours, the pace and the limits (`dialer.campaigns.rehearsal`). The contacts are read
some hundreds at a time, each time in a transaction that others share, and played a thousand at a time, so that calls find
their way between. It takes for granted that the campaign is started, that switches and gateways are there, that every call
lasts equally long, and that no call is followed by another one to the same contact.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import define, evolve, field, frozen
from twisted.internet.task import deferLater

from dialer import gate
from dialer.campaigns.planning import Routes
from dialer.campaigns.rehearsal import Rehearsal
from dialer.campaigns.timetable import PlayedCalls, Timetable, micros, moment
from dialer.errors import BadValue, Busy
from dialer.gateways import chain
from dialer.management.kept_previews import KeptPreview, Listed
from dialer.management.kinds_of_contacts import ContactKinds, Somebody
from dialer.management.management import Management, Transaction, verb
from dialer.management.numbers import caller_id_refusal
from dialer.management.subscribers import check_ours
from dialer.model import Account, Campaign, CampaignStatus, Gateway, SubscriberStatus
from dialer.model.preview import Outlook, PreviewSummary, Prospect, ProspectGroup
from dialer.rules.decide import EarlierCall, decide
from dialer.store import held, mapping, statements
from dialer.store import previews as sql
from dialer.store.blocked import why_blocked
from dialer.store.call_rules import call_rules
from dialer.store.previews import BlockedContact, ScannedContact, ScanPlace
from dialer.store.times import from_column

AT_ONCE: Final = 500
"""Contacts that are read, and looked at, in one go: some milliseconds."""
EXAMPLES: Final = 3
"""Of each prospect, in a summary."""
LONGEST: Final = timedelta(days=7)
CALL_SECONDS: Final = 30.0
"""How long a call is taken to last in a campaign that has made none."""
GONE: Final = "the preview is not kept any more; make another one"


@frozen(kw_only=True)
class _Basis:
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
def basis(t: Transaction, who: Account, campaign_id: int) -> _Basis:
    """What is known of a campaign beside its contacts. Raises `NotFound`."""
    ask = t.connection.execute
    check_ours(t.connection, who, campaign_id)
    campaign = mapping.read_campaign(ask(statements.CAMPAIGN, (campaign_id,)).fetchone())
    gateways = {gateway.id: gateway for gateway in map(mapping.read_gateway, ask(statements.GATEWAYS))}
    refusals = [caller_id_refusal(t, campaign)]
    refusals += [gate.variables_refusal(way.parameters, "", t.numbering) for way in chain(gateways, campaign.gateway_id)]
    (rechecks,) = ask(sql.WILL_RECHECK, (t.rules.fingerprint, campaign_id)).fetchone()
    (mean,) = ask(sql.MEAN_SECONDS, (campaign_id,)).fetchone()
    return _Basis(
        campaign=evolve(campaign, status=CampaignStatus.START),
        gateways=gateways,
        counts={SubscriberStatus(status): count for status, count in ask(statements.COUNTS, (campaign_id,)) if count},
        refusal=next(filter(None, refusals), ""),
        live=Counter({key: int(count) for key, count in ask(sql.OPEN_OF_CAMPAIGN_BY_GATEWAY, (campaign_id,))}),
        rechecks=bool(rechecks),
        call_seconds=CALL_SECONDS if mean is None else max(float(mean) / 1000, 0.1),
    )


Scanned = tuple[list[ScannedContact], Mapping[int, str]]
"""Contacts, and of those that a list forbids, by their ids, which."""


@verb
def scan(t: Transaction, who: Account, found: _Basis, place: ScanPlace, way: Gateway | None) -> Scanned:
    """The next pending contacts. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    return _judged(t, found.campaign, sql.pending(t.connection, found.campaign.id, place, AT_ONCE), way)


@verb
def scan_held(t: Transaction, who: Account, found: _Basis, after: int, way: Gateway | None) -> Scanned:
    """The next contacts that the rules keep waiting, or have refused, as if they did not. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    return _judged(t, found.campaign, sql.held_before(t.connection, found.campaign.id, after, AT_ONCE), way)


def _judged(t: Transaction, campaign: Campaign, rows: list[ScannedContact], way: Gateway | None) -> Scanned:
    """With the word for what forbids each, as `dialer.store.begin` finds it: the lists, and the forms that a gateway dials."""
    words: dict[int, str] = {}
    forbidden = [row for row in rows if row.is_forbidden]
    if forbidden:
        rules = call_rules(t.connection, campaign.user_id, [row.identity for row in forbidden])
        words = {row.id: why_blocked(row.number, row.identity, rules)[0] for row in forbidden}
    if way is None or not (way.removeprefix or way.addprefix):
        return rows, words
    others: dict[int, tuple[str, ...]] = {}
    for row in rows:
        leg = gate.leg_through(way, row.number)
        also = gate.identities((gate.GatedLeg(leg.number, leg.forms[1:]),), t.numbering)
        if also:
            others[row.id] = also
    asked = sorted({identity for also in others.values() for identity in also})
    rules = call_rules(t.connection, campaign.user_id, asked)
    is_black = gate.number_rules(rules.blacklist, frozenset()).is_black
    for key, also in others.items():
        if any(each in rules.do_not_call or is_black(each) for each in also):
            words.setdefault(key, Prospect.DIALLED_FORM)
    return rows, words


@verb
def earlier_calls(t: Transaction, who: Account, campaign: Campaign, ids: Sequence[int]) -> Mapping[str, Sequence[EarlierCall]]:
    """The earlier calls to some of its contacts that the rules may count, by identity. Raises `NotFound`."""
    check_ours(t.connection, who, campaign.id)
    found = sql.candidates(t.connection, campaign.id, ids)
    return held.histories(t.connection, t.rules, ((each, campaign) for each in found.values()), t.now)


@verb
def scan_blocked(
    t: Transaction, who: Account, found: _Basis, after: str
) -> tuple[list[tuple[BlockedContact, Prospect]], str | None]:
    """The next contacts that may not be called, with what forbids them. Raises `NotFound`."""
    check_ours(t.connection, who, found.campaign.id)
    some, behind = sql.blocked(t.connection, found.campaign.id, after, AT_ONCE, without_held=found.rechecks)
    rules = call_rules(t.connection, found.campaign.user_id, [each.identity for each in some])

    def why(each: BlockedContact) -> Prospect:
        if each.held_by:
            return Prospect.REFUSED
        if t.numbering.is_emergency(each.number):
            return Prospect.EMERGENCY
        return Prospect(why_blocked(each.number, each.identity, rules)[0])

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


# --- making one -------------------------------------------------------------------------------------------------------------


async def preview(
    management: Management,
    who: Account,
    campaign_id: int,
    horizon: timedelta,
    *,
    call_seconds: float | None = None,
    switch_rate: float | None = None,
) -> PreviewSummary:
    """Make one, which is kept for some minutes. `call_seconds` is how long a call is taken to last, by default as long as the
    campaign's newest; `switch_rate` how many calls per second the switches take, where no calls are made here. Fails with
    `NotFound`, `StoreError`, `Busy` while another one is made, and `BadValue`."""
    if not timedelta() < horizon <= LONGEST:
        raise BadValue("horizon", f"expected more than nothing, and {LONGEST.days} days at most")
    if management.previews.making:
        raise Busy("another preview is being made", 5.0)
    management.previews.making = True
    try:
        found = await management.ask(basis, who, campaign_id)
        rate = switch_rate if management.flow is None else management.flow.calls_per_second() or None
        maker = _Maker(management, who, found, management.now(), horizon, call_seconds or found.call_seconds, rate)
        kept = await maker.make()
        management.previews.keep(kept)
        return kept.summary
    finally:
        management.previews.making = False


async def contacts(
    management: Management, who: Account, campaign_id: int, key: str, prospect: Prospect, after: int, limit: int
) -> tuple[list[Outlook], bool]:
    """Contacts of one prospect in a preview that is kept, behind the first `after`, and whether there are more. Fails with
    `BadValue` when it is not kept any more, `NotFound`, `StoreError`."""
    kept = management.previews.find(key, campaign_id, management.now())
    if kept is None:
        raise BadValue("cursor", GONE)
    listed = kept.lists.get(prospect, Listed())
    wanted = tuple(zip(listed.ids[after : after + limit], listed.moments[after : after + limit], strict=True))
    found = await management.ask(described, who, kept.summary.campaign, wanted, prospect, kept.summary.begin)
    return found, len(listed.ids) > after + limit


async def page(
    management: Management,
    who: Account,
    campaign_id: int,
    horizon: timedelta,
    prospect: Prospect,
    place: tuple[str, int] | None,
    limit: int,
) -> tuple[list[Outlook], tuple[str, int] | None]:
    """Contacts of one prospect, page by page, and the place behind which the next page begins: the key of a preview and how
    many were told; None at the end. The first page is one of the newest preview for that horizon that is kept, or of a new
    one. Fails as `preview` and `contacts` do."""
    if place is None:
        kept = management.previews.newest(campaign_id, horizon, management.now())
        place = ((await preview(management, who, campaign_id, horizon)).key if kept is None else kept.summary.key, 0)
    key, after = place
    found, more = await contacts(management, who, campaign_id, key, prospect, after, limit)
    return found, (key, after + limit) if more else None


@define(eq=False)
class _Maker:
    """Makes one preview."""

    management: Management
    who: Account
    basis: _Basis
    now: datetime
    horizon: timedelta
    call_seconds: float
    switch_rate: float | None
    lists: dict[Prospect, Listed] = field(factory=lambda: {each: Listed() for each in Prospect}, init=False)
    _kinds: ContactKinds = field(init=False)
    _played: Rehearsal = field(init=False)
    _timetable: Timetable = field(init=False)
    _seen: bytearray = field(factory=bytearray, init=False)
    _moments: dict[str, int] = field(factory=dict, init=False)
    _way: Gateway | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        campaign, found = self.basis.campaign, self.basis
        self._way = found.way
        self._kinds = ContactKinds(self.management.rules, campaign, micros(self.now))
        self._timetable = Timetable(
            campaign, self.now, Routes(found.gateways, PlayedCalls(), {}), self.call_seconds, self.switch_rate, found.live
        )
        self._played = Rehearsal(self._timetable, micros(self.end), campaign.order, campaign.retry_share, self._kinds.opens)

    @property
    def end(self) -> datetime:
        return self.now + self.horizon

    async def make(self) -> KeptPreview:
        await self._scan()
        if self.basis.counts.get(SubscriberStatus.NOT_AUTHORISED):
            await self._scan_blocked()
        begin = micros(self.now) if not self.basis.refusal else micros(self.end)  # silenced, it makes no call
        for _ in self._played.play(begin):
            await self._pause()
        self._collect()
        return KeptPreview(summary=await self._summary(), lists=self.lists, made_at=self.now)

    async def _pause(self) -> None:
        if self.management.reactor is not None:
            await deferLater(self.management.reactor, 0)

    # --- reading ----------------------------------------------------------------------------------------------------------

    async def _scan(self) -> None:
        ask, way, place = self.management.ask, self._way, ScanPlace()
        coming = ask(scan, self.who, self.basis, place, way)
        while True:
            rows, words = await coming
            more = len(rows) == AT_ONCE
            if more:  # the next ones are read while these are looked at
                coming = ask(scan, self.who, self.basis, ScanPlace(rows[-1].ready_at, rows[-1].id), way)
            try:
                await self._look_at(rows, words)
            except BaseException:
                coming.addErrback(lambda _: None)
                raise
            if not more:
                break
        after: int | None = 0 if self.basis.rechecks else None
        while after is not None:
            rows, words = await ask(scan_held, self.who, self.basis, after, way)
            await self._look_at(rows, words, released=True)
            after = rows[-1].id if len(rows) == AT_ONCE else None

    async def _look_at(self, rows: Sequence[ScannedContact], words: Mapping[int, str], *, released: bool = False) -> None:
        counted: list[tuple[ScannedContact, Somebody]] = []
        for row in rows:
            if (row.held_by and self.basis.rechecks and not released) or self._is_known(row.id):
                continue
            if row.id in words:
                self.lists[Prospect(words[row.id])].add(row.id)
            elif self._is_emergency(row.number):
                self.lists[Prospect.EMERGENCY].add(row.id)
            else:
                callee = Somebody(row.identity, row.time_zone)
                kind = self._kinds.of(callee)
                if self._kinds.looks_back(kind):
                    counted.append((row, callee))
                else:
                    self._expect(row, kind, released=released)
        if counted:
            ids = tuple(row.id for row, _ in counted)
            known = await self.management.ask(earlier_calls, self.who, self.basis.campaign, ids)
            for row, callee in counted:
                kind = self._kinds.with_history(callee, known.get(row.identity, ()))
                self._expect(row, kind, released=released)

    def _is_emergency(self, number: str) -> bool:
        way = self._way
        forms = (number,) if way is None else gate.leg_through(way, number).forms
        return bool(gate.emergency_refusal(forms, self.management.numbering))

    def _expect(self, row: ScannedContact, kind: int, *, released: bool) -> None:
        ready = self._micros(row.ready_at)
        if self._kinds.never(kind):
            self.lists[Prospect.REFUSED].add(row.id)
        elif ready >= self._played.end:
            waits = Prospect.CALLING_RULES if row.held_by and not released else Prospect.DUE_LATER
            self._later(waits, row.id, ready)
        else:
            self._played.add((ready, row.id, kind), row.priority, row.lane)

    def _later(self, prospect: Prospect, subscriber_id: int, at: int) -> None:
        expired = at >= micros(self.basis.campaign.expires_at)
        self.lists[Prospect.EXPIRES if expired else prospect].add(subscriber_id, at)

    def _micros(self, column: str) -> int:
        found = self._moments.get(column)
        if found is None:
            if len(self._moments) > AT_ONCE:
                self._moments.clear()
            found = self._moments[column] = micros(from_column(column))
        return found

    def _is_known(self, subscriber_id: int) -> bool:
        """Whether it was seen before: one that is set aside meanwhile is read twice."""
        place, bit = subscriber_id >> 3, 1 << (subscriber_id & 7)
        if place >= len(self._seen):
            self._seen.extend(bytes(place - len(self._seen) + 4096))
        was = self._seen[place] & bit
        self._seen[place] |= bit
        return bool(was)

    async def _scan_blocked(self) -> None:
        after: str | None = ""
        while after is not None:
            some, after = await self.management.ask(scan_blocked, self.who, self.basis, after)
            for each, prospect in some:
                if not self._is_known(each.id):
                    self.lists[prospect].add(each.id)

    # --- what came of it --------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        played = self._played
        self.lists[Prospect.CALLED] = Listed(played.called, played.called_at)
        for key in played.refused:
            self.lists[Prospect.REFUSED].add(key)
        for key, until in zip(played.held, played.held_until, strict=True):
            self._later(Prospect.CALLING_RULES, key, until)
        expires = self.basis.campaign.expires_at <= self.now
        for key in played.left:
            self.lists[Prospect.EXPIRES if expires else Prospect.BEHIND_OTHERS].add(key)

    async def _summary(self) -> PreviewSummary:
        examples: dict[Prospect, Any] = {}
        campaign = self.basis.campaign
        for prospect, listed in self.lists.items():
            if listed.ids:
                some = tuple(zip(listed.ids[:EXAMPLES], listed.moments[:EXAMPLES], strict=True))
                shown = await self.management.ask(described, self.who, campaign, some, prospect, self.now)
                examples[prospect] = tuple(shown)
        called = self.lists[Prospect.CALLED].moments
        counted = {SubscriberStatus.START, SubscriberStatus.NOT_AUTHORISED}
        return PreviewSummary(
            key=secrets.token_hex(8),
            campaign=campaign,
            begin=self.now,
            end=self.end,
            counts={prospect: len(listed.ids) for prospect, listed in self.lists.items()},
            examples=examples,
            done={status: count for status, count in self.basis.counts.items() if status not in counted},
            first_call_at=moment(called[0]) if called else None,
            last_call_at=moment(called[-1]) if called else None,
            calls_per_minute=self._timetable.calls_per_minute,
            call_seconds=self.call_seconds,
            refusal=self.basis.refusal,
        )


def groups(summary: PreviewSummary) -> Mapping[ProspectGroup, int]:
    """How many contacts are called, later, and never."""
    return {group: summary.in_group(group) for group in ProspectGroup}
