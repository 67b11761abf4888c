"""Whom the calls of a user may reach, and as whose: what `dialer.gate` has to know at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dialer.model import CallRules, User
from dialer.store.connection import Connection
from dialer.store.may_call import listed_until
from dialer.stored import load_rules

_PATTERNS: Final = "SELECT kind, pattern FROM number_pattern WHERE user_id = ?"
_SETTINGS: Final = "SELECT rules FROM user_account WHERE id = ?"


def call_rules(
    connection: Connection, user_id: int, identities: Sequence[str], now: datetime, campaign_id: int = 0
) -> CallRules:
    """The rules of a user, and which of `identities` are on a do-not-call list that holds for it, or for its campaign. With
    the ids 0, of nobody in particular."""
    patterns: dict[str, set[str]] = {"blacklist": set(), "whitelist": set()}
    caller_ids = ""
    if user_id:
        for kind, pattern in connection.execute(_PATTERNS, (user_id,)).fetchall():
            patterns[kind].add(pattern)
        (settings,) = connection.execute(_SETTINGS, (user_id,)).fetchone() or ("{}",)
        caller_ids = load_rules(User, settings).values["caller_ids"]
    return CallRules(
        blacklist=frozenset(patterns["blacklist"]),
        whitelist=frozenset(patterns["whitelist"]),
        do_not_call=frozenset(listed_until(connection, identities, campaign_id, user_id, now)),
        caller_ids=caller_ids,
    )
