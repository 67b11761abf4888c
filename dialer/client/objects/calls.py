"""Objects of the API v2: calls.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict


class CallLastAttemptObject(TypedDict):
    """The newest attempt of a call."""

    attempt_id: str
    """the UUID of its channel; `attempts/{attempt_id}` has all of it"""
    gateway_id: int
    """the gateway that it went through"""
    planned_at: str
    """when it was begun"""
    rang_at: str | None
    """when it began to ring"""
    answered_at: str | None
    """when it was answered"""
    ended_at: str | None
    """when it ended"""
    ring_ms: int | None
    """for how long it rang"""
    talk_ms: int | None
    """from the answer to the end"""
    disposition: Literal[
        "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
        "UNKNOWN",
    ] | None
    """why it ended, in business words"""
    cause: str | None
    """FreeSWITCH's word for the end, or the dialer's own"""
    sip_status: int | None
    """the final SIP status of the far end"""


class CallObject(TypedDict):
    """A call without a campaign. Events and attempts name it by its id as their `campaign_id`."""

    id: int
    """its number, given by the database"""
    user_id: int
    """the user that it belongs to"""
    starting_at: str
    """no call before"""
    expires_at: str
    """no call after"""
    call_max_duration: int
    """an answered call is cut after (s)"""
    max_retry: int
    """further attempts after the first"""
    interval_retry: int
    """from an attempt's end to the next one (s)"""
    call_timeout: int
    """how long a call may ring (s)"""
    gateway_id: int
    """the gateway through which it calls"""
    voip_app_id: int
    """the voice application that an answered call gets"""
    voip_app_data: str
    """the data of the voice application, in place of its own"""
    caller_id: str
    """the number that the callee sees"""
    caller_name: str
    """the name that the callee sees, where the network shows it; without / : @, at which the switch would cut it"""
    purpose: Literal["sales", "research", "debt", "informational"]
    """the reason for the calls, by which the calling rules of a place hold or do not"""
    created_at: str
    """when it was created"""
    number: str
    """the number to call, in any spelling; unique in its phonebook"""
    first_name: str
    """for voice applications and people"""
    last_name: str
    """for voice applications and people"""
    additional_vars: dict[str, str]
    """further values for voice applications, by their names"""
    time_zone: str
    """where it is known to be; empty: its number tells, as far as that can"""
    reference: str
    """your own word for the contact, unique in its phonebook, which its events repeat"""
    state: Literal["waiting", "calling", "ringing", "answered", "completed", "failed", "cancelled", "blocked", "expired"]
    """where it is"""
    attempts: int
    """its attempts that count"""
    next_attempt_at: str | None
    """when it is made at the earliest, while it waits"""
    reason: str | None
    """why it waits, was refused, or ended as it did"""
    last_attempt: CallLastAttemptObject | None


class NewCallObject(TypedDict):
    """What is sent."""

    number: str
    """the number to call, in any spelling; unique in its phonebook"""
    first_name: NotRequired[str]
    """for voice applications and people"""
    last_name: NotRequired[str]
    """for voice applications and people"""
    additional_vars: NotRequired[Mapping[str, str]]
    """further values for voice applications, by their names"""
    time_zone: NotRequired[str]
    """the zone of the daily times and of the weekdays"""
    reference: NotRequired[str]
    """your own word for the contact, unique in its phonebook, which its events repeat"""
    starting_at: NotRequired[str]
    """when it is to be made; now, unless it is given"""
    expires_at: NotRequired[str]
    """until when it may be made; a day later, unless it is given"""
    gateway_id: int
    """the gateway through which it calls"""
    voip_app_id: int
    """the voice application that an answered call gets"""
    voip_app_data: NotRequired[str]
    """the data of the voice application, in place of its own"""
    caller_id: NotRequired[str]
    """the number that the callee sees"""
    caller_name: NotRequired[str]
    """the name that the callee sees, where the network shows it; without / : @, at which the switch would cut it"""
    call_timeout: NotRequired[int]
    """how long a call may ring (s)"""
    call_max_duration: NotRequired[int]
    """an answered call is cut after (s)"""
    max_retry: NotRequired[int]
    """further attempts after the first"""
    interval_retry: NotRequired[int]
    """from an attempt's end to the next one (s)"""
    purpose: NotRequired[Literal["sales", "research", "debt", "informational"]]
    """the reason for the calls, by which the calling rules of a place hold or do not"""
