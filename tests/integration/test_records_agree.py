"""The record of a call is what the called side saw: cause, times and who hung up, on the simulator's own log of calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
import pytest_twisted
from attrs import frozen
from twisted.internet.task import deferLater

from dialer.management import call_records
from dialer.management.call_records import RecordFilter, as_object
from dialer.model import Contact, VoipAppType
from dialer.model.user import ADMINISTRATOR
from dialer.wall_clock import utc_now
from tests.integration.test_run_host import Here, config, running
from tests.seeding import Seeds

pytestmark = pytest.mark.usefixtures("database_kind")

CLOSE = 0.020
"""Seconds."""
EACH = 5
"""Calls of each kind."""


@frozen
class CalleeKind:
    """A kind of callee, and what its records tell."""

    callee: str
    told: Mapping[str, Any]


REFUSED = {"hung_up_by": "callee", "answered_at": None}
BUSY = {"disposition": "BUSY", "cause": "USER_BUSY", "q850": 17, "sip_status": 486, **REFUSED}
ANSWERED = {"disposition": "ANSWERED", "cause": "NORMAL_CLEARING", "q850": 16}
KINDS = {
    "0": CalleeKind("busy", BUSY),
    "1": CalleeKind("busy_ringing:ring=0.2-0.4", BUSY),
    "2": CalleeKind(
        "no_answer", {"disposition": "NO_ANSWER", "cause": "NO_ANSWER", "hung_up_by": "caller", "answered_at": None}
    ),
    "3": CalleeKind(
        "rejected", {"disposition": "REJECTED", "cause": "CALL_REJECTED", "q850": 21, "sip_status": 603, **REFUSED}
    ),
    "4": CalleeKind("invalid", {"disposition": "INVALID_NUMBER", "cause": "UNALLOCATED_NUMBER", "q850": 1, **REFUSED}),
    "5": CalleeKind(
        "answers:ring=0.1-0.3,talk=0.2-0.4", {**ANSWERED, "sip_status": 200, "hung_up_by": "callee", "ended_by": "recv_bye"}
    ),
    "6": CalleeKind("answers:ring=0.1-0.3,talk=60", {**ANSWERED, "hung_up_by": "caller", "ended_by": "send_bye"}),
    "7": CalleeKind("early_media:ring=0.1-0.3,talk=0.2-0.4", {**ANSWERED, "hung_up_by": "callee"}),
}
"""By the last digit of the number. What is played lasts a second."""


async def play(here: Here) -> list[dict[str, Any]]:
    """The records of a campaign that is over."""
    service = here.host.service
    seeds = Seeds(service.database, utc_now())
    await seeds.user(username="ann")
    await seeds.gateway(name="carrier", dial_string="sofia/gateway/carrier/{number}")
    await seeds.voip_app(name="hello", type=VoipAppType.PLAY_AUDIO, data="tone_stream://%(1000,0,440)")
    await seeds.campaign(name="spring", frequency=6000, max_retry=0, call_timeout=3, caller_id="15550100", caller_name="Ana")
    numbers = [f"1555{index:04}{kind}" for index in range(EACH) for kind in KINDS]
    await seeds.add(1, [Contact(number=number) for number in numbers])
    while not (await seeds.progress()).finished:
        await deferLater(here.host.reactor, 0.05)
    found = [step async for step in call_records.steps(here.host.management, ADMINISTRATOR, RecordFilter())]
    return [as_object(record) for step in found for record in step.records]


def seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


@pytest_twisted.ensureDeferred
async def test_a_record_is_what_the_called_side_saw(tmp_path: Any) -> None:
    callees = [f"*{digit}={kind.callee}" for digit, kind in KINDS.items()]
    settings = config(simulator={"callees": callees, "calls_per_second": 200.0})
    async with running(tmp_path, settings) as here:
        records = await play(here)
        seen = {call.call_uuid: call for call in here.host.simulator.oracle.calls}
    assert len(records) == len(seen) == EACH * len(KINDS)
    assert sum(record["sent_at"] is not None for record in records) > len(records) / 2
    for record in records:
        call, kind = seen[record["attempt_id"]], KINDS[record["number"][-1]]
        assert {name: record[name] for name in kind.told} == kind.told, (call, record)
        assert (record["number"], record["cause"]) == (call.number, call.cause)
        assert record["hung_up_by"] == {"callee": "callee", "switch": "caller"}[call.ended_by]
        assert (record["caller_id"], record["caller_name"], record["gateway"]) == ("15550100", "Ana", "carrier")
        for name in ("rang_at", "answered_at", "ended_at"):
            told, saw = seconds(record[name]), getattr(call, name)
            assert (told is None) == (saw is None), (name, record, call)
            assert told is None or abs(told - saw) <= CLOSE, (name, told - saw, record)
        # A call may be over before the answer to its originate is read.
        if record["sent_at"] is not None:
            assert seconds(record["planned_at"]) <= seconds(record["sent_at"])
            assert abs(seconds(record["sent_at"]) - call.invited_at) < 1.0
        if call.rang_at is not None:
            until = call.ended_at if call.answered_at is None else call.answered_at
            assert abs(record["ring_ms"] / 1000 - (until - call.rang_at)) <= CLOSE
        if call.answered_at is not None:
            assert abs(record["talk_ms"] / 1000 - (call.ended_at - call.answered_at)) <= CLOSE
