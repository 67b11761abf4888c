"""A campaign as the API shows it, with its gateway and its voice application."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from api.answers import Answer, Date, date
from dialer.records import CampaignRecord, GatewayRecord, VoipAppRecord


class GatewayAnswer(Answer):
    """A gateway. The four that are always null were never filled in by the old server either."""

    id: int
    name: str
    description: str
    protocol: str
    hostname: str
    status: int
    removeprefix: str
    addprefix: str
    addparameter: str
    maximum_call: int | None
    failover_id: int | None
    count_call: None
    count_in_use: None
    secondused: None
    created_date: Date
    updated_date: Date


class VoipAppAnswer(Answer):
    """A voice application: 1 dial, 2 play audio, 3 conference, 4 speak."""

    id: int
    name: str
    description: str
    type: int
    gateway_id: int | None
    created_date: Date
    updated_date: Date


class LinkedPhonebook(Answer):
    """A phonebook of a campaign."""

    id: int
    name: str


class CampaignAnswer(Answer):
    """A campaign."""

    id: int
    name: str
    description: str
    status: int
    startingdate: Date
    expirationdate: Date
    daily_start_time: str
    daily_stop_time: str
    monday: int
    tuesday: int
    wednesday: int
    thursday: int
    friday: int
    saturday: int
    sunday: int
    frequency: int
    callmaxduration: int
    maxretry: int
    intervalretry: int
    calltimeout: int
    callerid: str
    unknown_policy: str
    aleg_gateway: GatewayAnswer
    voipapp: VoipAppAnswer
    voipapp_data: str
    phonebook: list[LinkedPhonebook]


def campaign(record: CampaignRecord) -> dict[str, Any]:
    """As `CampaignAnswer`."""
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = map(int, record.weekdays)
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "status": int(record.status),
        "startingdate": date(record.starting_at),
        "expirationdate": date(record.expires_at),
        "daily_start_time": record.daily_start.isoformat(),
        "daily_stop_time": record.daily_stop.isoformat(),
        "monday": monday,
        "tuesday": tuesday,
        "wednesday": wednesday,
        "thursday": thursday,
        "friday": friday,
        "saturday": saturday,
        "sunday": sunday,
        "frequency": record.frequency,
        "callmaxduration": record.call_max_duration,
        "maxretry": record.max_retry,
        "intervalretry": record.interval_retry,
        "calltimeout": record.call_timeout,
        "callerid": record.caller_id,
        "unknown_policy": str(record.unknown_policy),
        "aleg_gateway": _gateway(record.gateway),
        "voipapp": _voip_app(record.voip_app),
        "voipapp_data": record.voip_app_data,
        "phonebook": [{"id": phonebook.id, "name": phonebook.name} for phonebook in record.phonebooks],
    }


def campaigns(records: list[CampaignRecord]) -> list[dict[str, Any]]:
    """A list of answers."""
    return [campaign(record) for record in records]


@lru_cache(maxsize=1024)
def _gateway(record: GatewayRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "protocol": record.protocol,
        "hostname": record.hostname,
        "status": int(record.status),
        "removeprefix": record.removeprefix,
        "addprefix": record.addprefix,
        "addparameter": record.addparameter,
        "maximum_call": record.maximum_call,
        "failover_id": record.failover_id,
        "count_call": None,
        "count_in_use": None,
        "secondused": None,
        "created_date": date(record.created_at),
        "updated_date": date(record.updated_at),
    }


@lru_cache(maxsize=1024)
def _voip_app(record: VoipAppRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "type": int(record.type),
        "gateway_id": record.gateway_id,
        "created_date": date(record.created_at),
        "updated_date": date(record.updated_at),
    }
