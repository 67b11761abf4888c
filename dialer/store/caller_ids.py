"""Caller ids of pools, as a part of a transaction on the database thread: chosen for calls that are begun, and told of.

Whoever begins calls locks their pools first, on a server, as every change of a pool or of its numbers does: so what is read of
the numbers holds until the attempts are there, and a daily cap over all nodes. On SQLite the transaction has the only write
lock. The calls of a day are those of the attempts' own rows, counted by triggers: they come and go with them, kills included.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from attrs import evolve, field, frozen

from dialer import gate
from dialer.campaigns.caller_ids import RECHECK, CallToShow, PoolChoice, PooledNumber, day_of, pool_wait
from dialer.model import Campaign, Plan, User
from dialer.model.caller_id import CallerId, CallerIdPool, CallerIdStrategy, CallerIdWait
from dialer.numbering import Numbering, numbering
from dialer.store.connection import Connection, Dialect, Variants
from dialer.store.times import from_column_or_none, to_column, to_column_or_none
from dialer.stored import load_rules, reader

_read_pool = reader(CallerIdPool, "p")
_read_caller = reader(CallerId, "i")

_POOL: Final = (
    f"SELECT {_read_pool.columns}, u.rules FROM caller_id_pool p JOIN user_account u ON u.id = p.user_id "  # noqa: S608
    "WHERE p.id = ? AND p.archived_at IS NULL"
)
_LOCK: Final = Variants(sqlite=_POOL, postgresql=f"{_POOL} FOR NO KEY UPDATE OF p")
"""Parameter: pool."""

_NUMBERS: Final = Variants(sqlite="group_concat(l.gateway_id)", postgresql="string_agg(l.gateway_id::text, ',')").within(
    f"SELECT {_read_caller.columns}, (SELECT %s FROM caller_id_gateway l WHERE l.caller_id_id = i.id), "  # noqa: S608
    "coalesce((SELECT sum(n.calls - n.unsent) FROM caller_id_count n WHERE n.caller_id_id = i.id AND n.day = ?), 0) "
    "FROM caller_id i WHERE i.pool_id = ? AND i.archived_at IS NULL ORDER BY i.id"
)
"""The numbers of a pool, their gateways, and how many calls of the day showed each. Parameters: day, pool."""

_OWN: Final = (
    "SELECT i.id, i.pool_id FROM caller_id i JOIN caller_id_pool p ON p.id = i.pool_id "
    "WHERE i.identity = ? AND i.archived_at IS NULL AND p.user_id = ?"
)
"""Where a number stands that a campaign names itself. Parameters: identity, user."""

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
_WAITING: Final = (
    "SELECT count(*), count(DISTINCT w.country), min(w.country), min(w.until) FROM caller_id_wait w "
    "JOIN subscriber s ON s.id = w.subscriber_id AND s.status = 1 AND s.ready_at = w.ready_at "
    "WHERE w.campaign_id = ? AND w.ready_at > ?"
)
"""Parameters: campaign, now."""

_WAKE: Final = (
    "UPDATE subscriber SET ready_at = ? WHERE status = 1 AND id IN (SELECT w.subscriber_id FROM caller_id_wait w "
    "JOIN campaign c ON c.id = w.campaign_id WHERE c.caller_id_pool_id = ? AND w.ready_at > ? "
    "AND w.ready_at = subscriber.ready_at)"
)
_FORGET_WAITING: Final = (
    "DELETE FROM caller_id_wait WHERE campaign_id IN (SELECT c.id FROM campaign c WHERE c.caller_id_pool_id = ?)"
)

ARCHIVE_NUMBERS: Final = (
    "UPDATE caller_id SET archived_at = ? WHERE archived_at IS NULL "
    "AND pool_id IN (SELECT p.id FROM caller_id_pool p WHERE p.user_id = ?)"
)
ARCHIVE_POOLS: Final = "UPDATE caller_id_pool SET archived_at = ? WHERE archived_at IS NULL AND user_id = ?"
"""With a user that is removed. Parameters of both: now, user."""


def owner_caller_ids(connection: Connection, user_id: int) -> str:
    """The numbers that a user's calls may show, with commas between them; "" for any."""
    row = connection.execute("SELECT rules FROM user_account WHERE id = ?", (user_id,)).fetchone()
    return "" if row is None else str(load_rules(User, row[0]).values["caller_ids"])


def is_pooled(connection: Connection, user_id: int, identity: str) -> bool:
    """Whether the number of that identity stands in a pool of the user."""
    return connection.execute(_OWN, (identity, user_id)).fetchone() is not None


