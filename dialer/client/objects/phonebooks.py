"""Objects of the API v2: phonebooks.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import NotRequired, TypedDict


class PhonebookObject(TypedDict):
    """A list of contacts."""

    id: int
    """its number, given by the database"""
    user_id: int
    """the user that it belongs to"""
    name: str
    """its name, unique among its user's"""
    description: str
    """for people"""
    region: str
    """the region of its national numbers, such as DE; empty: that of the installation"""
    created_at: str
    """when it was created"""


class NewPhonebookObject(TypedDict):
    """What is sent."""

    name: str
    """its name, unique among its user's"""
    description: NotRequired[str]
    """for people"""
    region: NotRequired[str]
    """the region of its national numbers, such as DE; empty: that of the installation"""
    campaign_id: NotRequired[int | None]
    """a campaign that calls its contacts"""


class ChangedPhonebookObject(TypedDict, total=False):
    """What is sent."""

    name: str
    """its name, unique among its user's"""
    description: str | None
    region: str | None
