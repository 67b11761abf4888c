"""Objects of the API v2: contact explanations.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Literal, TypedDict


class NumberExplanationObstacleObject(TypedDict):
    """Something that keeps a contact from being called."""

    code: Literal[
        "not-in-campaign", "emergency", "do-not-call", "blacklist", "whitelist", "consent", "dialled-form", "no-gateway",
        "calling-rules", "called-elsewhere", "in-process", "paused", "aborted", "failed", "complete", "not-authorised",
        "due-later", "behind-others", "campaign",
    ]
    text: str
    until: str | None
    """when that may change, where it is known"""
    campaign_code: Literal[
        "paused", "paused-by-dialer", "aborted", "ended", "caller-id", "expires-before-start", "expired", "not-started",
        "no-weekdays", "weekday-off", "outside-hours", "frequency-zero", "no-contacts", "all-done", "last-calls",
        "retries-later", "calling-rules", "do-not-call", "consent", "no-gateway", "no-dialer", "no-switch", "switch-drained",
        "switch-full", "no-database", "gateway-missing", "gateway-inactive", "gateway-paused", "gateway-down", "gateway-full",
        "gateway-unreachable", "campaign-full", "next-call-later", "no-caller-id",
    ] | None
    """where it is the campaign's: why that is not calling"""


class NumberExplanationObject(TypedDict):
    """What keeps a number from being called by a campaign now, the strongest first, and how it was tried."""

    number: str
    identity: str
    """its canonical digits"""
    why: list[str]
    """the same in sentences, then its tries"""
    obstacles: list[NumberExplanationObstacleObject]


class ContactExplanationObstacleObject(TypedDict):
    """Something that keeps a contact from being called."""

    code: Literal[
        "not-in-campaign", "emergency", "do-not-call", "blacklist", "whitelist", "consent", "dialled-form", "no-gateway",
        "calling-rules", "called-elsewhere", "in-process", "paused", "aborted", "failed", "complete", "not-authorised",
        "due-later", "behind-others", "campaign",
    ]
    text: str
    until: str | None
    """when that may change, where it is known"""
    campaign_code: Literal[
        "paused", "paused-by-dialer", "aborted", "ended", "caller-id", "expires-before-start", "expired", "not-started",
        "no-weekdays", "weekday-off", "outside-hours", "frequency-zero", "no-contacts", "all-done", "last-calls",
        "retries-later", "calling-rules", "do-not-call", "consent", "no-gateway", "no-dialer", "no-switch", "switch-drained",
        "switch-full", "no-database", "gateway-missing", "gateway-inactive", "gateway-paused", "gateway-down", "gateway-full",
        "gateway-unreachable", "campaign-full", "next-call-later", "no-caller-id",
    ] | None
    """where it is the campaign's: why that is not calling"""


class ContactExplanationAttemptObject(TypedDict):
    """An attempt to reach the contact in this campaign; what its end tells is null while it is open."""

    planned_at: str
    ended_at: str | None
    disposition: Literal[
        "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
        "UNKNOWN",
    ] | None
    cause: str
    reason: str
    """what was decided of the contact, and why"""


class ContactExplanationObject(TypedDict):
    """What keeps a contact from being called now, the strongest first: who changes exactly that has it called."""

    campaign_id: int
    contact_id: int
    number: str
    state: Literal["pending", "paused", "aborted", "failed", "completed", "in_process", "not_authorised"] | None
    is_next: bool
    """whether nothing keeps it from being called"""
    obstacles: list[ContactExplanationObstacleObject]
    ready_at: str | None
    """no call before"""
    ahead: int
    """contacts that are called before it, where it is ready"""
    attempts: list[ContactExplanationAttemptObject]
