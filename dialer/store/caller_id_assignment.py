"""The caller ids of calls that are begun: chosen from pools together with the gateways, as a part of the transaction.

Pools are locked in the order of their ids, after campaigns and gateways. A contact for whom no gateway has both room and a
number is looked at again later, so that those behind it have their turn. Nothing is written where all wait for the same:
where no number can be used at all, or only through gateways that have no room now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from attrs import define, field

from dialer.campaigns.caller_ids import RECHECK, CallToShow, PoolChoice
from dialer.campaigns.limits import Admission
from dialer.campaigns.pairs import Lack, first_pair, free_again
from dialer.model import Gateway, Plan
from dialer.model.caller_id import CallerIdPool, CallerIdStrategy, ShownCaller
from dialer.store.caller_ids import FREE_CALLER_ID, Assigning, CallerIdPlace, places_of, pool_state
from dialer.store.connection import Connection, Variants
from dialer.store.statements import marks
from dialer.store.times import to_column, to_column_or_none

_ADVANCE: Final = "UPDATE caller_id_pool SET turn = ? WHERE id = ? AND turn <> ?"
_STOP_WAITING: Final = "DELETE FROM caller_id_wait WHERE subscriber_id IN ({})"

_READY: Final = (
    "SELECT id, identity FROM subscriber WHERE campaign_id = ? AND status = 1 AND ready_at <= ? ORDER BY ready_at, id LIMIT ?"
)
_NEXT: Final = Variants(sqlite=_READY, postgresql=f"{_READY} FOR NO KEY UPDATE SKIP LOCKED")
"""Parameters: campaign, now, how many."""

_HOLD: Final = "UPDATE subscriber SET ready_at = ? WHERE id = ? AND status = 1"
_WAIT: Final = (
    "INSERT INTO caller_id_wait (subscriber_id, campaign_id, country, ready_at, until) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (subscriber_id) "
    "DO UPDATE SET country = excluded.country, ready_at = excluded.ready_at, until = excluded.until"
)


def assign(connection: Connection, plans: Sequence[Plan], how: Assigning, admission: Admission | None = None) -> list[Plan]:
    """Those of the plans that may be made, as far as `admission` has room for them, each with its gateway and the number that
    it shows; those of campaigns without a pool as they are."""
    places = places_of(connection, {plan.campaign.id: plan.campaign for plan in plans}.values(), how)
    if all(place is FREE_CALLER_ID for place in places.values()):
        return [each for plan in plans if (each := _admitted(plan, admission)) is not None]
    choices: dict[int, PoolChoice] = {}
    for pool_id in sorted({place.pool_id for place in places.values() if place.pool_id}):
        state = pool_state(connection, pool_id, how.now, how.numbering, lock=True)
        if state is not None:
            choices[pool_id] = PoolChoice(state.pool, state.numbers, how.now)
    earlier = _earlier(connection, plans, places, choices)
    assigned = []
    held: dict[int, _Unshown] = {}
    for plan in plans:
        place = places[plan.campaign.id]
        if place is FREE_CALLER_ID:
            found = _admitted(plan, admission)
        else:
            choice = choices.get(place.pool_id)
            if choice is None or choice.is_exhausted(place.only):
                continue
            wanted = _Unshown(plan, choice, place.only, how, earlier.get(plan.candidate.subscriber_id))
            found = wanted.choose(admission)
            if found is None and not wanted.waits_for_room:
                wanted.hold(connection, plan.candidate.subscriber_id, plan.candidate.identity)
                held[plan.campaign.id] = wanted
        if found is not None:
            assigned.append(found)
    for wanted in held.values():
        wanted.hold_more(connection)
    for choice in choices.values():
        _remember(connection, choice)
    _stop_waiting(connection, [plan.candidate.subscriber_id for plan in assigned if plan.caller is not None])
    return assigned


def _admitted(plan: Plan, admission: Admission | None) -> Plan | None:
    return plan if admission is None else admission.admitted(plan)


@define(eq=False)
class _Unshown:
    """A plan that has no number yet, and the choice of one; `only` that one, where the campaign names it."""

    plan: Plan
    choice: PoolChoice
    only: int | None
    how: Assigning
    earlier: int | None
    waits_for_room: bool = False
    """Whether it, and all calls like it, lack nothing but room, which there may be at the next tick."""
    _free: list[int] = field(init=False)
    _busy: list[int] = field(init=False)
    """The gateways that could carry it, and those that have no room."""

    def __attrs_post_init__(self) -> None:
        self._free = [route.gateway.id for route in self.plan.routes or (self.plan.route,)]
        self._busy = list(self.plan.busy)

    def choose(self, admission: Admission | None) -> Plan | None:
        """The plan with its pair; None when none is free."""
        plan = self.plan

        def room(gateway: Gateway) -> datetime | None:
            due_at = plan.due_at if admission is None else admission.due_at(plan, gateway)
            if due_at is None:
                self._free.remove(gateway.id)
                self._busy.append(gateway.id)
            return due_at

        def shows(gateway: Gateway) -> ShownCaller | None:
            return self.choice.choose(self._call(gateway.id, plan.candidate.identity, self.earlier))

        found = first_pair(plan, room, shows)
        if isinstance(found, Lack):
            bound = self.choice.is_exhausted(self.only, self._free) and not self.choice.is_exhausted(self.only, self._busy)
            self.waits_for_room = found is Lack.ROOM or bound
            return None
        if admission is not None:
            admission.take(found)
        return found

    def hold(self, connection: Connection, subscriber_id: int, identity: str) -> None:
        """A contact for whom no pair is free is looked at again when one may be."""
        calls = [self._call(gateway_id, identity) for gateway_id in (*self._free, *self._busy)]
        now = self.how.now
        until = free_again(self.choice, calls, now)
        ready_at = to_column(now + RECHECK if until is None else min(until, now + RECHECK))
        if connection.execute(_HOLD, (ready_at, subscriber_id)).rowcount:
            row = (subscriber_id, self.plan.campaign.id, calls[0].country, ready_at, to_column_or_none(until))
            connection.execute(_WAIT, row)

    def hold_more(self, connection: Connection) -> None:
        """Of the contacts that are next, those that would have to wait as well: however many there are, they keep the others
        from being called for seconds, not for as long as their calls would take."""
        if self.choice.is_exhausted(self.only):
            return
        asked = (self.plan.campaign.id, to_column(self.how.now), MOST_AT_ONCE)
        for subscriber_id, identity in connection.execute(_NEXT.of(connection), asked).fetchall():
            if not any(self.choice.has_for(self._call(gateway_id, identity)) for gateway_id in self._free):
                self.hold(connection, subscriber_id, identity)

    def _call(self, gateway_id: int, identity: str, earlier: int | None = None) -> CallToShow:
        return CallToShow(
            identity=identity,
            country=self.how.numbering.country(identity),
            gateway_id=gateway_id,
            earlier=earlier,
            only=self.only,
            name=self.plan.campaign.caller_name,
        )


def _earlier(
    connection: Connection, plans: Sequence[Plan], places: Mapping[int, CallerIdPlace], choices: Mapping[int, PoolChoice]
) -> dict[int, int]:
    """The numbers that contacts had in an earlier attempt, by subscriber."""
    found: dict[int, int] = {}
    for pool_id, choice in choices.items():
        sticky = choice.pool.strategy is CallerIdStrategy.STICKY
        some = [
            plan.candidate.subscriber_id
            for plan in plans
            if places[plan.campaign.id].pool_id == pool_id
            and (sticky or plan.candidate.count_attempt or plan.candidate.free_retries)
        ]
        found |= last_shown(connection, choice.pool, some)
    return found


def last_shown(connection: Connection, pool: CallerIdPool, subscribers: Sequence[int]) -> dict[int, int]:
    """The numbers of a pool that were shown to subscribers in an earlier attempt, and which they keep, by subscriber."""
    found: dict[int, int] = {}
    everywhere = pool.strategy is CallerIdStrategy.STICKY
    for first in range(0, len(subscribers), MOST_AT_ONCE):
        part = subscribers[first : first + MOST_AT_ONCE]
        rows = connection.execute(_last_shown(len(part), everywhere=everywhere), (pool.id, *part)).fetchall()
        found.update((key, caller) for key, caller in rows if caller is not None)
    return found


MOST_AT_ONCE: Final = 100
"""Subscribers in one statement: its text is kept prepared for each number of them."""


@lru_cache(maxsize=256)
def _last_shown(count: int, *, everywhere: bool) -> str:
    """The number of a pool that was last shown to each of `count` subscribers; with `everywhere`, by any campaign. Parameters:
    pool, subscribers."""
    own = "" if everywhere else " AND a.subscriber_id = s.id"
    return (
        "SELECT s.id, (SELECT a.pooled_caller_id FROM attempt a JOIN caller_id i ON i.id = a.pooled_caller_id "  # noqa: S608
        f"WHERE a.identity = s.identity AND a.pooled_caller_id IS NOT NULL AND i.pool_id = ?{own} "
        f"ORDER BY a.id DESC LIMIT 1) FROM subscriber s WHERE s.id IN ({marks(count)})"
    )


def _remember(connection: Connection, choice: PoolChoice) -> None:
    """Whose turn it was, and that numbers were used for the first time."""
    connection.execute(_ADVANCE, (choice.turn, choice.pool.id, choice.turn))
    unused = [
        each.caller.id for each in choice.numbers if each.caller.first_used_at is None and each.caller.id in choice.chosen
    ]
    for key in unused:
        connection.execute("UPDATE caller_id SET first_used_at = ? WHERE id = ?", (to_column(choice.now), key))


def _stop_waiting(connection: Connection, subscribers: Sequence[int]) -> None:
    for first in range(0, len(subscribers), MOST_AT_ONCE):
        some = subscribers[first : first + MOST_AT_ONCE]
        connection.execute(_STOP_WAITING.format(marks(len(some))), some)
