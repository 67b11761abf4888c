"""Kinds of contacts: those to whom the same calling rules apply, of whom one ruling tells for all (`dialer.rules.decide`), and
who are on lists, or have agreed, from and until the same moments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from attrs import define, field

from dialer.campaigns.rehearsal import NEVER
from dialer.campaigns.timetable import micros, moment
from dialer.model import Campaign
from dialer.rules.book import RuleBook
from dialer.rules.decide import EarlierCall, decide, longest_memory
from dialer.rules.places import Whereabouts, telling_digits, whereabouts


class Somebody(NamedTuple):
    """A callee, as the rules want one."""

    identity: str
    time_zone: str


class ContactSpan(NamedTuple):
    """Between which moments somebody may be called, whatever the rules: from when on no list forbids it, and from when on and
    until when its consent holds. Microseconds since 1970."""

    listed_until: int = 0
    agreed_from: int = 0
    agreed_until: int = 2**62


ANY_TIME: Final = ContactSpan()

MINUTE: Final = 60_000_000
"""Microseconds."""


@define(eq=False)
class ContactKinds:
    """The kinds of a campaign's contacts, by numbers from 0 on. Contacts with earlier calls that count are each of a kind of
    its own."""

    book: RuleBook
    campaign: Campaign
    begin: int
    _kinds: list[tuple[Somebody, Sequence[EarlierCall], ContactSpan]] = field(factory=list, init=False)
    _by_rows: dict[tuple[int, ContactSpan], tuple[int, Any]] = field(factory=dict, init=False)
    _by_where: dict[tuple[Whereabouts | None, ContactSpan], int] = field(factory=dict, init=False)
    _by_beginning: dict[tuple[str, int, str], int] = field(factory=dict, init=False)
    _counts: dict[int, bool] = field(factory=dict, init=False)
    _first: dict[int, int] = field(factory=dict, init=False)

    @property
    def are_ruled(self) -> bool:
        """Whether there are rules for this campaign."""
        return bool(self.book.rows) and not self.campaign.override

    def of(self, callee: Somebody, span: ContactSpan = ANY_TIME) -> int:
        """The kind of somebody without earlier calls."""
        where = (whereabouts(callee.identity, callee.time_zone) if self.are_ruled else None, span)
        kind = self._by_where.get(where)
        if kind is None:
            kind = self._by_where[where] = self._of_rows(callee, span)
        return kind

    def of_all(self, identities: Sequence[str], time_zones: Sequence[str]) -> list[int]:
        """The kinds of some without earlier calls, who may be called at any time but for the rules."""
        if not self.are_ruled:
            return [self.of(Somebody("", ""))] * len(identities)
        known, kinds = self._by_beginning, []
        for identity, time_zone in zip(identities, time_zones, strict=True):
            alike = (identity[: telling_digits(identity)], len(identity), time_zone)
            kind = known.get(alike)
            if kind is None:
                kind = known[alike] = self.of(Somebody(identity, time_zone))
            kinds.append(kind)
        return kinds

    def memory(self, kinds: Iterable[int]) -> int:
        """For how many seconds back earlier calls to those of these kinds count at most."""
        return max((longest_memory(self.book, self._kinds[kind][0], self.campaign) for kind in kinds), default=0)

    def _of_rows(self, callee: Somebody, span: ContactSpan) -> int:
        applying = self.book.applying(callee, self.campaign) if self.are_ruled else None
        known = self._by_rows.get((id(applying), span))
        if known is None:  # with what has that id, lest another one has it later
            known = self._by_rows[id(applying), span] = (self._new(callee, (), span), applying)
        return known[0]

    def with_history(self, callee: Somebody, history: Sequence[EarlierCall], span: ContactSpan = ANY_TIME) -> int:
        """The kind of somebody who was called before."""
        return self._new(callee, history, span) if history else self.of(callee, span)

    def looks_back(self, kind: int) -> bool:
        """Whether earlier calls count for those of the kind."""
        if not self.are_ruled:
            return False
        if kind not in self._counts:
            self._counts[kind] = longest_memory(self.book, self._kinds[kind][0], self.campaign) > 0
        return self._counts[kind]

    def opens(self, kind: int, at: int) -> int:
        """From when on they may be called: `at` when they may then, `NEVER` when they never may."""
        callee, history, span = self._kinds[kind]
        if at < span.listed_until:
            return span.listed_until
        if at < span.agreed_from:
            return span.agreed_from
        if at >= span.agreed_until:
            return NEVER
        if not self.are_ruled:
            return at
        ruling = decide(self.book, callee, self.campaign, history, moment(at))
        if ruling.is_open:
            return at
        return NEVER if ruling.until is None else micros(ruling.until)

    def open_until(self, kind: int, at: int) -> int:
        """Up to when they may be called at least, from `at` on, at which they may: rules change with a minute of the clock."""
        agreed_until = self._kinds[kind][2].agreed_until
        return min(at - at % MINUTE + MINUTE, agreed_until) if self.are_ruled else agreed_until

    def never(self, kind: int) -> bool:
        """Whether they never may be called, as of the begin."""
        if kind not in self._first:
            self._first[kind] = self.opens(kind, self.begin)
        return self._first[kind] == NEVER

    def _new(self, callee: Somebody, history: Sequence[EarlierCall], span: ContactSpan) -> int:
        self._kinds.append((callee, history, span))
        return len(self._kinds) - 1
