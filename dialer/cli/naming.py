"""Nouns by their names: options that name a gateway, a voice application or a pool of caller ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dialer.errors import BadValue
from dialer.management import Management, caller_ids, gateways
from dialer.model.user import ADMINISTRATOR


async def named(management: Management, noun_name: str, text: str, flag: str) -> int:
    """The id of the gateway, the voice application or the pool of caller ids of that name, or else of that id. Raises
    `BadValue` naming the option."""
    found = await names(management, noun_name)
    called = [key for key, name in found.items() if name == text]
    if len(called) > 1:
        raise BadValue(flag, f"several users have a {noun_name} {text}: name one by its id ({', '.join(map(str, called))})")
    for key in (*called, *(key for key in found if str(key) == text)):
        return key
    raise BadValue(flag, f"there is no {noun_name} {text}")


_LISTS: Mapping[str, Callable[..., Any]] = {
    "gateway": gateways.listed,
    "voip app": gateways.applications,
    "caller id pool": caller_ids.pools,
}


async def names(management: Management, noun_name: str) -> dict[int, str]:
    """The names of the gateways, the voice applications or the pools of caller ids, by their ids."""
    use_case: Callable[..., Any] = _LISTS[noun_name]
    return {each.id: each.name for each in await management.ask(use_case, ADMINISTRATOR)}
