"""Calls whose dialer was killed: call detail records tell how they ended.

What these tests need is told in `tests/real/stage.py`.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.harness.judge import Evidence
from tests.real.campaign import Rules
from tests.real.stage import Stage, needs

pytestmark = [needs("CALLEES"), pytest.mark.timeout(300)]

CAUSES = {
    "0": "USER_BUSY",
    "1": "USER_BUSY",
    "2": "NO_ANSWER",
    "3": "CALL_REJECTED",
    "4": "UNALLOCATED_NUMBER",
    **dict.fromkeys("56789", "NORMAL_CLEARING"),
}
"""How a call ends by the last digit of its number."""


def spooled(folder: Path, account_code: str, since: float) -> list[Path]:
    """What nobody took, since then, of the records of an installation's calls."""
    new = [path for path in folder.rglob("*.cdr.json") if path.stat().st_mtime >= since]
    return [path for path in new if account_code in path.read_text()]


@needs("CALLEES", "RECORDS")
def test_records_that_were_spooled_while_no_dialer_ran_tell_how_its_calls_ended(url: str, tmp_path: Path) -> None:
    address, port, password, folder = os.environ["DIALER_FREESWITCH_RECORDS"].split(":", 3)
    began = time.time() - 1.0  # a file's time may be the one of the clock's last tick
    with Stage(tmp_path, url, rules=Rules(contacts=20)) as stage:
        node = stage.node(
            outbound={"wait_for_dialer": 5}, records={"endpoint": f"tcp:{port}:interface={address}", "password": password}
        )
        node.start()
        stage.until(lambda: len(stage.callees.calls()) == stage.rules.contacts, 20.0, "not everybody is called")
        node.kill()
        interrupted = {attempt.uuid: attempt for attempt in stage.campaign.attempts() if attempt.ended_at is None}
        stage.until(lambda: _all_ended(stage.evidence()), 30.0, "calls do not end")
        code = stage.campaign.account_code
        stage.until(lambda: len(spooled(Path(folder), code, began)) >= len(interrupted), 10.0, "records are missing")
        brought = tmp_path / "records"
        brought.mkdir()
        for path in spooled(Path(folder), code, began):
            shutil.copy(path, brought)
        imported = node.command("cdr", "import", brought)
        assert imported.returncode == 0, imported.stderr
        ended = {attempt.uuid: attempt for attempt in stage.campaign.attempts()}
        assert {uuid: ended[uuid].cause for uuid in interrupted} == {
            uuid: CAUSES[attempt.number[-1]] for uuid, attempt in interrupted.items()
        }
        assert len(interrupted) >= 5
        node.start()
        assert stage.settle() == []
        assert len(spooled(Path(folder), code, began)) == len(interrupted), "records were spooled although somebody takes them"


def _all_ended(evidence: Evidence) -> bool:
    return all(call.ended_at is not None for call in evidence.calls)
