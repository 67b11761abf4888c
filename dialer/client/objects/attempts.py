"""Objects of the API v2: attempts.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Any, Literal, TypedDict


class AttemptObject(TypedDict):
    """The record of a call. What its end tells is null while it is open."""

    id: int
    """grows with each attempt"""
    attempt_id: str
    """the UUID of the call's channel, by which FreeSWITCH and events know it"""
    campaign_id: int
    """the campaign"""
    campaign: str
    """its name"""
    contact_id: int
    """the contact"""
    reference: str
    """your own word for the contact"""
    number: str
    """that was called, as it was entered"""
    number_of_attempt: int
    """1 for the first that counts"""
    caller_id: str
    """the number that was shown as the caller's"""
    caller_name: str
    """the name that was shown as the caller's"""
    gateway_id: int
    """the gateway that it went through"""
    gateway: str
    """its name"""
    state: Literal["planned", "submitted", "ringing", "answered", "connected", "adrift", "ended"]
    """where the attempt is"""
    planned_at: str
    """when it was begun"""
    sent_at: str | None
    """when the switch took the request for it; null where the call was over before that was heard"""
    rang_at: str | None
    """the first ringing, or sound before the answer"""
    answered_at: str | None
    """when it was answered"""
    ended_at: str | None
    """when it ended"""
    ring_ms: int | None
    """from the first ringing to the answer, or to the end"""
    talk_ms: int | None
    """from the answer to the end, which is what is billed"""
    duration_ms: int | None
    """from the originate to the end"""
    disposition: Literal[
        "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
        "UNKNOWN",
    ] | None
    """why it ended, in business words"""
    cause: str | None
    """FreeSWITCH's word for the end, or the dialer's own"""
    q850: int | None
    """the cause by ITU-T Q.850"""
    sip_status: int | None
    """the final SIP status of the far end"""
    ended_by: str | None
    """FreeSWITCH's word for who ended it, such as recv_bye"""
    hung_up_by: Literal["callee", "caller"] | None
    """the side that ended it, where FreeSWITCH says so; the caller is the dialer or the switch"""
    counts: bool | None
    """whether it is one of the contact's attempts"""
    reason: str | None
    """what was decided of the contact, and why"""
    machine: bool | None
    """whether a machine answered"""
    digits: str | None
    """the keys that the callee pressed, in order"""
    recording: str | None
    """the file of the recording, on FreeSWITCH's machine"""
    second_leg: str | None
    """of a transfer: whether it was answered, or failed"""
    second_leg_to: str | None
    """whom it was to reach"""
    second_leg_cause: str | None
    """FreeSWITCH's word for its end"""
    second_leg_ms: int | None
    """for how long both were connected"""
    session: dict[str, Any]
    """the voice application's report, whole"""
