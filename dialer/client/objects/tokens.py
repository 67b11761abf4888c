"""Objects of the API v2: tokens.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict


class TokenObject(TypedDict):
    """A token, without its secret."""

    id: int
    """its number, given by the database"""
    user_id: int
    """the user that it stands for"""
    public_id: str
    """the part of its text that is no secret"""
    name: str
    """for people: who has it, and what for"""
    scopes: list[Literal["read", "dial", "admin"]]
    """what it is good for: read, dial (change and start), admin (superusers only)"""
    expires_at: str | None
    """from when on it is good for nothing; none: never"""
    last_used_at: str | None
    """when it was last used, to the minute"""
    created_at: str
    """when it was made"""


class NewTokenObject(TypedDict):
    """What is sent."""

    user_id: NotRequired[int]
    """the user that it stands for"""
    name: str
    """for people: who has it, and what for"""
    scopes: NotRequired[Sequence[Literal["read", "dial", "admin"]]]
    """what it is good for: read, dial (change and start), admin (superusers only)"""
    expires_at: NotRequired[str | None]
    """from when on it is good for nothing; none: never"""


class MadeTokenObject(TypedDict):
    """A token with its text, which is told once: it is null when the request comes again, because it is kept nowhere."""

    id: int
    """its number, given by the database"""
    user_id: int
    """the user that it stands for"""
    public_id: str
    """the part of its text that is no secret"""
    name: str
    """for people: who has it, and what for"""
    scopes: list[Literal["read", "dial", "admin"]]
    """what it is good for: read, dial (change and start), admin (superusers only)"""
    expires_at: str | None
    """from when on it is good for nothing; none: never"""
    last_used_at: str | None
    """when it was last used, to the minute"""
    created_at: str
    """when it was made"""
    token: str | None
