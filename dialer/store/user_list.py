"""Users with their lists of numbers and the names of what is granted to them: four statements, however many they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dialer.model import User, UserDetails
from dialer.store.connection import Connection, Row
from dialer.store.noun_lists import belonging, entries
from dialer.stored import reader

_read_user: Final = reader(User, "u")
_LISTED: Final = f"SELECT {_read_user.columns} FROM user_account u WHERE u.archived_at IS NULL"  # noqa: S608
_PATTERNS: Final = "SELECT n.kind, n.pattern, n.user_id FROM number_pattern n WHERE n.user_id IN ({})"
_GATEWAYS: Final = "SELECT g.name, l.user_id FROM gateway_user l JOIN gateway g ON g.id = l.gateway_id WHERE l.user_id IN ({})"
_VOIP_APPS: Final = (
    "SELECT v.name, l.user_id FROM user_voip_app l JOIN voip_app v ON v.id = l.voip_app_id WHERE l.user_id IN ({})"
)


def users(connection: Connection, wanted: Mapping[str, Any], end: str = "", values: Sequence[Any] = ()) -> list[UserDetails]:
    """Those that are not archived; `wanted`, `end` and `values` are as of `entries`, for a table that is called `u`."""
    found = [_read_user(row) for row in entries(connection, _LISTED, wanted, end, values)]
    keys = [user.id for user in found]
    patterns, gateways, voip_apps = (belonging(connection, each, keys) for each in (_PATTERNS, _GATEWAYS, _VOIP_APPS))
    return [
        UserDetails(
            user=user,
            blacklist=_patterns(patterns.get(user.id, ()), "blacklist"),
            whitelist=_patterns(patterns.get(user.id, ()), "whitelist"),
            gateways=tuple(sorted(name for name, _ in gateways.get(user.id, ()))),
            voip_apps=tuple(sorted(name for name, _ in voip_apps.get(user.id, ()))),
        )
        for user in found
    ]


def _patterns(rows: Iterable[Row], kind: str) -> tuple[str, ...]:
    return tuple(sorted(pattern for each, pattern, _ in rows if each == kind))
