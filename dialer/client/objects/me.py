"""Objects of the API v2: me.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Literal, TypedDict


class MeObject(TypedDict):
    """The user that asks, its limits, and what its login is good for; `token_id` is null for a password."""

    id: int
    """its number, given by the database"""
    username: str
    """its name, unique"""
    is_superuser: bool
    """sees and changes everybody's objects"""
    max_number_campaign: int | None
    """campaigns it may have"""
    max_number_subscriber_campaign: int | None
    """contacts of a campaign"""
    max_frequency: int | None
    """calls per minute of a campaign"""
    max_duration: int | None
    """the longest call (s)"""
    max_retries: int | None
    """further attempts for a contact"""
    max_timeout: int | None
    """the longest ringing (s)"""
    caller_ids: str
    """the numbers that its calls may show as the caller's, with commas between them; empty: any"""
    created_at: str
    """when it was created"""
    role: Literal["viewer", "operator", "admin"]
    """what its logins may do with what it sees: viewer (look), operator (change, start and stop), admin (users and
    gateways, too; superusers only)"""
    scopes: list[Literal["read", "dial", "admin"]]
    token_id: int | None
