"""The preview of a campaign: who will be called within a horizon, who later, who never, and why.

It asks what dialling asks: `dialer.store.may_call`, the forms of a number as `dialer.store.begin` does, the calling rules
(`dialer.rules.decide`), the order, the hours, the pace and the limits (`dialer.campaigns.rehearsal`), the caller ids of a pool
(`dialer.campaigns.caller_ids`). The contacts are read
some thousands at a time, on a connection that nobody else waits for, and looked at and played in steps of milliseconds, so
that calls find their way between. It takes for granted that the campaign is started, that switches and gateways are there,
that every call lasts equally long, and that no call is followed by another one to the same contact. Who waits for a retry
already has the moment that the table of retries gave.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from dialer.campaigns.planning import Routes
from dialer.campaigns.played_pool import PlayedPool
from dialer.campaigns.rehearsal import STEPS, Rehearsal
from dialer.campaigns.timetable import PlayedCalls, Timetable, micros, moment
from dialer.errors import BadValue, Busy
from dialer.management.kept_previews import KeptPreview, Listed
from dialer.management.kinds_of_contacts import ContactKinds
from dialer.management.long_reading import LongReading
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
    shown_before,
)
from dialer.management.preview_sorting import PreviewSorting
from dialer.management.shown_kinds import ShownKinds
from dialer.model import Account, SubscriberStatus
from dialer.model.preview import Outlook, PreviewSummary, Prospect, ProspectGroup
from dialer.rules.decide import EarlierCall
from dialer.store.previews import ScanPlace
from dialer.thread_turns import READING, shortened

EXAMPLES: Final = 3
"""Of each prospect, in a summary."""
LONGEST: Final = timedelta(days=7)
_WITH_RETRIES: Final = (Prospect.CALLED, Prospect.BEHIND_OTHERS, Prospect.DUE_LATER, Prospect.CALLER_ID)
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
        with shortened(READING):
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
    _kinds: ContactKinds = field(init=False)
    _played: Rehearsal = field(init=False)
    _timetable: Timetable = field(init=False)
    _sorting: PreviewSorting = field(init=False)
    _shown: ShownKinds | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        campaign, found = self.basis.campaign, self.basis
        self._kinds = ContactKinds(self.management.rules, campaign, micros(self.now))
        numbering, kinds, end = self.management.numbering, self._kinds, micros(self.end)
        pool = None
        if found.pool is not None:
            pool = PlayedPool(found.pool.pool, found.pool.numbers, micros(self.now), end, numbering, found.only)
        self._timetable = Timetable(
            campaign,
            self.now,
            Routes(found.gateways, PlayedCalls(), {}),
            self.call_seconds,
            self.switch_rate,
            found.live,
            pool,
        )
        rehearsed = self._timetable, end, campaign.order, campaign.retry_share
        if pool is None:
            self._shown = None
            self._played = Rehearsal(*rehearsed, kinds.opens, kinds.open_until)
        else:
            shown = self._shown = ShownKinds(kinds, pool, self._timetable, end)
            self._played = Rehearsal(*rehearsed, shown.rules_open, shown.rules_open_until, shown)
        self._sorting = PreviewSorting(found, kinds, self._played, numbering, self._shown)

    @property
    def end(self) -> datetime:
        return self.now + self.horizon

    async def make(self) -> KeptPreview:
        reading = LongReading(self.management)
        try:
            await self._scan(reading)
            if self.basis.counts.get(SubscriberStatus.NOT_AUTHORISED):
                await self._scan_blocked(reading)
        finally:
            reading.close()
        begin = micros(self.now) if not self.basis.refusal else micros(self.end)  # silenced, it makes no call
        for _ in chain(self._played.play(begin), self._collect()):
            await self._pause()
        return KeptPreview(summary=await self._summary(), lists=self._sorting.lists, made_at=self.now)

    async def _pause(self) -> None:
        if self.management.reactor is not None:
            await deferLater(self.management.reactor, 0)

    # --- reading ----------------------------------------------------------------------------------------------------------

    async def _scan(self, reading: LongReading) -> None:
        """While some contacts are looked at, the next ones are read."""
        following: Deferred[Scanned] | None = reading.ask(scan, self.who, self.basis, ScanPlace())
        while following is not None:
            some, following = await following, None
            columns = some.columns
            if len(columns.ids) == AT_ONCE:
                following = reading.ask(scan, self.who, self.basis, ScanPlace(columns.ready_at[-1], columns.ids[-1]))
            try:
                await self._look_at(reading, some)
            except BaseException:
                if following is not None:
                    following.addErrback(lambda _: None)
                raise
        after: int | None = 0 if self.basis.rechecks else None
        while after is not None:
            some = await reading.ask(scan_held, self.who, self.basis, after)
            await self._look_at(reading, some, released=True)
            after = some.columns.ids[-1] if len(some.columns.ids) == AT_ONCE else None

    async def _look_at(self, reading: LongReading, some: Scanned, *, released: bool = False) -> None:
        part = self._sorting.part(some, released=released)
        known: Mapping[str, Sequence[EarlierCall]] = {}
        if part.counted:
            memory = self._kinds.memory({part.kinds[place] for place in part.counted})
            known = await reading.ask(earlier_calls, self.who, self.basis.campaign, part.counted_identities, memory)
        had: Mapping[int, int] = {}
        if self._shown is not None and self._shown.pool.tells_apart:
            had = await reading.ask(shown_before, self.who, self.basis, part.ids)
        self._sorting.sort(part, known, had)
        await self._pause()

    async def _scan_blocked(self, reading: LongReading) -> None:
        after: str | None = ""
        while after is not None:
            some, after = await reading.ask(scan_blocked, self.who, self.basis, after)
            for each, prospect in some:
                if not self._sorting.is_known(each.id):
                    self._sorting.lists[prospect].add(each.id)

    # --- what came of it --------------------------------------------------------------------------------------------------

    def _collect(self) -> Iterator[None]:
        """In small steps."""
        played, sorting = self._played, self._sorting
        lists = sorting.lists
        lists[Prospect.CALLED] = Listed(played.called, played.called_at)
        sorting.retries[Prospect.CALLED] = played.retries_called
        for count, key in enumerate(played.refused):
            lists[sorting.refused(key)].add(key)
            if count % STEPS == 0:
                yield
        for count, (key, until) in enumerate(zip(played.held, played.held_until, strict=True)):
            sorting.later(sorting.held(key, until), key, until)
            if count % STEPS == 0:
                yield
        for count, (key, until) in enumerate(zip(played.unshown, played.unshown_until, strict=True)):
            sorting.later(Prospect.CALLER_ID, key, until)
            if count % STEPS == 0:
                yield
        sorting.retries[Prospect.CALLER_ID] += played.retries_unshown
        left = Prospect.EXPIRES if self.basis.campaign.expires_at <= self.now else Prospect.BEHIND_OTHERS
        lists[left].extend(played.left)
        sorting.retries[left] += played.retries_left

    def _first_moments(self) -> dict[Prospect, datetime]:
        found = {}
        for prospect, listed in self._sorting.lists.items():
            first = min(filter(None, listed.moments), default=None)
            if first is not None:
                found[prospect] = moment(first)
        return found

    async def _summary(self) -> PreviewSummary:
        examples: dict[Prospect, Any] = {}
        campaign = self.basis.campaign
        for prospect, listed in self._sorting.lists.items():
            if listed.ids:
                some = tuple(zip(listed.ids[:EXAMPLES], listed.moments[:EXAMPLES], strict=True))
                shown = await self.management.ask(described, self.who, campaign, some, prospect, self.now)
                examples[prospect] = tuple(shown)
        called = self._sorting.lists[Prospect.CALLED].moments
        counted = {SubscriberStatus.START, SubscriberStatus.NOT_AUTHORISED}
        return PreviewSummary(
            key=secrets.token_hex(8),
            campaign=campaign,
            begin=self.now,
            end=self.end,
            counts={prospect: len(listed.ids) for prospect, listed in self._sorting.lists.items()},
            examples=examples,
            retries={prospect: self._sorting.retries[prospect] for prospect in _WITH_RETRIES},
            done={status: count for status, count in self.basis.counts.items() if status not in counted},
            first_at=self._first_moments(),
            first_call_at=moment(called[0]) if called else None,
            last_call_at=moment(called[-1]) if called else None,
            calls_per_minute=self._timetable.calls_per_minute,
            call_seconds=self.call_seconds,
            refusal=self.basis.refusal,
        )


def groups(summary: PreviewSummary) -> Mapping[ProspectGroup, int]:
    """How many contacts are called, later, and never."""
    return {group: summary.in_group(group) for group in ProspectGroup}
