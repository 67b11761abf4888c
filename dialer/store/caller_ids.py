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

import orjson
from attrs import define, evolve, field, frozen

from dialer import gate
from dialer.campaigns.caller_ids import PooledNumber, day_of, pool_wait
from dialer.campaigns.pairs import pair_wait
from dialer.campaigns.planning import Routes
from dialer.gateways import chain
from dialer.model import Campaign, User
from dialer.model.caller_id import CallerId, CallerIdPool, CallerIdWait
from dialer.numbering import Numbering, numbering
from dialer.store import statements
from dialer.store.connection import LISTED, Connection, Dialect, Variants
from dialer.store.mapping import read_gateway
from dialer.store.reports import OPEN_BY_GATEWAY
from dialer.store.times import from_column_or_none, to_column
from dialer.stored import load_rules, reader

read_pool = reader(CallerIdPool, "p")
read_caller = reader(CallerId, "i")

_POOL: Final = (
    f"SELECT {read_pool.columns}, u.rules FROM caller_id_pool p JOIN user_account u ON u.id = p.user_id "  # noqa: S608
    "WHERE p.id = ? AND p.archived_at IS NULL"
)
_LOCK: Final = Variants(sqlite=_POOL, postgresql=f"{_POOL} FOR NO KEY UPDATE OF p")
"""Parameter: pool."""

_NUMBERS: Final = Variants(sqlite="group_concat(l.gateway_id)", postgresql="string_agg(l.gateway_id::text, ',')").within(
    f"SELECT {read_caller.columns}, (SELECT %s FROM caller_id_gateway l WHERE l.caller_id_id = i.id), "  # noqa: S608
    "coalesce((SELECT sum(n.calls - n.unsent) FROM caller_id_count n WHERE n.caller_id_id = i.id AND n.day = ?), 0) "
    "FROM caller_id i WHERE i.pool_id = ? AND i.archived_at IS NULL ORDER BY i.id"
)
"""The numbers of a pool, their gateways, and how many calls of the day showed each. Parameters: day, pool."""

_OWN: Final = LISTED.within(
    "SELECT p.user_id, i.identity, i.pool_id, i.id FROM %s CROSS JOIN caller_id i JOIN caller_id_pool p ON p.id = i.pool_id "
    "WHERE i.identity = j.value AND i.archived_at IS NULL"
)
"""Where numbers stand that campaigns name themselves. Parameter: a JSON list of identities."""

_WAITING: Final = LISTED.within(
    "SELECT w.campaign_id, count(*), count(DISTINCT w.country), min(w.country), min(w.until) FROM %s "
    "CROSS JOIN caller_id_wait w JOIN subscriber s ON s.id = w.subscriber_id AND s.status = 1 AND s.ready_at = w.ready_at "
    "WHERE w.campaign_id = CAST(j.value AS BIGINT) AND w.ready_at > ? GROUP BY w.campaign_id"
)
"""Parameters: a JSON list of campaigns, now."""

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
    return (user_id, identity) in _owned(connection, [identity])


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
def caller_of(row: tuple[Any, ...]) -> CallerId:
    """From the columns of a number, which is read whenever calls are begun, and changes seldom."""
    return read_caller(row)


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
    pool = read_pool(row)
    allowed = load_rules(User, row[read_pool.width]).values["caller_ids"]
    rows = connection.execute(_NUMBERS.of(connection), (day_of(pool, now).isoformat(), pool_id)).fetchall()
    width = read_caller.width
    numbers = []
    for each in rows:
        caller = caller_of(tuple(each[:width]))
        refusal = gate.caller_id_refusal(caller.number, allowed, numbering)
        numbers.append(PooledNumber(caller, _gateways(each[width]), int(each[width + 1]), refusal))
    return PoolState(pool=pool, numbers=tuple(numbers))


# --- where a number comes from ----------------------------------------------------------------------------------------------


@frozen
class CallerIdPlace:
    """Where a campaign's number comes from: a pool (0: one that is not there), or with `only`, one number of it."""

    pool_id: int
    only: int | None = None


FREE_CALLER_ID: Final = CallerIdPlace(-1)
"""Its own, as it is entered, or none."""
_NOWHERE: Final = CallerIdPlace(0)


def places_of(connection: Connection, campaigns: Iterable[Campaign], how: Assigning) -> dict[int, CallerIdPlace]:
    """Those of some campaigns, by their ids."""
    found: dict[int, CallerIdPlace] = {}
    named: list[tuple[Campaign, str]] = []
    for campaign in campaigns:
        if campaign.caller_id_pool_id is not None:
            found[campaign.id] = CallerIdPlace(campaign.caller_id_pool_id)
        elif campaign.caller_id:
            named.append((campaign, how.numbering.identity(campaign.caller_id)))
        else:
            found[campaign.id] = FREE_CALLER_ID
    owned = _owned(connection, [identity for _, identity in named])
    elsewhere = _NOWHERE if how.strict else FREE_CALLER_ID
    return found | {campaign.id: owned.get((campaign.user_id, identity), elsewhere) for campaign, identity in named}


