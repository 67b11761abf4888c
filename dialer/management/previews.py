"""The preview of a campaign: who will be called within a horizon, who later, who never, and why.

It asks what dialling asks: `dialer.store.may_call`, the forms of a number as `dialer.store.begin` does, the calling rules
(`dialer.rules.decide`), the order, the hours, the pace and the limits (`dialer.campaigns.rehearsal`). The contacts are read
some hundreds at a time, each time in a transaction that others share, and played a thousand at a time, so that calls find
their way between. It takes for granted that the campaign is started, that switches and gateways are there, that every call
lasts equally long, and that no call is followed by another one to the same contact.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import define, field
from twisted.internet.task import deferLater

from dialer import gate
from dialer.campaigns.planning import Routes
from dialer.campaigns.rehearsal import Rehearsal
from dialer.campaigns.timetable import PlayedCalls, Timetable, micros, moment
from dialer.errors import BadValue, Busy
from dialer.management.kept_previews import KeptPreview, Listed
from dialer.management.kinds_of_contacts import ANY_TIME, ContactKinds, ContactSpan, Somebody
from dialer.management.management import Management
from dialer.management.preview_scans import (
    AT_ONCE,
    PreviewBasis,
    Scanned,
    basis,
    described,
    earlier_calls,
    scan,
    scan_blocked,
    scan_held,
)
from dialer.model import Account, BlockReason, Gateway, SubscriberStatus
from dialer.model.consent import ConsentPolicy
from dialer.model.preview import Outlook, PreviewSummary, Prospect, ProspectGroup
from dialer.store.previews import ScannedContact, ScanPlace
from dialer.store.times import from_column

EXAMPLES: Final = 3
"""Of each prospect, in a summary."""
LONGEST: Final = timedelta(days=7)
_WAITING: Final[Mapping[str | None, Prospect]] = {
    BlockReason.CALLING_RULES: Prospect.CALLING_RULES,
    BlockReason.DO_NOT_CALL: Prospect.LISTED_UNTIL,
    BlockReason.DIALLED_FORM: Prospect.LISTED_UNTIL,
}
"""Of those that were set aside until a moment beyond the horizon."""
GONE: Final = "the preview is not kept any more; make another one"


# --- making one -------------------------------------------------------------------------------------------------------------


async def preview(
    management: Management,
    who: Account,
    campaign_id: int,
    horizon: timedelta,
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
    basis: PreviewBasis
    now: datetime
    horizon: timedelta
    call_seconds: float
    switch_rate: float | None
    lists: dict[Prospect, Listed] = field(factory=lambda: {each: Listed() for each in Prospect}, init=False)
    _kinds: ContactKinds = field(init=False)
    _played: Rehearsal = field(init=False)
    _timetable: Timetable = field(init=False)
    _seen: bytearray = field(factory=bytearray, init=False)
    _listed: dict[int, int] = field(factory=dict, init=False)
    _agreed: set[int] = field(factory=set, init=False)
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
        while True:  # one after the other: two threads that want the interpreter at once wait for each other at each row
            some = await ask(scan, self.who, self.basis, place, way)
            await self._look_at(some)
            if len(some.rows) < AT_ONCE:
                break
            place = ScanPlace(some.rows[-1].ready_at, some.rows[-1].id)
        after: int | None = 0 if self.basis.rechecks else None
        while after is not None:
            some = await ask(scan_held, self.who, self.basis, after, way)
            await self._look_at(some, released=True)
            after = some.rows[-1].id if len(some.rows) == AT_ONCE else None

    async def _look_at(self, some: Scanned, *, released: bool = False) -> None:
        counted: list[tuple[ScannedContact, Somebody, ContactSpan]] = []
        for row in some.rows:
            if (row.waits_for and self.basis.rechecks and not released) or self._is_known(row.id):
                continue
            if row.id in some.never:
                self.lists[some.never[row.id]].add(row.id)
            elif self._is_emergency(row.number):
                self.lists[Prospect.EMERGENCY].add(row.id)
            else:
                callee = Somebody(row.identity, row.time_zone)
                span = self._span(row, some.listed_until.get(row.id))
                kind = self._kinds.of(callee, span)
                if self._kinds.looks_back(kind):
                    counted.append((row, callee, span))
                else:
                    self._expect(row, kind, released=released)
        if counted:
            ids = tuple(row.id for row, *_ in counted)
            known = await self.management.ask(earlier_calls, self.who, self.basis.campaign, ids)
            for row, callee, span in counted:
                kind = self._kinds.with_history(callee, known.get(row.identity, ()), span)
                self._expect(row, kind, released=released)

    def _span(self, row: ScannedContact, listed_until: str | None) -> ContactSpan:
        """Between which moments it may be called, as far as these lie before the end."""
        span = ANY_TIME
        if listed_until is not None:
            self._listed[row.id] = self._micros(listed_until)
            span = span._replace(listed_until=self._listed[row.id])
        asks = self.basis.campaign.consent is not ConsentPolicy.NOT_ASKED
        if asks and row.agreed_until is not None and self._micros(row.agreed_until) < self._played.end:
            self._agreed.add(row.id)
            span = span._replace(agreed_until=self._micros(row.agreed_until))
        return span

    def _is_emergency(self, number: str) -> bool:
        way = self._way
        is_rewritten = way is not None and (way.removeprefix or way.addprefix)
        forms = gate.leg_through(way, number).forms if way is not None and is_rewritten else (number,)
        return bool(gate.emergency_refusal(forms, self.management.numbering))

    def _expect(self, row: ScannedContact, kind: int, *, released: bool) -> None:
        ready = self._micros(row.ready_at)
        if self._kinds.never(kind):
            self.lists[self._refused(row.id)].add(row.id)
        elif ready >= self._played.end:
            self._later(Prospect.DUE_LATER if released else _WAITING.get(row.waits_for, Prospect.DUE_LATER), row.id, ready)
        else:
            self._played.add((ready, row.id, kind), row.priority, row.lane)

    def _refused(self, subscriber_id: int) -> Prospect:
        """Of one that may never be called: by the rules, or because its consent will have expired."""
        return Prospect.CONSENT if subscriber_id in self._agreed else Prospect.REFUSED

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
            self.lists[self._refused(key)].add(key)
        for key, until in zip(played.held, played.held_until, strict=True):
            self._later(Prospect.LISTED_UNTIL if self._listed.get(key) == until else Prospect.CALLING_RULES, key, until)
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
