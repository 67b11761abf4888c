"""Objects of the API v2: do not call.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import NotRequired, TypedDict


class DoNotCallEntryObject(TypedDict):
    """A number that is not called."""

    id: int
    """its number, given by the database"""
    list_id: int
    """the list that it stands on"""
    number: str
    """the number, in any spelling; a list has it once at a time"""
    identity: str
    """its canonical digits, by which it is compared"""
    reason: str
    """why it is not called, for people"""
    source: str
    """where that is known from, such as a letter or a register"""
    expires_at: str | None
    """it holds until then; null: for ever"""
    created_at: str
    """since when it is on the list"""
    added_by: str
    """who put it there"""
    removed_at: str | None
    """when it was taken off, or another entry took its place"""
    removed_by: str
    """who took it off"""


class NewDoNotCallEntryObject(TypedDict):
    """What is sent."""

    number: str
    """the number, in any spelling; a list has it once at a time"""
    reason: NotRequired[str]
    """why it is not called, for people"""
    source: NotRequired[str]
    """where that is known from, such as a letter or a register"""
    expires_at: NotRequired[str | None]
    """it holds until then; null: for ever"""
