"""Objects of the API v2: campaign course.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict


class ProgressContactsObject(TypedDict):
    """Contacts by state."""

    pending: int
    paused: int
    aborted: int
    failed: int
    completed: int
    in_process: int
    not_authorised: int


class ProgressObject(TypedDict):
    """How far a campaign is."""

    campaign_id: int
    total: int
    """its contacts"""
    done: int
    """of these, those that will not be called any more"""
    contacts: ProgressContactsObject
    """Contacts by state."""
    waiting: int
    """pending contacts, where none of them is due yet"""
    next_ready_at: str | None
    """when the first of these is due"""
    live_calls: int
    finished_at: str | None
    """the end of the last call, when nobody is left to call"""


class CampaignPhonebookObject(TypedDict):
    """What is sent."""

    phonebook_id: int
    """a phonebook of the campaign's user"""


class AttachedPhonebookObject(TypedDict):
    """A phonebook that a campaign calls."""

    campaign_id: int
    phonebook_id: int
    added: int
    """contacts of it that the campaign did not have yet"""


class RedialObject(TypedDict, total=False):
    """What is sent."""

    states: Sequence[Literal["aborted", "failed", "completed"]]
    """those in one of these states"""
    dispositions: Sequence[
        Literal["ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
        "UNKNOWN"],
    ]
    """of these, those whose last attempt ended in one of these ways; all of them where none is named"""
    after: str
    """`after` of the answer before, to go on from there"""
    dry_run: bool
    """true: nothing is changed, and the answer tells what would be"""


class RedialledObject(TypedDict):
    """What came of it."""

    looked_at: int
    """contacts; at most 10000 by a request"""
    changed: int
    """that are called again, or would be"""
    after: str | None
    """where there are more: what the next request begins behind"""
    dry_run: bool


class CampaignContactObject(TypedDict):
    """A contact in a campaign."""

    number: str
    contact_id: int
    state: Literal["pending", "paused", "aborted", "failed", "completed", "in_process", "not_authorised"]
    tries: int
    """attempts that count"""
    last_attempt_at: str | None
    """when the last one that counts was begun"""
    next_attempt_at: str | None
    """not called before; null when it is not waiting"""
    disposition: Literal[
        "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
        "UNKNOWN",
    ] | None
    """of the last attempt"""
    reason: str | None
    """what was decided then, and why"""


class ChangedCampaignContactObject(TypedDict, total=False):
    """What is sent."""

    state: Literal["pending", "paused", "aborted", "failed", "completed"]
    """takes effect at the end of a live call, if there is one"""
