"""Objects of the API v2: do not call lists.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict


class DoNotCallListObject(TypedDict):
    """A list of numbers that are not called."""

    id: int
    """its number, given by the database"""
    name: str
    """its name, unique among its user's, or among those that hold for everybody"""
    description: str
    """for people"""
    user_id: int | None
    """the user whose campaigns obey it; null: everybody's"""
    campaign_id: int | None
    """the only campaign that obeys it; null: all of the user's"""
    created_at: str
    """when it was created"""
    added_by: str
    """who created it"""


class NewDoNotCallListObject(TypedDict):
    """What is sent."""

    name: str
    """its name, unique among its user's, or among those that hold for everybody"""
    description: NotRequired[str]
    """for people"""
    user_id: NotRequired[int | None]
    """the user whose campaigns obey it; null: everybody's"""
    campaign_id: NotRequired[int | None]
    """the only campaign that obeys it; null: all of the user's"""


class ChangedDoNotCallListObject(TypedDict, total=False):
    """What is sent."""

    name: str
    """its name, unique among its user's, or among those that hold for everybody"""
    description: str | None


class NewDoNotCallEntriesObject(TypedDict):
    """What is sent."""

    numbers: Sequence[str]
    """at most 10000, in any spelling"""
    reason: NotRequired[str]
    """why it is not called, for people"""
    source: NotRequired[str]
    """where that is known from, such as a letter or a register"""
    expires_at: NotRequired[str | None]
    """it holds until then; null: for ever"""


class AddedDoNotCallEntriesObject(TypedDict):
    """How many numbers were put on a list."""

    added: int
    """or hold longer now"""
    already_there: int


class RemovedDoNotCallEntriesObject(TypedDict):
    """What is sent."""

    numbers: Sequence[str]
    """at most 10000, in any spelling"""


class RemovedDoNotCallEntriesCountObject(TypedDict):
    """How many numbers were taken off a list."""

    removed: int
    """from the list"""
    not_there: int
