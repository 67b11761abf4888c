"""What the API and the store hand to each other: who asks, what shall be written, and what is stored, as frozen values.

They stand beside `dialer.model`: that one holds what the flow decides with, this one what a user enters and reads back.
Durations are seconds, times aware UTC. A reference is the id of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

from attrs import Factory, frozen

from dialer.model import CampaignStatus, GatewayStatus, SubscriberStatus, UnknownPolicy, VoipAppType

Weekdays = tuple[bool, bool, bool, bool, bool, bool, bool]
"""Seven flags, Monday first."""


@frozen(kw_only=True)
class Account:
    """A user that has proved who it is. A superuser sees and changes everybody's objects."""

    id: int
    username: str
    is_superuser: bool = False


@frozen(kw_only=True, cache_hash=True)
class GatewayRecord:
    """A gateway as it was entered."""

    id: int
    name: str
    description: str
    protocol: str
    hostname: str
    status: GatewayStatus
    removeprefix: str
    addprefix: str
    addparameter: str
    maximum_call: int | None
    failover_id: int | None
    created_at: datetime
    updated_at: datetime


@frozen(kw_only=True, cache_hash=True)
class VoipAppRecord:
    """A voice application as it was entered."""

    id: int
    name: str
    description: str
    type: VoipAppType
    gateway_id: int | None
    created_at: datetime
    updated_at: datetime


@frozen(kw_only=True)
class PhonebookRecord:
    """A phonebook."""

    id: int
    name: str
    description: str = ""


@frozen(kw_only=True)
class CampaignRecord:
    """A campaign with what it refers to."""

    id: int
    name: str
    description: str
    status: CampaignStatus
    starting_at: datetime
    expires_at: datetime
    daily_start: time
    daily_stop: time
    weekdays: Weekdays
    frequency: int
    call_max_duration: int
    max_retry: int
    interval_retry: int
    call_timeout: int
    caller_id: str
    unknown_policy: UnknownPolicy
    voip_app_data: str
    gateway: GatewayRecord
    voip_app: VoipAppRecord
    phonebooks: tuple[PhonebookRecord, ...]


@frozen(kw_only=True)
class CampaignDraft:
    """A campaign to be created; an absent date counts from the moment of the request."""

    name: str
    gateway_id: int
    voip_app_id: int
    description: str = ""
    starting_at: datetime | None = None
    expires_at: datetime | None = None
    daily_start: time = time(0, 0, 0)
    daily_stop: time = time(23, 59, 59)
    weekdays: Weekdays = (True, True, True, True, True, True, True)
    frequency: int = 10
    call_max_duration: int = 1800
    max_retry: int = 3
    interval_retry: int = 300
    call_timeout: int = 45
    voip_app_data: str = ""
    caller_id: str = ""
    unknown_policy: UnknownPolicy = UnknownPolicy.RETRY


@frozen(kw_only=True)
class CampaignChange:
    """What a user wants changed: None, or a weekday that is not named, stays as it was. Weekdays count from 0, Monday."""

    status: CampaignStatus | None = None
    name: str | None = None
    description: str | None = None
    starting_at: datetime | None = None
    expires_at: datetime | None = None
    daily_start: time | None = None
    daily_stop: time | None = None
    weekdays: Mapping[int, bool] = Factory(dict)
    frequency: int | None = None
    call_max_duration: int | None = None
    max_retry: int | None = None
    interval_retry: int | None = None
    call_timeout: int | None = None
    gateway_id: int | None = None
    voip_app_id: int | None = None
    voip_app_data: str | None = None
    caller_id: str | None = None
    unknown_policy: UnknownPolicy | None = None


@frozen(kw_only=True)
class SubscriberEntry:
    """A subscriber in a list."""

    status: SubscriberStatus
    contact_id: int
    last_attempt_at: datetime | None
    count_attempt: int

    @property
    def untouched(self) -> bool:
        """Pending, and never attempted."""
        return self.status is SubscriberStatus.START and not self.count_attempt and self.last_attempt_at is None


@frozen(kw_only=True)
class ContactRecord:
    """A contact and the phonebook that it stands in. `status` and `id` are those of a subscriber of it, or its own when no
    campaign uses the phonebook; `status` is what a user asked for, while a call is live."""

    id: int
    status: SubscriberStatus
    number: str
    first_name: str
    last_name: str
    email: str
    description: str
    additional_vars: Mapping[str, str]
    phonebook: PhonebookRecord
    created_at: datetime
    updated_at: datetime
