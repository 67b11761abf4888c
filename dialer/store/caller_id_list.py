"""Caller ids of pools with what they may be used for now: four statements, however many they are, where their pools are in the
same day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from attrs import frozen

from dialer import gate
from dialer.campaigns.caller_ids import PooledNumber, allowed_on, day_of, obstacle
from dialer.model import CallerIdPool, User
from dialer.model.caller_id import REFUSALS, CallerIdCounts, CallerIdDetails
from dialer.numbering import Numbering
from dialer.store import caller_id_counts as counted
from dialer.store.caller_ids import caller_of, read_caller, read_pool
from dialer.store.connection import Connection, Row
from dialer.store.noun_lists import belonging, entries
from dialer.stored import load_rules

_LISTED: Final = (
    f"SELECT {read_caller.columns} FROM caller_id i JOIN caller_id_pool p ON p.id = i.pool_id "  # noqa: S608
    "WHERE i.archived_at IS NULL AND p.archived_at IS NULL"
)
_POOLS: Final = (
    f"SELECT {read_pool.columns}, u.rules, p.id FROM caller_id_pool p JOIN user_account u ON u.id = p.user_id "  # noqa: S608
    "WHERE p.id IN ({})"
)
_GATEWAYS: Final = "SELECT l.gateway_id, l.caller_id_id FROM caller_id_gateway l WHERE l.caller_id_id IN ({})"
_NONE: Final = CallerIdCounts(refused=dict.fromkeys(REFUSALS, 0))


@frozen(kw_only=True)
class _Pool:
    """A pool, its day, and the numbers that its owner's calls may show, with commas between them; "" for any."""

    value: CallerIdPool
    day: date
    allowed: str

    @classmethod
    def of(cls, row: Row, now: datetime) -> _Pool:
        value = read_pool(row)
        allowed = load_rules(User, row[read_pool.width]).values["caller_ids"]
        return cls(value=value, day=day_of(value, now), allowed=allowed)


def caller_ids(
    connection: Connection,
    now: datetime,
    numbering: Numbering,
    wanted: Mapping[str, Any],
    end: str = "",
    values: Sequence[Any] = (),
) -> list[CallerIdDetails]:
    """Those of pools that are there; `wanted`, `end` and `values` are as of `entries`, for tables that are called `i` and, of
    the pools, `p`."""
    found = [caller_of(row) for row in entries(connection, _LISTED, wanted, end, values)]
    stored = belonging(connection, _POOLS, sorted({caller.pool_id for caller in found}))
    pools = {key: _Pool.of(row, now) for key, (row,) in stored.items()}
    gateways = belonging(connection, _GATEWAYS, [caller.id for caller in found])
    counts = _counts(connection, {caller.id: pools[caller.pool_id].day for caller in found})
    told = []
    for caller in found:
        pool, today = pools[caller.pool_id], counts.get(caller.id, _NONE)
        linked = tuple(sorted(key for key, _ in gateways.get(caller.id, ())))
        refusal = gate.caller_id_refusal(caller.number, pool.allowed, numbering)
        held = obstacle(PooledNumber(caller, frozenset(linked), today.used, refusal), pool.value, now, pool.day)
        told.append(
            CallerIdDetails(
                caller_id=caller,
                pool=pool.value,
                gateways=linked,
                today=today,
                allowed=allowed_on(caller, pool.value, pool.day),
                unusable="" if held is None else held.text,
                until=None if held is None else held.until,
            )
        )
    return told


def _counts(connection: Connection, days: Mapping[int, date]) -> dict[int, CallerIdCounts]:
    """What came of the calls of numbers, by their ids, each of the day of its pool; without those that had none."""
    of_day: dict[date, list[int]] = {}
    for key, day in days.items():
        of_day.setdefault(day, []).append(key)
    found: dict[int, CallerIdCounts] = {}
    for day, some in of_day.items():
        sums = belonging(connection, counted.OF_DAY, some, day.isoformat())
        found |= {key: counted.counts(row[:-1]) for key, (row,) in sums.items()}
    return found
