"""Pools of caller ids and their numbers: added, changed, rested and removed; what came of the calls that showed them.

A pool that belongs to somebody else does not exist, and neither do its numbers. Every change of a number locks its pool first:
calls that are begun at the same moment were begun before it, or obey it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from attrs import Factory, frozen
from pony.orm import count

from dialer import gate
from dialer.campaigns.caller_ids import day_of, obstacle
from dialer.declare import entered, refuse_missing
from dialer.errors import BadValue, NotFound
from dialer.management import grants, rows
from dialer.management.listing import Slice, in_sql
from dialer.management.management import Management, Transaction, call_soon, reads, verb, writes
from dialer.model import Account, CallerId, CallerIdPool
from dialer.model.caller_id import MOST_CALLER_IDS, REFUSALS, CallerIdCounts, CallerIdDetails
from dialer.model.user import ADMINISTRATOR
from dialer.store import caller_id_counts as counted
from dialer.store import caller_id_list
from dialer.store import caller_ids as sql
from dialer.store.noun_lists import entries
from dialer.store.times import to_entity
from dialer.stored import complete, value_of

POOL: Final = "caller id pool"
KIND: Final = "caller id"
STATES: Final = ("usable", "resting", "at-cap", "inactive", "refused")
KINDS: Final = ("dialled", "ended", "answered", "short", *map(str, REFUSALS))
MOST_DAYS: Final = 400
"""Of which the counts are told at once."""
MOST_TOLD: Final = 10
"""Numbers of which it is told what is wrong."""
_FIXED: Final = {"pool_id": "stays as it is", "number": "stays as it is"}
_LAST_DAY: Final = "9999-12-31"
_POOLS: Final = f"SELECT {sql.read_pool.columns} FROM caller_id_pool p WHERE p.archived_at IS NULL"  # noqa: S608


@frozen(kw_only=True)
class CallerIdDay:
    """The calls of a day of its pool that showed a number."""

    day: date
    counts: CallerIdCounts


# --- pools ------------------------------------------------------------------------------------------------------------------


@reads
def pools(
    t: Transaction, who: Account, after: int = 0, limit: int | None = None, name: str | None = None
) -> list[CallerIdPool]:
    """The user's pools, the oldest first, or those of a name; everybody's for a superuser. `after` is an id."""
    wanted = {"p.user_id": None if who.is_superuser else who.id, "p.name": name}
    found = entries(t.connection, _POOLS, wanted, *in_sql(Slice(after=(after, after), limit=limit), "p"))
    return [sql.read_pool(row) for row in found]


@reads
def read_pool(t: Transaction, who: Account, pool_id: int) -> CallerIdPool:
    """One of them. Raises `NotFound`."""
    return value_of(CallerIdPool, rows.ours(who, t.entities.CallerIdPool.get(id=pool_id), POOL, pool_id))


@reads
def locked_pool(t: Transaction, who: Account, pool_id: int) -> CallerIdPool:
    """The same, for somebody who is about to change it in this transaction: it stays as it is meanwhile."""
    return value_of(CallerIdPool, _pool(t, who, pool_id))


@writes
def create_pool(t: Transaction, who: Account, given: Mapping[str, Any]) -> CallerIdPool:
    """A pool of the user. Raises `BadValue`, `Duplicate`."""
    checked = entered(CallerIdPool, {name: value for name, value in given.items() if name != "user_id"})
    if rows.asking(t, who) is None:
        raise BadValue("user_id", "is missing; expected the user that the pool belongs to")
    return value_of(CallerIdPool, rows.create(t, CallerIdPool, {**checked, "user_id": who.id}))


@writes
def change_pool(t: Transaction, who: Account, pool_id: int, given: Mapping[str, Any]) -> CallerIdPool:
    """Change what is given; it holds for the next call. Raises as `create_pool`, and `NotFound`."""
    row = _pool(t, who, pool_id)
    rows.change(
        t, CallerIdPool, row, entered(CallerIdPool, {name: value for name, value in given.items() if name != "user_id"})
    )
    _changed(t, row)
    return value_of(CallerIdPool, row)


@writes
def remove_pool(t: Transaction, who: Account, pool_id: int) -> None:
    """Remove a pool. Raises `NotFound`, and `InUse` while it has numbers, or campaigns take theirs from it."""
    row = _pool(t, who, pool_id)
    uses = {KIND: len(rows.live(row.caller_ids)), "campaign": len(rows.live(row.campaigns))}
    rows.refuse_in_use(POOL, row.name, uses, "it is used by")
    row.archived_at = to_entity(t.now)


def _pool(t: Transaction, who: Account, pool_id: int) -> Any:
    return rows.ours(who, t.entities.CallerIdPool.get_for_update(id=pool_id), POOL, pool_id)


def assigning(t: Transaction) -> sql.Assigning:
    """What the choice of a number has to know."""
    return sql.Assigning(now=t.now, numbering=t.numbering, strict=t.strict_caller_ids)


def check_pool(t: Transaction, owner_id: int, pool_id: int | None) -> None:
    """Raise `NotFound` for a pool that is not of the owner of a campaign which shall take its numbers from it."""
    if pool_id is not None:
        row = t.entities.CallerIdPool.get(id=pool_id)
        if row is None or rows.is_archived(row) or row.user.id != owner_id:
            raise NotFound(POOL, pool_id)


# --- numbers ----------------------------------------------------------------------------------------------------------------


@reads
def listed(
    t: Transaction, who: Account, after: int = 0, limit: int | None = None, pool_id: int | None = None
) -> list[CallerIdDetails]:
    """The numbers of the user's pools, or of one of these, the oldest first; everybody's for a superuser. `after` is an id.
    Raises `NotFound` (the pool)."""
    if pool_id is not None:
        read_pool(t, who, pool_id)
    wanted = {"i.pool_id": pool_id, "p.user_id": None if who.is_superuser else who.id}
    end = in_sql(Slice(after=(after, after), limit=limit), "i")
    return caller_id_list.caller_ids(t.connection, t.now, t.numbering, wanted, *end)


@reads
def read(t: Transaction, who: Account, caller_id: int) -> CallerIdDetails:
    """One of them. Raises `NotFound`."""
    return _details(t, _ours(who, t.entities.CallerId.get(id=caller_id), caller_id).id)


@reads
def locked(t: Transaction, who: Account, caller_id: int) -> CallerIdDetails:
    """The same, for somebody who is about to change it in this transaction: it stays as it is meanwhile."""
    return _details(t, _found(t, who, caller_id).id)


@writes
def create(t: Transaction, who: Account, given: Mapping[str, Any]) -> CallerIdDetails:
    """A number of a pool. One that was removed is the same as it was: its calls of the day count, and its first use is known.
    Raises `NotFound` (the pool, a gateway), `LimitExceeded`, `BadValue`: also for a number that its owner may not show, or
    that stands in a pool already, whosever it is."""
    row = _created(t, who, given)
    _changed(t, row.pool)
    return _details(t, row.id)


@writes
def create_many(t: Transaction, who: Account, given: Mapping[str, Any], numbers: Sequence[Mapping[str, Any]]) -> int:
    """Numbers of a pool that have the settings `given` and their own, all or none. Returns how many. Raises as `create`; what
    is wrong with numbers is told of each by its place (BadValue: numbers)."""
    problems = []
    pool = _pool(t, who, given["pool_id"])
    for place, own in enumerate(numbers, start=1):
        try:
            _created(t, who, {**given, **own})
        except BadValue as error:
            if error.field not in own:
                raise
            problems.append(f"{place}: {error.problem}")
    if problems:
        more = f"; and {len(problems) - MOST_TOLD} more" if len(problems) > MOST_TOLD else ""
        raise BadValue("numbers", "; ".join(problems[:MOST_TOLD]) + more)
    _changed(t, pool)
    return len(numbers)


def _created(t: Transaction, who: Account, given: Mapping[str, Any]) -> Any:
    """The row of a new number, or of one that was removed."""
    checked, gateways = _checked(t, given)
    refuse_missing(CallerId, checked)
    pool = t.entities.CallerIdPool.get_for_update(id=checked["pool_id"])
    rows.ours(who, pool, POOL, checked["pool_id"])
    stored = t.entities.CallerId
    rows.check_limit("caller_ids", count(i for i in stored if i.pool == pool and i.archived_at is None) + 1, MOST_CALLER_IDS)
    _check_shown(t, pool, checked["number"])
    identity = t.numbering.identity(checked["number"])
    _check_warm_up(complete(CallerId, checked))
    row = stored.get(identity=identity)
    kept = {"identity": identity, "country": t.numbering.country(identity)}
    if row is None:
        row = rows.create(t, CallerId, {**checked, **kept})
    elif not rows.is_archived(row):
        raise BadValue("number", f"{checked['number']} stands in a pool already, and can be in one only")
    else:
        sql.lock_pools(t.connection, [row.pool.id])
        anew = {name: value for name, value in complete(CallerId, checked).items() if name not in ("id", "first_used_at")}
        first = checked.get("first_used_at")
        rows.change(t, CallerId, row, {**anew, **kept, **({} if first is None else {"first_used_at": first})})
        row.set(created_at=to_entity(t.now), archived_at=None)
    _link(t, who, row, gateways)
    return row


@writes
def change(t: Transaction, who: Account, caller_id: int, given: Mapping[str, Any]) -> CallerIdDetails:
    """Change what is given; it holds for the next call. Raises `NotFound`, `BadValue`."""
    row = _found(t, who, caller_id)
    before = value_of(CallerId, row)
    checked, gateways = _checked(t, given)
    for name, told in _FIXED.items():
        if name in checked and checked[name] != getattr(before, name):
            raise BadValue(name, f"{told}: remove the caller id, and add it again")
    _check_warm_up({name: checked.get(name, getattr(before, name)) for name in ("daily_cap", "warm_up_start", "warm_up_days")})
    rows.change(t, CallerId, row, checked)
    _link(t, who, row, gateways)
    _changed(t, row.pool)
    return _details(t, row.id)


@writes
def rest(t: Transaction, who: Account, caller_id: int, until: datetime | None) -> CallerIdDetails:
    """No call shows it before that moment; None ends its rest. Raises `NotFound`, and `BadValue` for a moment that is over."""
    row = _found(t, who, caller_id)
    if until is not None and until <= t.now:
        raise BadValue("until", "expected a moment that is to come")
    rows.change(t, CallerId, row, {"rest_until": until})
    _changed(t, row.pool)
    return _details(t, row.id)


@writes
def remove(t: Transaction, who: Account, caller_id: int) -> None:
    """No call shows it any more; its attempts stay. Raises `NotFound`."""
    row = _found(t, who, caller_id)
    row.archived_at = to_entity(t.now)
    _changed(t, row.pool)


@reads
def days(t: Transaction, who: Account, caller_id: int, limit: int) -> list[CallerIdDay]:
    """What came of its calls, day by day, the newest first, from the day on which it was added. Raises `NotFound`."""
    row = _ours(who, t.entities.CallerId.get(id=caller_id), caller_id)
    pool, caller = value_of(CallerIdPool, row.pool), value_of(CallerId, row)
    since = day_of(pool, caller.created_at)
    found = t.connection.execute(counted.DAYS, (caller_id, since.isoformat(), _LAST_DAY, limit)).fetchall()
    return [CallerIdDay(day=date.fromisoformat(day), counts=counted.counts(sums)) for day, *sums in found]


# --- figures ----------------------------------------------------------------------------------------------------------------


@frozen
class CallerIdFigures:
    """Over all pools: numbers by state, and what came of the calls of the day that showed one."""

    states: Mapping[str, int] = Factory(lambda: dict.fromkeys(STATES, 0))
    today: Mapping[str, int] = Factory(lambda: dict.fromkeys(KINDS, 0))


async def figures(management: Management) -> CallerIdFigures:
    """A pool at a time, so that neither calls nor other requests wait. Fails with `StoreError`."""
    states, today = Counter(dict.fromkeys(STATES, 0)), Counter(dict.fromkeys(KINDS, 0))
    after: int | None = 0
    while after is not None:
        found, after = await management.ask(_figures, after)
        states.update(found.states)
        today.update(found.today)
    return CallerIdFigures(states, today)


@verb
def _figures(t: Transaction, after: int) -> tuple[CallerIdFigures, int | None]:
    """Those of the next pool, and the id behind which the one after that is; None after the last."""
    row = t.connection.execute(counted.NEXT_POOL, (after,)).fetchone()
    state = None if row is None else sql.pool_state(t.connection, row[0], t.now, t.numbering)
    if state is None:
        return CallerIdFigures({}, {}), None
    held = (obstacle(each, state.pool, t.now) for each in state.numbers)
    states = Counter("usable" if each is None else each.word.replace("at its daily cap", "at-cap") for each in held)
    sums = t.connection.execute(counted.TODAY, (state.pool.id, day_of(state.pool, t.now).isoformat())).fetchone()
    found = counted.counts(sums)
    told = (found.used, found.ended - found.unsent, found.answered, found.short, *found.refused.values())
    return CallerIdFigures(states, dict(zip(KINDS, told, strict=True))), int(row[0])


def _checked(t: Transaction, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[int] | None]:
    """What is entered, and the gateways among it; None where these are not named."""
    gateways = given.get("gateways")
    return entered(CallerId, {name: value for name, value in given.items() if name != "gateways"}), gateways


def _check_shown(t: Transaction, pool: Any, number: str) -> None:
    allowed = sql.owner_caller_ids(t.connection, pool.user.id)
    if not gate.dialled_as(number).lstrip("+"):
        raise BadValue("number", f"{number} is no number that could be shown")
    if reason := gate.caller_id_refusal(number, allowed, t.numbering):
        raise BadValue("number", reason)


def _check_warm_up(values: Mapping[str, Any]) -> None:
    cap, start, length = values["daily_cap"], values["warm_up_start"], values["warm_up_days"]
    if length and cap is None:
        raise BadValue("daily_cap", "is needed: the warm-up grows to it")
    if length and start > cap:
        raise BadValue("warm_up_start", f"expected at most the daily cap, {cap}")


def _link(t: Transaction, who: Account, row: Any, gateways: list[int] | None) -> None:
    """The gateways that may show it. Raises `NotFound` for one that its owner may not use."""
    if gateways is None:
        return
    owner = row.pool.user
    holder = ADMINISTRATOR if owner.is_superuser or who.is_superuser else Account(id=owner.id, username=owner.username)
    allowed = {each.id: each for each in grants.visible(t, holder, "gateway")}
    for key in gateways:
        if key not in allowed:
            raise NotFound("gateway", key)
    row.gateways = [allowed[key] for key in dict.fromkeys(gateways)]
    t.entities.db.flush()


def _changed(t: Transaction, pool: Any) -> None:
    """Contacts that wait for a number are looked at again at once."""
    t.entities.db.flush()
    sql.wake(t.connection, [pool.id], t.now)
    t.then(call_soon)


def _ours(who: Account, row: Any, caller_id: int) -> Any:
    if row is None or rows.is_archived(row) or not (who.is_superuser or row.pool.user.id == who.id):
        raise NotFound(KIND, caller_id)
    return row


def _found(t: Transaction, who: Account, caller_id: int) -> Any:
    """Its row, and its pool, locked in the order in which whoever begins calls does."""
    row = _ours(who, t.entities.CallerId.get(id=caller_id), caller_id)
    _pool(t, who, row.pool.id)
    return _ours(who, t.entities.CallerId.get_for_update(id=caller_id), caller_id)


def _details(t: Transaction, caller_id: int) -> CallerIdDetails:
    t.entities.db.flush()
    found = caller_id_list.caller_ids(t.connection, t.now, t.numbering, {"i.id": caller_id})
    if not found:
        raise NotFound(KIND, caller_id)
    return found[0]
