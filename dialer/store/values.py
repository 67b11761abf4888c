"""From rows to values: the columns that a value needs, and the value that they make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from functools import lru_cache
from typing import Any

from dialer.gateways import parse_parameters
from dialer.model import (
    Attempt,
    AttemptState,
    Campaign,
    CampaignStatus,
    Candidate,
    Gateway,
    GatewayStatus,
    Plan,
    UnknownPolicy,
    VoipApp,
    VoipAppType,
)
from dialer.store.times import from_column, from_column_or_none

GATEWAY_COLUMNS = (
    "g.id, g.name, g.dial_string, g.protocol, g.hostname, g.status, g.removeprefix, g.addprefix, g.addparameter, "
    "g.maximum_call, g.failover_id, g.calls_per_second"
)
GATEWAY_WIDTH = 12

CAMPAIGN_COLUMNS = (
    "c.id, c.user_id, c.name, c.status, c.starting_at, c.expires_at, c.daily_start, c.daily_stop, c.monday, c.tuesday, "
    "c.wednesday, c.thursday, c.friday, c.saturday, c.sunday, c.time_zone, c.frequency, c.call_max_duration, c.max_retry, "
    "c.interval_retry, c.call_timeout, c.gateway_id, c.voip_app_data, c.caller_id, c.caller_name, c.unknown_policy, "
    "c.max_concurrent, c.next_call_at, v.id, v.name, v.type, v.gateway_id, v.data"
)
CAMPAIGN_WIDTH = 33

CANDIDATE_COLUMNS = "s.id, s.contact_id, s.campaign_id, s.number, s.count_attempt, s.count_requeue"
CANDIDATE_WIDTH = 6

ATTEMPT_COLUMNS = (
    "a.id, a.call_uuid, a.dial_string, a.due_at, a.number_of_attempt, a.planned_at, a.deadline, a.state, a.core_uuid, "
    "a.rang_at, a.answered_at"
)
ATTEMPT_WIDTH = 11

Row = Sequence[Any]

LARGEST_INTEGER = 2**31 - 1
"""Of an INTEGER column of a server; 24 days in milliseconds."""


def in_range(number: int | None) -> int | None:
    """A number of the switch's as a column takes it: an attempt must be able to end, whatever the switch says of it."""
    return None if number is None else min(max(number, 0), LARGEST_INTEGER)


def as_text(words: str) -> str:
    """A text of the switch's as every kind of database takes it, for the same reason: PostgreSQL's have no NUL."""
    return words.replace("\0", "\ufffd") if "\0" in words else words


@lru_cache(maxsize=256)
def parameters(text: str) -> tuple[tuple[str, str], ...]:
    """The channel variables in a gateway's `addparameter`; the rules are those of its entry. Raises `BadValue`."""
    return parse_parameters(text)


def dial_string(configured: str, protocol: str, hostname: str) -> str:
    """A gateway's dial string; when none is configured, the one that its fields of 2011 mean."""
    if configured:
        return configured
    return "loopback/{number}" if protocol == "LOCAL" else f"sofia/external/{{number}}@{hostname}"


def gateway(row: Row) -> Gateway:
    """From GATEWAY_COLUMNS."""
    return Gateway(
        id=row[0],
        name=row[1],
        dial_string=dial_string(row[2], row[3], row[4]),
        status=GatewayStatus(row[5]),
        removeprefix=row[6],
        addprefix=row[7],
        parameters=parameters(row[8]),
        maximum_call=row[9],
        failover_id=row[10],
        calls_per_second=row[11],
    )


def campaign(row: Row) -> Campaign:
    """From CAMPAIGN_COLUMNS."""
    monday, tuesday, wednesday, thursday, friday, saturday, sunday = map(bool, row[8:15])
    return Campaign(
        id=row[0],
        user_id=row[1],
        name=row[2],
        status=CampaignStatus(row[3]),
        starting_at=from_column(row[4]),
        expires_at=from_column(row[5]),
        daily_start=time.fromisoformat(row[6]),
        daily_stop=time.fromisoformat(row[7]),
        weekdays=(monday, tuesday, wednesday, thursday, friday, saturday, sunday),
        time_zone=row[15],
        frequency=row[16],
        call_max_duration=row[17],
        max_retry=row[18],
        interval_retry=row[19],
        call_timeout=row[20],
        gateway_id=row[21],
        voip_app_data=row[22],
        caller_id=row[23],
        caller_name=row[24],
        unknown_policy=UnknownPolicy(row[25]),
        max_concurrent=row[26],
        next_call_at=from_column_or_none(row[27]),
        voip_app=VoipApp(id=row[28], name=row[29], type=VoipAppType(row[30]), gateway_id=row[31], data=row[32]),
    )


def candidate(row: Row) -> Candidate:
    """From CANDIDATE_COLUMNS."""
    return Candidate(
        subscriber_id=row[0],
        contact_id=row[1],
        campaign_id=row[2],
        number=row[3],
        count_attempt=row[4],
        count_requeue=row[5],
    )


def attempt(row: Row) -> Attempt:
    """From ATTEMPT_COLUMNS, CANDIDATE_COLUMNS, CAMPAIGN_COLUMNS, GATEWAY_COLUMNS, in this order."""
    rest = row[ATTEMPT_WIDTH:]
    who, rest = rest[:CANDIDATE_WIDTH], rest[CANDIDATE_WIDTH:]
    rules, way = rest[:CAMPAIGN_WIDTH], rest[CAMPAIGN_WIDTH:]
    return Attempt(
        id=row[0],
        plan=Plan(
            call_uuid=row[1],
            candidate=candidate(who),
            campaign=campaign(rules),
            gateway=gateway(way),
            dial_string=row[2],
            due_at=from_column(row[3]),
        ),
        number_of_attempt=row[4],
        planned_at=from_column(row[5]),
        deadline=from_column(row[6]),
        state=AttemptState(row[7]),
        core_uuid=row[8],
        rang_at=from_column_or_none(row[9]),
        answered_at=from_column_or_none(row[10]),
    )