@frozen(kw_only=True)
class PoolState:
    """A pool and its numbers as they are in this transaction."""

    pool: CallerIdPool
    numbers: tuple[PooledNumber, ...]


@frozen(kw_only=True)
class Assigning:
    """What the choice has to know: the moment, the installation's numbers, and whether it refuses those that stand in no
    pool (`strict`)."""

    now: datetime
    numbering: Numbering = field(factory=numbering)
    strict: bool = False


@frozen
class CallerIdRules:
    """What an installation says of caller ids: its own emergency numbers, and whether it refuses those that stand in no
    pool."""

    emergency: frozenset[str] = frozenset()
    strict: bool = False

    def assigning(self, region: str, now: datetime) -> Assigning:
        """At a moment, for the numbers of a region."""
        return Assigning(now=now, numbering=numbering(region, self.emergency), strict=self.strict)


ANY_CALLER_ID: Final = CallerIdRules()
"""Of an installation without settings."""


@lru_cache(maxsize=8192)
def _caller(row: tuple[Any, ...]) -> CallerId:
    """A number is read whenever calls are begun, and changes seldom."""
    return _read_caller(row)


@lru_cache(maxsize=4096)
def _gateways(listed: str | None) -> frozenset[int]:
    return frozenset(map(int, listed.split(","))) if listed else frozenset()


def pool_state(
    connection: Connection, pool_id: int, now: datetime, numbering: Numbering, *, lock: bool = False
) -> PoolState | None:
    """A pool as it is now; None for one that is not there. With `lock`, it stays so until the end of the transaction."""
    row = connection.execute(_LOCK.of(connection) if lock else _POOL, (pool_id,)).fetchone()
    if row is None:
        return None
    pool = _read_pool(row)
    allowed = load_rules(User, row[_read_pool.width]).values["caller_ids"]
    rows = connection.execute(_NUMBERS.of(connection), (day_of(pool, now).isoformat(), pool_id)).fetchall()
    width = _read_caller.width
    numbers = []
    for each in rows:
        caller = _caller(tuple(each[:width]))
        refusal = gate.caller_id_refusal(caller.number, allowed, numbering)
        numbers.append(PooledNumber(caller, _gateways(each[width]), int(each[width + 1]), refusal))
    return PoolState(pool=pool, numbers=tuple(numbers))


# --- for calls that are begun -----------------------------------------------------------------------------------------------


def assign(connection: Connection, plans: Sequence[Plan], how: Assigning) -> list[Plan]:
    """Those of the plans that may be made, each with the number that it shows; those of campaigns without a pool as they are.
    A contact for which no number of the pool can be used, while others can, is looked at again later; where none can be used
    at all, nothing is written: the campaign's contacts stay as ready as they are."""
    places = {
        campaign.id: _place(connection, campaign, how)
        for campaign in {plan.campaign.id: plan.campaign for plan in plans}.values()
    }
    if all(place is _FREE for place in places.values()):
        return list(plans)
    choices: dict[int, PoolChoice] = {}
    for pool_id in sorted({place.pool_id for place in places.values() if place.pool_id}):
        state = pool_state(connection, pool_id, how.now, how.numbering, lock=True)
        if state is not None:
            choices[pool_id] = PoolChoice(state.pool, state.numbers, how.now)
    earlier = _earlier(connection, plans, places, choices)
    assigned = []
    held: dict[int, CallToShow] = {}
    for plan in plans:
        place = places[plan.campaign.id]
        if place is _FREE:
            assigned.append(plan)
            continue
        choice = choices.get(place.pool_id)
        if choice is None or choice.is_exhausted(place.only):
            continue
        call = CallToShow(
            identity=plan.candidate.identity,
            country=how.numbering.country(plan.candidate.identity),
            gateway_id=plan.gateway.id,
            earlier=earlier.get(plan.candidate.subscriber_id),
            only=place.only,
            name=plan.campaign.caller_name,
        )
        shown = choice.choose(call)
        if shown is None:
            _hold(connection, plan.campaign.id, plan.candidate.subscriber_id, call, choice.until(call), how.now)
            held[plan.campaign.id] = call
        else:
            assigned.append(evolve(plan, caller=shown))
    for campaign_id, call in held.items():
        _hold_more(connection, campaign_id, call, choices[places[campaign_id].pool_id], how)
    for choice in choices.values():
        _remember(connection, choice)
    _stop_waiting(connection, [plan.candidate.subscriber_id for plan in assigned if plan.caller is not None])
    return assigned


@frozen
class _Place:
    """Where a campaign's number comes from: a pool (0: one that is not there), or with `only`, one number of it."""

    pool_id: int
    only: int | None = None


