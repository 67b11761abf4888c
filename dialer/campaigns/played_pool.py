"""The caller ids of a campaign that is played ahead of time: for which of its calls there is one, and from when on.

It asks what dialling asks (`dialer.campaigns.caller_ids`), as of the moments of the calls that are played: what these show
counts for the caps of the day, a day ends at the midnight of the pool, rests end, and warm-ups begin with a first call.

Callees for whom the same numbers can be chosen are of one *group*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from attrs import define, evolve, field

from dialer.campaigns.caller_ids import CallToShow, PoolChoice, PooledNumber, next_day, pool_wait
from dialer.campaigns.pairs import free_again
from dialer.campaigns.timetable import micros, moment
from dialer.model.caller_id import CallerIdPool, CallerIdStrategy, ForeignPolicy
from dialer.numbering import Numbering
from dialer.rules.places import telling_digits

NOBODY_KNOWS: Final = 2**62
"""From when on there is a caller id, where nothing tells that: later than all moments."""

_MORE_DIGITS: Final = 3
"""Of a number behind those that tell where it is: as many as phonenumbers looks at to tell countries of one code apart."""


@define(eq=False)
class PlayedPool:
    """The numbers of a pool between the moments `begin` and `end`, in microseconds since 1970; `only` is the one that a
    campaign names itself. Moments are asked for in their order."""

    pool: CallerIdPool
    numbers: Sequence[PooledNumber]
    begin: int
    end: int
    numbering: Numbering
    only: int | None = None
    counts: bool = field(init=False)
    """Whether calls use up what there is: some number has a cap."""
    by_gateway: bool = field(init=False)
    """Whether it matters through which gateway a call goes."""
    tells_apart: bool = field(init=False)
    """Whether it matters later on which of the numbers that can be chosen is taken: so it matters which one somebody had."""
    _choice: PoolChoice = field(init=False)
    _until: int = field(init=False)
    """When the choice has to be made anew: at a midnight, or when a number rests no more."""
    _used: Counter[int] = field(factory=Counter, init=False)
    """The calls that were played since the choice was made, by the number that they show."""
    _groups: dict[tuple[str, str, int], int] = field(factory=dict, init=False)
    _callees: list[tuple[str, str, int]] = field(factory=list, init=False)
    _calls: dict[tuple[int, int], CallToShow] = field(factory=dict, init=False)
    _countries: dict[tuple[str, int], str] = field(factory=dict, init=False)
    _beginnings: frozenset[str] = field(init=False)
    _exhausted_until: int | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        mine = [each for each in self.numbers if self.only in (None, each.caller.id)]
        self.counts = any(each.caller.daily_cap is not None for each in mine)
        self.by_gateway = any(each.gateways for each in mine)
        warms_up = any(each.caller.warm_up_days and each.caller.first_used_at is None for each in mine)
        self.tells_apart = self.counts and (warms_up or len({each.gateways for each in mine}) > 1)
        digits = (each.caller.identity for each in mine)
        self._beginnings = frozenset(text[:length] for text in digits for length in range(1, len(text) + 1))
        self._choose(self.pool, self.numbers, moment(self.begin))

    # --- who is called ----------------------------------------------------------------------------------------------------

    def group(self, identity: str, earlier: int | None = None) -> int:
        """The group of a callee, by its number and the caller id that was shown to it before."""
        country = "" if self.pool.foreign_callees is ForeignPolicy.ALLOW else self._country(identity)
        beginning = ""
        if self.tells_apart and self.pool.strategy is CallerIdStrategy.NEAREST:
            beginning = self._beginning(identity)
        callee = (country, beginning, (earlier or 0) if self.tells_apart else 0)
        found = self._groups.get(callee)
        if found is None:
            found = self._groups[callee] = len(self._callees)
            self._callees.append(callee)
        return found

    @property
    def groups(self) -> int:
        """How many there are: their numbers begin with 0."""
        return len(self._callees)

    def _country(self, identity: str) -> str:
        alike = (identity[: telling_digits(identity) + _MORE_DIGITS], len(identity))
        found = self._countries.get(alike)
        if found is None:
            found = self._countries[alike] = self.numbering.country(identity)
        return found

    def _beginning(self, identity: str) -> str:
        """The first digits, as far as some caller id has them too: what more there is makes none nearer."""
        length = 0
        while length < len(identity) and identity[: length + 1] in self._beginnings:
            length += 1
        return identity[:length]

    def _call(self, group: int, gateway_id: int) -> CallToShow:
        found = self._calls.get((group, gateway_id))
        if found is None:
            country, beginning, earlier = self._callees[group]
            found = self._calls[group, gateway_id] = CallToShow(
                identity=beginning, country=country, gateway_id=gateway_id, earlier=earlier or None, only=self.only
            )
        return found

    # --- what there is for them -------------------------------------------------------------------------------------------

    @property
    def changes_at(self) -> int:
        """When more caller ids may be there than now."""
        return self._until

    def opens(self, at: int) -> int:
        """From when on some call may be made, whoever is called: `at` when one may be made then, `NOBODY_KNOWS` when that is
        not known."""
        self._look(at)
        if not self._choice.is_exhausted(self.only):
            return at
        if self._exhausted_until is None:
            wait = pool_wait(self.pool, self._mine(), moment(at))
            until = None if wait is None else wait.until
            self._exhausted_until = NOBODY_KNOWS if until is None else micros(until)
        return max(self._exhausted_until, at)

    def is_bound(self, free: Sequence[int], busy: Sequence[int], at: int) -> bool:
        """Whether all calls lack nothing but room: the gateways that are `free` have no caller id for anybody, and others
        have."""
        self._look(at)
        return self._choice.is_exhausted(self.only, free) and not self._choice.is_exhausted(self.only, busy)

    def gateway(self, group: int, free: Sequence[int], at: int) -> int | None:
        """The first of the gateways through which a call to the group can be made; None when there is none."""
        self._look(at)
        return next((each for each in free if self._choice.has_for(self._call(group, each))), None)

    def opens_again(self, group: int, gateways: Sequence[int], at: int) -> int:
        """When a group for which no gateway has a caller id and room is looked at again; `NOBODY_KNOWS` when there is none
        that it could be shown."""
        self._look(at)
        until = free_again(self._choice, [self._call(group, each) for each in gateways], moment(at))
        return NOBODY_KNOWS if until is None else micros(until)

    def take(self, group: int, gateway_id: int, at: int) -> None:
        """A call to the group is made through that gateway, for which there is a caller id."""
        if not self.counts:
            return
        self._look(at)
        shown = self._choice.choose(self._call(group, gateway_id))
        if shown is None or shown.id is None:
            raise RuntimeError("there is no caller id for that call")
        self._used[shown.id] += 1

    # --- time -------------------------------------------------------------------------------------------------------------

    def _look(self, at: int) -> None:
        at = min(at, self.end - 1)  # whoever looks for the next call may find one behind the end
        if at < self._until:
            return
        now, before = moment(at), self._choice
        numbers = self._mine()
        if next_day(self.pool, before.now) <= now:
            numbers = [evolve(each, used=0) for each in numbers]
        self._choose(evolve(self.pool, turn=before.turn), numbers, now)

    def _choose(self, pool: CallerIdPool, numbers: Sequence[PooledNumber], now: datetime) -> None:
        self.pool = pool
        self._choice = PoolChoice(pool, numbers, now)
        self._used.clear()
        self._exhausted_until = None
        rests = [each.caller.rest_until for each in numbers]
        ends = [until for until in rests if until is not None and until > now]
        self._until = micros(min([next_day(pool, now), *ends]))

    def _mine(self) -> list[PooledNumber]:
        """The numbers as they are by now."""
        found = []
        for each in self._choice.numbers:
            caller, more = each.caller, self._used[each.caller.id]
            if self.only not in (None, caller.id):
                continue
            if more and caller.first_used_at is None:
                caller = evolve(caller, first_used_at=self._choice.now)
            found.append(evolve(each, caller=caller, used=each.used + more))
        return found
