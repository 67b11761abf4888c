"""Objects of the API v2: previews.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Literal, TypedDict


class PreviewReasonExampleObject(TypedDict):
    """A contact with what is to be expected for it."""

    contact_id: int
    number: str
    prospect: Literal[
        "called", "behind-others", "due-later", "caller-id", "calling-rules", "listed-until", "do-not-call", "blacklist",
        "whitelist", "consent-later", "consent", "dialled-form", "no-gateway", "emergency", "refused-by-rules",
        "not-authorised", "expires",
    ]
    at: str | None
    """when it is called, or may be called at the earliest, where that is known"""
    attempt: int
    """the number of the attempt that is next"""
    retry: bool
    """whether it was tried before"""
    text: str
    """why"""


class PreviewReasonObject(TypedDict):
    """Contacts with the same prospect."""

    prospect: Literal[
        "called", "behind-others", "due-later", "caller-id", "calling-rules", "listed-until", "do-not-call", "blacklist",
        "whitelist", "consent-later", "consent", "dialled-form", "no-gateway", "emergency", "refused-by-rules",
        "not-authorised", "expires",
    ]
    group: Literal["called", "later", "never"]
    text: str
    contacts: int
    retries: int
    """those of them that were tried before, where they are called or have a turn later"""
    first_at: str | None
    """when the first of them is called, or may be called at the earliest, where that is known"""
    examples: list[PreviewReasonExampleObject]


class PreviewOthersObject(TypedDict):
    """Contacts that are not pending, by state."""

    pending: int
    paused: int
    aborted: int
    failed: int
    completed: int
    in_process: int
    not_authorised: int


PreviewObject = TypedDict("PreviewObject", {
    "campaign_id": int,
    "from": str,
    "until": str,
    "called": int,
    "later": int,
    "never": int,
    "reasons": list[PreviewReasonObject],
    "others": PreviewOthersObject,
    "first_call_at": str | None,
    "last_call_at": str | None,
    "calls_per_minute": float,
    "call_seconds": float,
    "refusal": str | None,
})
"""Who will be called within the horizon, if the campaign is started: contacts by what is to be expected for them."""


class OutlookObject(TypedDict):
    """A contact with what is to be expected for it."""

    contact_id: int
    number: str
    prospect: Literal[
        "called", "behind-others", "due-later", "caller-id", "calling-rules", "listed-until", "do-not-call", "blacklist",
        "whitelist", "consent-later", "consent", "dialled-form", "no-gateway", "emergency", "refused-by-rules",
        "not-authorised", "expires",
    ]
    at: str | None
    """when it is called, or may be called at the earliest, where that is known"""
    attempt: int
    """the number of the attempt that is next"""
    retry: bool
    """whether it was tried before"""
    text: str
    """why"""
