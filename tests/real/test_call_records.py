"""The record of a call is what its callee saw: cause and times, on a real FreeSWITCH, by SIPp's log.

What these tests need is told in `tests/real/stage.py`. SIPp's log has microseconds; FreeSWITCH's clock moves in steps of
20 ms.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.harness.called_side import SeenCall
from tests.real.campaign import Rules
from tests.real.stage import Stage, needs

pytestmark = [needs("CALLEES"), pytest.mark.timeout(300)]

CALLS = 100
STEP = 0.020
"""Seconds between two moments of FreeSWITCH's clock."""
USUAL, WORST = 0.020, 0.020 + STEP + 0.020
"""Seconds between a record and its callee's log: of nine calls in ten; and of each, on a machine that does other work, too."""

log = logging.getLogger(__name__)

REFUSED: Mapping[str, Any] = {"ended_by": "recv_refuse", "hung_up_by": "callee"}
ANSWERED: Mapping[str, Any] = {"disposition": "ANSWERED", "cause": "NORMAL_CLEARING", "q850": 16}
BUSY = {"disposition": "BUSY", "cause": "USER_BUSY", "q850": 17, "sip_status": 486, **REFUSED}
PLAYED = {**ANSWERED, "ended_by": "send_bye", "hung_up_by": "caller"}
EXPECTED: Mapping[str, Mapping[str, Any]] = {
    "0": BUSY,
    "1": BUSY,
    "2": {"disposition": "NO_ANSWER", "cause": "NO_ANSWER", "ended_by": "send_cancel", "hung_up_by": "caller"},
    "3": {"disposition": "REJECTED", "cause": "CALL_REJECTED", "q850": 21, "sip_status": 603, **REFUSED},
    "4": {"disposition": "INVALID_NUMBER", "cause": "UNALLOCATED_NUMBER", "q850": 1, "sip_status": 404, **REFUSED},
    "5": {**ANSWERED, "sip_status": 200, "ended_by": "recv_bye", "hung_up_by": "callee"},
    **dict.fromkeys("6789", PLAYED),
}  # fmt: skip
"""By the last digit of the number: what `callees.xml` makes of the call."""


def moment(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def differences(record: Mapping[str, Any], seen: SeenCall) -> dict[str, float]:
    """Seconds by which the record's moments are behind those of the callee; both have the same ones."""
    found = {}
    for name in ("rang_at", "answered_at", "ended_at"):
        told, saw = moment(record[name]), getattr(seen, name)
        assert (told is None) == (saw is None), (name, record, seen)
        if told is not None:
            found[name] = told - saw
    return found


def test_a_record_is_what_its_callee_saw(url: str, tmp_path: Path) -> None:
    rules = Rules(contacts=CALLS, max_retry=0, frequency=600, call_timeout=3)
    with Stage(tmp_path, url, rules) as stage:
        node = stage.node()
        node.start()
        assert stage.settle() == []
        seen = {call.number: call for call in stage.callees.calls()}
        records = [json.loads(line) for line in node.command("cdr", "export", "--json").stdout.splitlines()]
    assert len(records) == len(seen) == CALLS
    behind: list[float] = []
    for record in records:
        call, expected = seen[record["number"]], EXPECTED[record["number"][-1]]
        assert {name: record[name] for name in expected} == expected, record
        assert moment(record["planned_at"]) <= moment(record["sent_at"])
        assert abs(moment(record["sent_at"]) - call.invited_at) < 0.25, record
        apart = differences(record, call)
        assert max(map(abs, apart.values())) <= WORST, (apart, record)
        behind += apart.values()
        if call.answered_at is not None:
            assert abs(record["talk_ms"] / 1000 - (call.ended_at - call.answered_at)) <= WORST, record
    usual = sorted(map(abs, behind))[len(behind) * 9 // 10]
    log.info("%s", {"moments": len(behind), "nine of ten": usual, "worst": max(map(abs, behind))})
    assert usual <= USUAL
