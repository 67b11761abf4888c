"""The SQL of grants: which gateways and voice applications a user may use."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from dialer.store.connection import Variants


@frozen(kw_only=True)
class Grant:
    """The statements for one kind of thing. Parameters of each: the user's id, the thing's."""

    held: Variants
    """Has a row when it is granted. That row stays until the end of the transaction: who revokes waits."""
    add: str
    """Nothing happens when it is granted already, or when there is no such thing."""
    remove: str
    used: str
    """How many campaigns of the user use it, calls that are not over among them."""


def _grant(table: str, column: str, of: str) -> Grant:
    held = f"SELECT 1 FROM {table} WHERE user_id = ? AND {column} = ?"  # noqa: S608 - names of tables, from here
    return Grant(
        held=Variants(sqlite=held, postgresql=f"{held} FOR SHARE"),
        add=(
            f"INSERT INTO {table} (user_id, {column}) SELECT u.id, x.id FROM user_account u CROSS JOIN {of} x "  # noqa: S608
            "WHERE u.id = ? AND x.id = ? ON CONFLICT DO NOTHING"
        ),
        remove=f"DELETE FROM {table} WHERE user_id = ? AND {column} = ?",  # noqa: S608
        used=(
            f"SELECT count(*) FROM campaign WHERE user_id = ? AND {column} = ? "  # noqa: S608
            "AND (archived_at IS NULL OR (single = 1 AND status < 3))"
        ),
    )


GRANTS: Final = {
    "gateway": _grant("gateway_user", "gateway_id", "gateway"),
    "voip app": _grant("user_voip_app", "voip_app_id", "voip_app"),
}
"""By the nouns that are granted."""

FORGET: Final = (
    "DELETE FROM gateway_user WHERE user_id = ?",
    "DELETE FROM user_voip_app WHERE user_id = ?",
    "DELETE FROM api_token WHERE user_id = ?",
    "DELETE FROM idempotency_key WHERE user_id = ?",
)
"""All that a user has: grants, logins, and what was answered to it."""
