"""Pools of caller ids and their numbers, by the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from dialer.cli.remote import values
from dialer.client import Client
from dialer.management import caller_ids
from dialer.management.caller_ids import CallerIdDay
from dialer.model import Account, CallerId, CallerIdPool
from dialer.model.caller_id import CallerIdCounts, CallerIdDetails


def _pools(client: Client, who: Account) -> list[CallerIdPool]:
    return [values.read(CallerIdPool, each) for each in client.caller_id_pools.list()]


def _create_pool(client: Client, who: Account, given: Mapping[str, Any]) -> CallerIdPool:
    body: Any = values.written(CallerIdPool, given)
    return values.read(CallerIdPool, client.caller_id_pools.create(**body))


def _change_pool(client: Client, who: Account, key: int, given: Mapping[str, Any]) -> None:
    body: Any = values.written(CallerIdPool, given)
    client.caller_id_pools.change(key, **body)


def _listed(client: Client, who: Account) -> list[CallerIdDetails]:
    found = []
    for pool in _pools(client, who):
        numbers = {each["id"]: each for each in client.caller_ids.list(pool_id=pool.id)}
        for use in client.caller_id_pools.use(pool.id)["numbers"]:
            if use["caller_id_id"] in numbers:
                found.append(_details(numbers[use["caller_id_id"]], pool, use))
    return sorted(found, key=lambda each: each.caller_id.id)


def _details(given: Mapping[str, Any], pool: CallerIdPool, use: Mapping[str, Any]) -> CallerIdDetails:
    return CallerIdDetails(
        caller_id=values.read(CallerId, given),
        pool=pool,
        gateways=tuple(given["gateways"]),
        today=_counts(use),
        allowed=use["allowed_today"],
        unusable=use["unusable"] or "",
        until=values.moment(use["usable_at"]),
    )


def _counts(given: Mapping[str, Any]) -> CallerIdCounts:
    """The API has counted off those that were not dialled."""
    told = {name: given[name] for name in ("calls", "ended", "answered", "short", "talk_ms")}
    return CallerIdCounts(**told, refused={int(code): count for code, count in given["refused"].items()})


def _settings(given: Mapping[str, Any]) -> Any:
    own = values.written(CallerId, {name: each for name, each in given.items() if name != "gateways"})
    return {**own, "gateways": list(given["gateways"])} if "gateways" in given else own


def _of(client: Client, given: Mapping[str, Any]) -> CallerIdDetails:
    pool = values.read(CallerIdPool, client.caller_id_pools.get(given["pool_id"]))
    (use,) = [each for each in client.caller_id_pools.use(pool.id)["numbers"] if each["caller_id_id"] == given["id"]]
    return _details(given, pool, use)


def _create(client: Client, who: Account, given: Mapping[str, Any]) -> CallerIdDetails:
    return _of(client, client.caller_ids.create(**_settings(given)))


def _change(client: Client, who: Account, key: int, given: Mapping[str, Any]) -> None:
    client.caller_ids.change(key, **_settings(given))


def _rest(client: Client, who: Account, key: int, until: datetime | None) -> CallerIdDetails:
    return _of(client, client.caller_ids.rest(key, until=None if until is None else values.rfc3339(until)))


def _days(client: Client, who: Account, key: int, limit: int) -> list[CallerIdDay]:
    found = client.caller_ids.days(key, days=limit)["days"]
    return [CallerIdDay(day=date.fromisoformat(each["day"]), counts=_counts(each)) for each in found]


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    caller_ids.pools: _pools,
    caller_ids.create_pool: _create_pool,
    caller_ids.change_pool: _change_pool,
    caller_ids.remove_pool: lambda client, who, key: client.caller_id_pools.delete(key),
    caller_ids.listed: _listed,
    caller_ids.create: _create,
    caller_ids.change: _change,
    caller_ids.remove: lambda client, who, key: client.caller_ids.delete(key),
    caller_ids.rest: _rest,
    caller_ids.days: _days,
}
