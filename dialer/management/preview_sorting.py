"""What a preview makes of the contacts that it reads: who waits for a turn goes to the rehearsal, the others stand by why they
do not. Some thousands are looked at together, so that one of them costs a microsecond."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from types import MappingProxyType
from typing import Final, TypeVar

from attrs import define, field

from dialer import gate
from dialer.campaigns.rehearsal import Rehearsal
from dialer.campaigns.timetable import micros
from dialer.management.kept_previews import Listed
from dialer.management.kinds_of_contacts import ANY_TIME, ContactKinds, ContactSpan, Somebody
from dialer.management.preview_scans import PreviewBasis, Scanned
from dialer.management.shown_kinds import ShownKinds
from dialer.model import BlockReason, Gateway
from dialer.model.consent import ConsentPolicy
from dialer.model.preview import Prospect
from dialer.numbering import Numbering
from dialer.rules.decide import EarlierCall
from dialer.store.times import from_column

T = TypeVar("T")

_WAITING: Final[Mapping[str | None, Prospect]] = {
    BlockReason.CALLING_RULES: Prospect.CALLING_RULES,
    BlockReason.DO_NOT_CALL: Prospect.LISTED_UNTIL,
    BlockReason.DIALLED_FORM: Prospect.LISTED_UNTIL,
    BlockReason.CONSENT: Prospect.CONSENT_LATER,
    BlockReason.NO_GATEWAY: Prospect.BEHIND_OTHERS,
}
"""Of those that were set aside until a moment beyond the horizon."""


@define(eq=False, kw_only=True)
class PendingPart:
    """Contacts that are neither known already nor never called, a list for each fact; earlier calls may count for those that
    stand at the places `counted`."""

    ids: list[int]
    ready_at: list[str]
    identities: list[str]
    time_zones: list[str]
    lanes: list[int]
    waits_for: list[str | None]
    kinds: list[int]
    spans: dict[int, ContactSpan]
    counted: list[int]
    released: bool

    @property
    def counted_identities(self) -> list[str]:
        """Of those whose earlier calls may count."""
        return [self.identities[place] for place in self.counted]


@define(eq=False)
class PreviewSorting:
    """Sorts the contacts of one preview into `lists`, by prospect, and into `played`. `listed` are the moments until which
    some are on lists, `agreeing` those from which the consent of some holds, `agreed` are those whose consent expires before
    the end, `retries` how many of those due later were tried before."""

    basis: PreviewBasis
    kinds: ContactKinds
    played: Rehearsal
    numbering: Numbering
    shown: ShownKinds | None = None
    lists: dict[Prospect, Listed] = field(factory=lambda: {each: Listed() for each in Prospect}, init=False)
    listed: dict[int, int] = field(factory=dict, init=False)
    agreeing: dict[int, int] = field(factory=dict, init=False)
    agreed: set[int] = field(factory=set, init=False)
    retries: Counter[Prospect] = field(factory=Counter, init=False)
    _seen: bytearray = field(factory=bytearray, init=False)
    _way: Gateway | None = field(init=False)
    _expires: int = field(init=False)
    _asks_consent: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        campaign = self.basis.campaign
        self._way = self.basis.way if self.basis.is_rewritten else None
        self._expires = micros(campaign.expires_at)
        self._asks_consent = campaign.consent is not ConsentPolicy.NOT_ASKED

    # --- reading ----------------------------------------------------------------------------------------------------------

    def part(self, some: Scanned, *, released: bool = False) -> PendingPart:
        """The contacts of a scan that may be called sooner or later; `released` are those that were set aside and are looked
        at again."""
        columns = some.columns
        dropped = self._dropped(some, released=released)
        spans = self._spans(some, dropped)
        kinds = self.kinds.of_all(columns.identities, columns.time_zones)
        for place, span in spans.items():
            kinds[place] = self.kinds.of(Somebody(columns.identities[place], columns.time_zones[place]), span)
        looking = {kind for kind in set(kinds) if self.kinds.looks_back(kind)}
        counted = [place for place, kind in enumerate(kinds) if kind in looking and place not in dropped] if looking else []
        keep = bytearray(b"\1") * len(kinds)
        for place in dropped:
            keep[place] = 0

        def kept(column: list[T]) -> list[T]:
            return list(compress(column, keep)) if dropped else column

        places = {before: now for now, before in enumerate(compress(range(len(kinds)), keep))} if dropped else None
        return PendingPart(
            ids=kept(columns.ids),
            ready_at=kept(columns.ready_at),
            identities=kept(columns.identities),
            time_zones=kept(columns.time_zones),
            lanes=kept(columns.lanes),
            waits_for=kept(columns.waits_for),
            kinds=kept(kinds),
            spans=spans if places is None else {places[place]: span for place, span in spans.items()},
            counted=counted if places is None else [places[place] for place in counted],
            released=released,
        )

    def _dropped(self, some: Scanned, *, released: bool) -> set[int]:
        """The places of those that are told of elsewhere, were seen before, or are never called."""
        columns, dropped = some.columns, set[int]()
        if self.basis.rechecks and not released and any(columns.waits_for):
            dropped.update(place for place, reason in enumerate(columns.waits_for) if reason)
        waiting = frozenset(dropped)
        dropped.update(place for place in self._known(columns.ids, waiting))
        for place, prospect in some.never.items():
            if place not in dropped:
                self.lists[prospect].add(columns.ids[place])
                dropped.add(place)
        for place in self._emergencies(columns.numbers):
            if place not in dropped:
                self.lists[Prospect.EMERGENCY].add(columns.ids[place])
                dropped.add(place)
        return dropped

    def _known(self, ids: Sequence[int], without: frozenset[int]) -> list[int]:
        """The places of those that were seen before: one that is set aside meanwhile is read twice."""
        seen, known = self._seen, []
        least = (max(ids, default=0) >> 3) + 1 - len(seen)
        if least > 0:
            seen.extend(bytes(least + len(seen) // 2))
        for place, key in enumerate(ids):
            if place in without:
                continue
            byte, bit = key >> 3, 1 << (key & 7)
            if seen[byte] & bit:
                known.append(place)
            else:
                seen[byte] |= bit
        return known

    def is_known(self, subscriber_id: int) -> bool:
        """Whether it was seen before; from now on it was."""
        return bool(self._known((subscriber_id,), frozenset()))

    def _emergencies(self, numbers: Iterable[str]) -> list[int]:
        is_emergency, way = self.numbering.is_emergency, self._way
        if way is None:
            return [place for place, number in enumerate(numbers) if is_emergency(number)]
        forms = ((place, gate.leg_through(way, number).forms) for place, number in enumerate(numbers))
        return [place for place, each in forms if gate.emergency_refusal(each, self.numbering)]

    def _spans(self, some: Scanned, dropped: set[int]) -> dict[int, ContactSpan]:
        """Between which moments some may be called, as far as these lie before the end."""
        columns, spans = some.columns, dict[int, ContactSpan]()
        for place, until in some.listed_until.items():
            if place not in dropped:
                moment = self.listed[columns.ids[place]] = micros(from_column(until))
                spans[place] = ContactSpan(listed_until=moment)
        for place, begins in some.agreed_from.items():
            if place not in dropped:
                moment = self.agreeing[columns.ids[place]] = micros(from_column(begins))
                spans[place] = spans.get(place, ANY_TIME)._replace(agreed_from=moment)
        if self._asks_consent:
            for place, agreed in enumerate(columns.agreed_until):
                if agreed is not None and place not in dropped and micros(from_column(agreed)) < self.played.end:
                    self.agreed.add(columns.ids[place])
                    spans[place] = spans.get(place, ANY_TIME)._replace(agreed_until=micros(from_column(agreed)))
        return spans

    # --- sorting ----------------------------------------------------------------------------------------------------------

    def sort(
        self, part: PendingPart, earlier: Mapping[str, Sequence[EarlierCall]], had: Mapping[int, int] = MappingProxyType({})
    ) -> None:
        """Put the contacts of a part where they belong; `earlier` are the calls that count, by identity, `had` the caller ids
        that were shown to some before, by the ids of their subscribers."""
        for place in part.counted:
            identity = part.identities[place]
            if history := earlier.get(identity):
                callee = Somebody(identity, part.time_zones[place])
                part.kinds[place] = self.kinds.with_history(callee, history, part.spans.get(place, ANY_TIME))
        moments = {text: micros(from_column(text)) for text in set(part.ready_at)}
        ready = [moments[text] for text in part.ready_at]
        never = {kind for kind in set(part.kinds) if self.kinds.never(kind)}
        kinds = part.kinds
        if self.shown is not None:
            kinds = self.shown.of_all(part.kinds, part.identities, part.ids, had)
        if never or (ready and max(ready) >= self.played.end):
            self._sort_one_by_one(part, ready, never, kinds)
            return
        self._expect(ready, part.ids, kinds, part.lanes)

    def _expect(self, ready: list[int], ids: list[int], kinds: list[int], lanes: list[int]) -> None:
        which = set(lanes)
        for lane in sorted(which):
            own = self.played.lane(lane >> 1, lane & 1)
            if len(which) == 1:
                own.extend(ready, ids, kinds)
            else:
                mine = [each == lane for each in lanes]
                own.extend(*(list(compress(column, mine)) for column in (ready, ids, kinds)))

    def _sort_one_by_one(self, part: PendingPart, ready: list[int], never: set[int], kinds: list[int]) -> None:
        keep = bytearray(len(ready))
        for place, (key, kind, at) in enumerate(zip(part.ids, part.kinds, ready, strict=True)):
            if kind in never:
                self.lists[self.refused(key)].add(key)
            elif at >= self.played.end:
                waits_for = None if part.released else part.waits_for[place]
                prospect = self.later(_WAITING.get(waits_for, Prospect.DUE_LATER), key, at)
                self.retries[prospect] += part.lanes[place] & 1
            else:
                keep[place] = 1
        self._expect(*(list(compress(column, keep)) for column in (ready, part.ids, kinds, part.lanes)))

    def held(self, subscriber_id: int, until: int) -> Prospect:
        """Of one that is kept waiting until a moment: by what has its end then, else by the rules."""
        if self.listed.get(subscriber_id) == until:
            return Prospect.LISTED_UNTIL
        return Prospect.CONSENT_LATER if self.agreeing.get(subscriber_id) == until else Prospect.CALLING_RULES

    def refused(self, subscriber_id: int) -> Prospect:
        """Of one that may never be called: by the rules, or because its consent will have expired."""
        return Prospect.CONSENT if subscriber_id in self.agreed else Prospect.REFUSED

    def later(self, prospect: Prospect, subscriber_id: int, at: int) -> Prospect:
        """One that has to wait until a moment beyond the end: as long as the campaign lasts."""
        found = Prospect.EXPIRES if at >= self._expires else prospect
        self.lists[found].add(subscriber_id, at)
        return found
