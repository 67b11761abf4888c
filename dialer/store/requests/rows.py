"""From rows to the records that the API answers with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from functools import lru_cache
from typing import Any, Final

import orjson

from dialer.model import CampaignStatus, GatewayStatus, SubscriberStatus, UnknownPolicy, VoipAppType
from dialer.records import (
    CampaignRecord,
    ContactRecord,
    GatewayRecord,
    PhonebookRecord,
    SubscriberEntry,
    VoipAppRecord,
)
from dialer.store.times import from_column, from_column_or_none

Row = Sequence[Any]

CAMPAIGN_COLUMNS: Final = (
    "c.id, c.name, c.description, c.status, c.starting_at, c.expires_at, c.daily_start, c.daily_stop, c.monday, c.tuesday, "
    "c.wednesday, c.thursday, c.friday, c.saturday, c.sunday, c.frequency, c.call_max_duration, c.max_retry, "
    "c.interval_retry, c.call_timeout, c.caller_id, c.unknown_policy, c.voip_app_data, "
    "g.id, g.name, g.description, g.protocol, g.hostname, g.status, g.removeprefix, g.addprefix, g.addparameter, "
    "g.maximum_call, g.failover_id, g.created_at, g.updated_at, "
    "v.id, v.name, v.description, v.type, v.gateway_id, v.created_at, v.updated_at"
)
CONTACT_COLUMNS: Final = (
    "k.number, k.first_name, k.last_name, k.email, k.description, k.additional_vars, k.created_at, k.updated_at, "
    "p.id, p.name, p.description"
)
SUBSCRIBER_COLUMNS: Final = "s.number, s.status, s.contact_id, s.last_attempt_at, s.count_attempt"


def campaign(row: Row) -> CampaignRecord:
    """From CAMPAIGN_COLUMNS, and its phonebooks as a JSON list of pairs."""
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = map(bool, row[8:15])
    return CampaignRecord(
        id=row[0],
        name=row[1],
        description=row[2],
        status=CampaignStatus(row[3]),
        starting_at=from_column(row[4]),
        expires_at=from_column(row[5]),
        daily_start=time.fromisoformat(row[6]),
        daily_stop=time.fromisoformat(row[7]),
        weekdays=(monday, tuesday, wednesday, thursday, friday, saturday, sunday),
        frequency=row[15],
        call_max_duration=row[16],
        max_retry=row[17],
        interval_retry=row[18],
        call_timeout=row[19],
        caller_id=row[20],
        unknown_policy=UnknownPolicy(row[21]),
        voip_app_data=row[22],
        gateway=_gateway(tuple(row[23:36])),
        voip_app=_voip_app(tuple(row[36:43])),
        phonebooks=tuple([PhonebookRecord(id=key, name=name) for key, name in orjson.loads(row[43])]),
    )


@lru_cache(maxsize=1024)
def _gateway(row: tuple[Any, ...]) -> GatewayRecord:
    return GatewayRecord(
        id=row[0],
        name=row[1],
        description=row[2],
        protocol=row[3],
        hostname=row[4],
        status=GatewayStatus(row[5]),
        removeprefix=row[6],
        addprefix=row[7],
        addparameter=row[8],
        maximum_call=row[9],
        failover_id=row[10],
        created_at=from_column(row[11]),
        updated_at=from_column(row[12]),
    )


@lru_cache(maxsize=1024)
def _voip_app(row: tuple[Any, ...]) -> VoipAppRecord:
    return VoipAppRecord(
        id=row[0],
        name=row[1],
        description=row[2],
        type=VoipAppType(row[3]),
        gateway_id=row[4],
        created_at=from_column(row[5]),
        updated_at=from_column(row[6]),
    )


def contact(key: int, status: int, row: Row) -> ContactRecord:
    """From the id and the status that are to be shown, and CONTACT_COLUMNS."""
    return ContactRecord(
        id=key,
        status=SubscriberStatus(status),
        number=row[0],
        first_name=row[1],
        last_name=row[2],
        email=row[3],
        description=row[4],
        additional_vars=orjson.loads(row[5]),
        created_at=from_column(row[6]),
        updated_at=from_column(row[7]),
        phonebook=PhonebookRecord(id=row[8], name=row[9], description=row[10]),
    )


def subscriber(row: Row) -> SubscriberEntry:
    """From SUBSCRIBER_COLUMNS."""
    return SubscriberEntry(
        status=SubscriberStatus(row[1]),
        contact_id=row[2],
        last_attempt_at=from_column_or_none(row[3]),
        count_attempt=row[4],
    )
