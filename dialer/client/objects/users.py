"""Objects of the API v2: users.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict


class UserObject(TypedDict):
    """An account."""

    id: int
    """its number, given by the database"""
    username: str
    """its name, unique"""
    is_superuser: bool
    """sees and changes everybody's objects"""
    is_active: bool
    """may log in"""
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
    has_password: bool
    blacklist: list[str]
    """beginnings of numbers that it may not call"""
    whitelist: list[str]
    """those of the only ones that it may call, if there are any"""
    gateways: list[str]
    """the names of those that are granted to it; a superuser has all"""
    voip_apps: list[str]
    """the same of voice applications"""


class NewUserObject(TypedDict):
    """What is sent."""

    username: str
    """its name, unique"""
    is_superuser: NotRequired[bool]
    """sees and changes everybody's objects"""
    is_active: NotRequired[bool]
    """may log in"""
    max_number_campaign: NotRequired[int | None]
    """campaigns it may have"""
    max_number_subscriber_campaign: NotRequired[int | None]
    """contacts of a campaign"""
    max_frequency: NotRequired[int | None]
    """calls per minute of a campaign"""
    max_duration: NotRequired[int | None]
    """the longest call (s)"""
    max_retries: NotRequired[int | None]
    """further attempts for a contact"""
    max_timeout: NotRequired[int | None]
    """the longest ringing (s)"""
    caller_ids: NotRequired[str]
    """the numbers that its calls may show as the caller's, with commas between them; empty: any"""
    role: NotRequired[Literal["viewer", "operator", "admin"]]
    """what its logins may do with what it sees: viewer (look), operator (change, start and stop), admin (users and
    gateways, too; superusers only)"""
    password: NotRequired[str | None]
    """what it logs in with; null: nobody logs in"""
    blacklist: NotRequired[Sequence[str]]
    """beginnings of numbers that it may not call"""
    whitelist: NotRequired[Sequence[str]]
    """those of the only ones that it may call, if there are any"""


class ChangedUserObject(TypedDict, total=False):
    """What is sent."""

    username: str
    """its name, unique"""
    is_superuser: bool | None
    is_active: bool | None
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
    caller_ids: str | None
    role: Literal["viewer", "operator", "admin"]
    """what its logins may do with what it sees: viewer (look), operator (change, start and stop), admin (users and
    gateways, too; superusers only)"""
    password: str | None
    """what it logs in with; null: nobody logs in"""
    blacklist: Sequence[str] | None
    whitelist: Sequence[str] | None


class GrantsObject(TypedDict, total=False):
    """What is sent."""

    gateway_ids: Sequence[int]
    """gateways"""
    voip_app_ids: Sequence[int]
    """voice applications"""