_FREE: Final = _Place(-1)
"""Its own, as it is entered, or none."""
_NOWHERE: Final = _Place(0)


def _place(connection: Connection, campaign: Campaign, how: Assigning) -> _Place:
    if campaign.caller_id_pool_id is not None:
        return _Place(campaign.caller_id_pool_id)
    if not campaign.caller_id:
        return _FREE
    identity = how.numbering.identity(campaign.caller_id)
    found = connection.execute(_OWN, (identity, campaign.user_id)).fetchone()
    if found is not None:
        return _Place(found[1], found[0])
    return _NOWHERE if how.strict else _FREE


def _earlier(
    connection: Connection, plans: Sequence[Plan], places: Mapping[int, _Place], choices: Mapping[int, PoolChoice]
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
        for first in range(0, len(some), MOST_AT_ONCE):
            part = some[first : first + MOST_AT_ONCE]
            rows = connection.execute(_last_shown(len(part), everywhere=sticky), (pool_id, *part)).fetchall()
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
        f"ORDER BY a.id DESC LIMIT 1) FROM subscriber s WHERE s.id IN ({_marks(count)})"
    )


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _hold_more(connection: Connection, campaign_id: int, like: CallToShow, choice: PoolChoice, how: Assigning) -> None:
    """Of the contacts that are next, those that would have to wait as well: however many there are, they keep the others from
    being called for seconds, not for as long as their calls would take."""
    if choice.is_exhausted(like.only):
        return
    rows = connection.execute(_NEXT.of(connection), (campaign_id, to_column(how.now), MOST_AT_ONCE)).fetchall()
    for subscriber_id, identity in rows:
        call = evolve(like, identity=identity, country=how.numbering.country(identity), earlier=None)
        if not choice.has_for(call):
            _hold(connection, campaign_id, subscriber_id, call, choice.until(call), how.now)


def _hold(
    connection: Connection, campaign_id: int, subscriber_id: int, call: CallToShow, until: datetime | None, now: datetime
) -> None:
    latest = now + RECHECK
    ready_at = to_column(latest if until is None else min(until, latest))
    if connection.execute(_HOLD, (ready_at, subscriber_id)).rowcount:
        row = (subscriber_id, campaign_id, call.country, ready_at, to_column_or_none(until))
        connection.execute(_WAIT, row)


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
        connection.execute(_STOP_WAITING.format(_marks(len(some))), some)


# --- for explanations -------------------------------------------------------------------------------------------------------


def wait_of(connection: Connection, campaign: Campaign, how: Assigning) -> CallerIdWait | None:
    """Why the contacts of a campaign, or some of them, wait for a caller id; None when none does."""
    place = _place(connection, campaign, how)
    if place is _FREE:
        return None
    if place is _NOWHERE:
        return CallerIdWait(
            text=f"{campaign.caller_id} stands in no pool of caller ids of this user, which this installation requires"
        )
    state = pool_state(connection, place.pool_id, how.now, how.numbering)
    if state is None:
        return CallerIdWait(text="the campaign's pool of caller ids does not exist any more")
    numbers: Iterable[PooledNumber] = state.numbers
    if place.only is not None:
        numbers = [each for each in state.numbers if each.caller.id == place.only]
    if (whole := pool_wait(state.pool, numbers, how.now)) is not None:
        return whole
    contacts, countries, country, until = connection.execute(_WAITING, (campaign.id, to_column(how.now))).fetchone()
    if not contacts:
        return None
    where = (country or "an unknown country") if countries == 1 else f"{countries} countries"
    pool = state.pool.name
    text = f"no caller id of the pool {pool} may be shown now to {contacts} contacts, of {where}, through their gateways"
    return CallerIdWait(text=text, until=from_column_or_none(until), contacts=int(contacts))


def wake(connection: Connection, pool_ids: Collection[int], now: datetime) -> None:
    """Numbers of these pools were changed: contacts that wait for one are looked at again at once."""
    moment = to_column(now)
    for pool_id in sorted(pool_ids):
        connection.execute(_WAKE, (moment, pool_id, moment))
        connection.execute(_FORGET_WAITING, (pool_id,))


def lock_pools(connection: Connection, pool_ids: Collection[int]) -> None:
    """Nobody begins calls of these pools until the end of the transaction; in the order of their ids, as everybody does."""
    if connection.dialect is Dialect.POSTGRESQL:
        for pool_id in sorted(pool_ids):
            connection.execute("SELECT id FROM caller_id_pool WHERE id = ? FOR NO KEY UPDATE", (pool_id,))