def place_of(connection: Connection, campaign: Campaign, how: Assigning) -> CallerIdPlace:
    """That of one campaign."""
    return places_of(connection, [campaign], how)[campaign.id]


def _owned(connection: Connection, identities: Collection[str]) -> dict[tuple[int, str], CallerIdPlace]:
    """Where these stand, by their users and themselves."""
    if not identities:
        return {}
    rows = connection.execute(_OWN.of(connection), (orjson.dumps(sorted(set(identities))).decode(),)).fetchall()
    return {(user_id, identity): CallerIdPlace(pool_id, key) for user_id, identity, pool_id, key in rows}


# --- for explanations -------------------------------------------------------------------------------------------------------


@define(eq=False)
class CallerIdWaits:
    """Why the contacts of these campaigns wait for a caller id, as everything is in this transaction: what campaigns share is
    read, and judged, once, and the rest of all of them in one go."""

    connection: Connection
    how: Assigning
    campaigns: Sequence[Campaign]
    _places: Mapping[int, CallerIdPlace] = field(init=False)
    _waiting: Mapping[int, tuple[Any, ...]] | None = field(default=None, init=False)
    _pools: dict[int, PoolState | None] = field(factory=dict, init=False)
    _shown: dict[CallerIdPlace, _Shown | None] = field(factory=dict, init=False)
    _routes: Routes | None = field(default=None, init=False)
    _pairs: dict[tuple[CallerIdPlace, int], CallerIdWait | None] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._places = places_of(self.connection, self.campaigns, self.how)

    def of(self, campaign: Campaign) -> CallerIdWait | None:
        """Why the contacts of one of the campaigns, or some of them, wait for a caller id; None when none does."""
        place = self._places[campaign.id]
        if place is FREE_CALLER_ID:
            return None
        if place is _NOWHERE:
            return CallerIdWait(
                text=f"{campaign.caller_id} stands in no pool of caller ids of this user, which this installation requires",
                for_all=True,
            )
        if place not in self._shown:
            self._shown[place] = self._read(place)
        shown = self._shown[place]
        if shown is None:
            return CallerIdWait(text="the campaign's pool of caller ids does not exist any more", for_all=True)
        if shown.wait is not None:
            return shown.wait
        contacts, countries, country, until = self._waiting_of(campaign)
        both = self._pair_wait(place, shown, campaign.gateway_id)
        if both is not None:
            return evolve(both, contacts=int(contacts))
        if not contacts:
            return None
        where = (country or "an unknown country") if countries == 1 else f"{countries} countries"
        pool = shown.pool.name
        text = f"no caller id of the pool {pool} may be shown now to {contacts} contacts, of {where}, through their gateways"
        return CallerIdWait(text=text, until=from_column_or_none(until), contacts=int(contacts))

    def _waiting_of(self, campaign: Campaign) -> tuple[Any, ...]:
        """How many contacts wait, of how many countries, one of these, and until when the first does."""
        if self._waiting is None:
            these = [each.id for each in self.campaigns if self._places[each.id].pool_id > 0]
            asked = (orjson.dumps(these).decode(), to_column(self.how.now))
            rows = self.connection.execute(_WAITING.of(self.connection), asked).fetchall()
            self._waiting = {key: tuple(rest) for key, *rest in rows}
        return self._waiting.get(campaign.id, (0, 0, None, None))

    def _read(self, place: CallerIdPlace) -> _Shown | None:
        if place.pool_id not in self._pools:
            self._pools[place.pool_id] = pool_state(self.connection, place.pool_id, self.how.now, self.how.numbering)
        state = self._pools[place.pool_id]
        if state is None:
            return None
        numbers = tuple(each for each in state.numbers if place.only is None or each.caller.id == place.only)
        return _Shown(state.pool, numbers, pool_wait(state.pool, numbers, self.how.now))

    def _pair_wait(self, place: CallerIdPlace, shown: _Shown, gateway_id: int) -> CallerIdWait | None:
        if not any(each.gateways for each in shown.numbers):
            return None
        if self._routes is None:
            gateways = {each.id: each for each in map(read_gateway, self.connection.execute(statements.GATEWAYS).fetchall())}
            self._routes = Routes(gateways, _open_calls(self.connection), {})
        if (place, gateway_id) not in self._pairs:
            order = chain(self._routes.gateways, gateway_id)
            self._pairs[place, gateway_id] = pair_wait(order, self._routes, shown.pool, shown.numbers, self.how.now)
        return self._pairs[place, gateway_id]


@frozen
class _Shown:
    """The numbers that a campaign may show, of one pool, and why none of them is free now; None when one is."""

    pool: CallerIdPool
    numbers: tuple[PooledNumber, ...]
    wait: CallerIdWait | None


@frozen
class _OpenCalls:
    """How many are open, by the ids of their gateways; those of campaigns are not asked for."""

    gateways: Mapping[int, int]
    campaigns: Mapping[int, int] = field(factory=dict)


def _open_calls(connection: Connection) -> _OpenCalls:
    found: dict[int, int] = {}
    for gateway_id, count in connection.execute(OPEN_BY_GATEWAY).fetchall():
        found[gateway_id] = found.get(gateway_id, 0) + int(count)
    return _OpenCalls(found)


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
