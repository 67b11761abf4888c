"""Objects of the API v2: campaigns.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict


class CampaignRetryObject(TypedDict):
    """Part of an answer."""

    retries: int
    after: int
    growth: NotRequired[float]
    per_day: NotRequired[int | None]


class CampaignObject(TypedDict):
    """A campaign."""

    id: int
    """its number, given by the database"""
    user_id: int
    """the user that it belongs to"""
    name: str
    """its name, unique among its user's"""
    description: str
    """for people"""
    status: Literal["start", "pause", "abort", "end"]
    """started, paused, aborted or ended"""
    starting_at: str
    """no call before"""
    expires_at: str
    """no call after"""
    daily_start: str
    """the first moment of a day's calls, in `time_zone`"""
    daily_stop: str
    """the last moment of a day's calls; may lie behind midnight"""
    weekdays: list[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]]
    """the days on which it calls; the API of 2011 has a flag for each"""
    time_zone: str
    """the zone of the daily times and of the weekdays"""
    frequency: int
    """how fast it calls (calls per minute)"""
    max_concurrent: int | None
    """calls at the same time at most (calls)"""
    call_max_duration: int
    """an answered call is cut after (s)"""
    min_call_duration: int
    """an answered call that was shorter did not reach the contact (s)"""
    max_retry: int
    """further attempts after the first"""
    retry: dict[str, CampaignRetryObject]
    """retries by outcome, in place of `max_retry` and `interval_retry`: how many, after how long, growing by what, how
    many a day at most"""
    order: Literal["retries-first", "fresh-first", "mix", "list"]
    """who is called first, of contacts of the same priority; with mix, retries have the share `retry_share`, with list who
    became ready first"""
    retry_share: int
    """the share of retries in the calls, where the order is mix (%)"""
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
    unknown_policy: Literal["retry", "never"]
    """whether a contact is called again when nobody can tell how its call ended"""
    unserved_policy: Literal["retry", "complete"]
    """whether a contact is called again that answered, and for whom the voice application could do nothing"""
    purpose: Literal["sales", "research", "debt", "informational"]
    """the reason for the calls, by which the calling rules of a place hold or do not"""
    override: str
    """why the calling rules do not hold for it: a superuser says so, and it is logged; empty: they hold"""
    created_at: str
    """when it was created"""
    updated_at: str
    """when it was last changed"""
    caller_id_pool_id: int | None
    """the pool that the number comes from that the callee sees, in place of `caller_id`"""
    draft: bool
    """whether it was made without being started, and was not started since"""
    consent: Literal["not-asked", "recorded", "express"]
    """which consent of a contact it asks for: none; `recorded`: any that is in force; `express`: one whose basis is
    express or written"""
    rests: str
    """for how many hours no campaign of the user calls a number after a call to it that ended so: `ABANDONED` (answered,
    and the voice application could do nothing) or a disposition, such as `ABANDONED=72,REJECTED=24`; empty: no rests"""
    pause_reason: str
    """why the dialer itself has paused it; empty when it has not"""
    phonebook_ids: list[int]
    """whose contacts it calls"""


class NewCampaignRetryObject(TypedDict):
    """What is sent."""

    retries: int
    after: int
    growth: NotRequired[float]
    per_day: NotRequired[int | None]


class NewCampaignObject(TypedDict):
    """What is sent."""

    name: str
    """its name, unique among its user's"""
    description: NotRequired[str]
    """for people"""
    status: NotRequired[Literal["start", "pause", "abort", "end"]]
    """started, paused, aborted or ended"""
    starting_at: NotRequired[str]
    """no call before"""
    expires_at: NotRequired[str]
    """no call after"""
    daily_start: NotRequired[str]
    """the first moment of a day's calls, in `time_zone`"""
    daily_stop: NotRequired[str]
    """the last moment of a day's calls; may lie behind midnight"""
    weekdays: NotRequired[Sequence[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]]]
    """the days on which it calls; the API of 2011 has a flag for each"""
    time_zone: NotRequired[str]
    """the zone of the daily times and of the weekdays"""
    frequency: NotRequired[int]
    """how fast it calls (calls per minute)"""
    max_concurrent: NotRequired[int | None]
    """calls at the same time at most (calls)"""
    call_max_duration: NotRequired[int]
    """an answered call is cut after (s)"""
    min_call_duration: NotRequired[int]
    """an answered call that was shorter did not reach the contact (s)"""
    max_retry: NotRequired[int]
    """further attempts after the first"""
    retry: NotRequired[Mapping[str, NewCampaignRetryObject]]
    """retries by outcome, in place of `max_retry` and `interval_retry`: how many, after how long, growing by what, how
    many a day at most"""
    order: NotRequired[Literal["retries-first", "fresh-first", "mix", "list"]]
    """who is called first, of contacts of the same priority; with mix, retries have the share `retry_share`, with list who
    became ready first"""
    retry_share: NotRequired[int]
    """the share of retries in the calls, where the order is mix (%)"""
    interval_retry: NotRequired[int]
    """from an attempt's end to the next one (s)"""
    call_timeout: NotRequired[int]
    """how long a call may ring (s)"""
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
    unknown_policy: NotRequired[Literal["retry", "never"]]
    """whether a contact is called again when nobody can tell how its call ended"""
    unserved_policy: NotRequired[Literal["retry", "complete"]]
    """whether a contact is called again that answered, and for whom the voice application could do nothing"""
    purpose: NotRequired[Literal["sales", "research", "debt", "informational"]]
    """the reason for the calls, by which the calling rules of a place hold or do not"""
    override: NotRequired[str]
    """why the calling rules do not hold for it: a superuser says so, and it is logged; empty: they hold"""
    caller_id_pool_id: NotRequired[int | None]
    """the pool that the number comes from that the callee sees, in place of `caller_id`"""
    consent: NotRequired[Literal["not-asked", "recorded", "express"]]
    """which consent of a contact it asks for: none; `recorded`: any that is in force; `express`: one whose basis is
    express or written"""
    rests: NotRequired[str]
    """for how many hours no campaign of the user calls a number after a call to it that ended so: `ABANDONED` (answered,
    and the voice application could do nothing) or a disposition, such as `ABANDONED=72,REJECTED=24`; empty: no rests"""
    draft: NotRequired[bool]
    """true: it is made without being started, and calls nobody until it is"""


class ChangedCampaignRetryObject(TypedDict):
    """What is sent."""

    retries: int
    after: int
    growth: NotRequired[float]
    per_day: NotRequired[int | None]


class ChangedCampaignObject(TypedDict, total=False):
    """What is sent."""

    name: str
    """its name, unique among its user's"""
    description: str | None
    starting_at: str
    """no call before"""
    expires_at: str
    """no call after"""
    daily_start: str | None
    daily_stop: str | None
    weekdays: Sequence[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]] | None
    time_zone: str | None
    frequency: int | None
    max_concurrent: int | None
    """calls at the same time at most (calls)"""
    call_max_duration: int | None
    min_call_duration: int | None
    max_retry: int | None
    retry: Mapping[str, ChangedCampaignRetryObject] | None
    order: Literal["retries-first", "fresh-first", "mix", "list"] | None
    retry_share: int | None
    interval_retry: int | None
    call_timeout: int | None
    gateway_id: int
    """the gateway through which it calls"""
    voip_app_id: int
    """the voice application that an answered call gets"""
    voip_app_data: str | None
    caller_id: str | None
    caller_name: str | None
    unknown_policy: Literal["retry", "never"] | None
    unserved_policy: Literal["retry", "complete"] | None
    purpose: Literal["sales", "research", "debt", "informational"] | None
    override: str | None
    caller_id_pool_id: int | None
    """the pool that the number comes from that the callee sees, in place of `caller_id`"""
    consent: Literal["not-asked", "recorded", "express"] | None
    rests: str | None


class ExplanationReasonObject(TypedDict):
    """Why a campaign is not calling."""

    code: Literal[
        "paused", "paused-by-dialer", "aborted", "ended", "caller-id", "expires-before-start", "expired", "not-started",
        "no-weekdays", "weekday-off", "outside-hours", "frequency-zero", "no-contacts", "all-done", "last-calls",
        "retries-later", "calling-rules", "do-not-call", "consent", "no-gateway", "no-dialer", "no-switch", "switch-drained",
        "switch-full", "no-database", "gateway-missing", "gateway-inactive", "gateway-paused", "gateway-down", "gateway-full",
        "gateway-unreachable", "campaign-full", "next-call-later", "no-caller-id",
    ]
    text: str
    until: str | None
    """when that may change, where it is known"""


class ExplanationContactsObject(TypedDict):
    """Contacts by state."""

    pending: int
    paused: int
    aborted: int
    failed: int
    completed: int
    in_process: int
    not_authorised: int


class ExplanationBlockedObject(TypedDict):
    """Contacts that may not be called for a reason."""

    reason: Literal[
        "never-dialled", "do-not-call", "blacklist", "whitelist", "consent", "calling-rules", "dialled-form", "no-gateway",
    ]
    blocked: int
    """that are called no more"""
    waiting: int
    """that wait until they may be called"""


class ExplanationObject(TypedDict):
    """How far a campaign is, and why it is not calling: `reason` is null when nothing keeps it from that."""

    campaign_id: int
    calls: bool
    reason: ExplanationReasonObject | None
    contacts: ExplanationContactsObject
    """Contacts by state."""
    waiting: int
    """pending contacts whose next attempt is due later"""
    next_ready_at: str | None
    """when the first of these is due"""
    live_calls: int
    blocked: list[ExplanationBlockedObject]
    """contacts that may not be called, as far as their turn has come, by what for"""
