"""Calls whose dialer was killed: an answered one goes on or ends politely, and call detail records tell how the others ended.

What these tests need is told in `tests/real/stage.py`.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import define

from tests.harness.called_side import SeenCall
from tests.harness.campaign import StoredAttempt
from tests.harness.judge import Evidence
from tests.harness.node import START
from tests.real.campaign import Rules
from tests.real.stage import Stage, needs
from tests.real.switch import EventSocket, until_event

pytestmark = [needs("CALLEES"), pytest.mark.timeout(300)]

ONE_WHO_STAYS = Rules(contacts=1, digits="8", message=3.0)
MESSAGE = "tone_stream://%(3000,0,440)"
APOLOGY = "tone_stream://%(330,30,950)"
"""How the tones begin that the dialplan plays when no dialer has taken a call back."""
HEARD = 1.0
"""Seconds of the message before the dialer is killed."""
PAUSE = 5.0
"""Seconds for which the dialplan waits for another dialer."""

CAUSES = {
    "0": "USER_BUSY",
    "1": "USER_BUSY",
    "2": "NO_ANSWER",
    "3": "CALL_REJECTED",
    "4": "UNALLOCATED_NUMBER",
    **dict.fromkeys("56789", "NORMAL_CLEARING"),
}
"""How a call ends by the last digit of its number."""


@define(eq=False)
class Interrupted:
    """Somebody who stays on the line has heard the first second of a message when the dialer was killed. `peer` hears what is
    executed."""

    stage: Stage
    peer: EventSocket

    def played(self, seconds: float) -> str:
        """What is played to the callee next."""
        wanted = {"Event_Name": "CHANNEL_EXECUTE", "Application": "playback", "Unique_ID": self.attempt.uuid}
        return until_event(self.peer, seconds, **wanted)["Application-Data"]

    @property
    def attempt(self) -> StoredAttempt:
        """The only one."""
        (attempt,) = self.stage.campaign.attempts()
        return attempt

    @property
    def call(self) -> SeenCall:
        """The only one."""
        (call,) = self.stage.callees.calls()
        return call

    def lasted(self) -> float:
        """Seconds from the answer to the end."""
        assert self.call.answered_at is not None
        assert self.call.ended_at is not None
        return self.call.ended_at - self.call.answered_at


@pytest.fixture
def interrupted(url: str, tmp_path: Path) -> Iterator[Interrupted]:
    """A call whose dialer was killed in the middle of a message."""
    with Stage(tmp_path, url, rules=ONE_WHO_STAYS) as stage, closing(stage.switch.listen("CHANNEL_EXECUTE")) as peer:
        node = stage.node()
        node.start()
        stage.until(lambda: bool(stage.campaign.attempts()), START, "nobody is called")
        found = Interrupted(stage, peer)
        assert found.played(10.0) == MESSAGE
        time.sleep(HEARD)
        node.kill()
        yield found


def test_a_message_that_was_interrupted_is_played_again_by_the_next_process(interrupted: Interrupted) -> None:
    interrupted.stage.nodes[0].start()
    assert interrupted.played(PAUSE + 5.0) == MESSAGE
    assert interrupted.stage.settle() == []
    least = HEARD + PAUSE + ONE_WHO_STAYS.message
    assert least <= interrupted.lasted() <= least + 2.0
    assert (interrupted.attempt.disposition, interrupted.attempt.cause) == ("ANSWERED", "NORMAL_CLEARING")


def test_a_callee_whose_dialer_does_not_come_back_hears_tones_and_is_not_called_again(interrupted: Interrupted) -> None:
    stage = interrupted.stage
    assert interrupted.played(PAUSE + 5.0).startswith(APOLOGY)
    stage.until(lambda: interrupted.call.ended_at is not None, 10.0, "the call does not end")
    stage.nodes[0].start()
    assert stage.settle() == []
    assert HEARD + PAUSE <= interrupted.lasted() <= HEARD + PAUSE + 3.0
    assert interrupted.attempt.disposition == "ANSWERED"


# --- call detail records --------------------------------------------------------------------------------------------------


def spooled(folder: Path, account_code: str, since: float) -> list[Path]:
    """What nobody took, since then, of the records of an installation's calls."""
    new = [path for path in folder.rglob("*.cdr.json") if path.stat().st_mtime >= since]
    return [path for path in new if account_code in path.read_text()]


@needs("CALLEES", "RECORDS")
def test_records_that_were_spooled_while_no_dialer_ran_tell_how_its_calls_ended(url: str, tmp_path: Path) -> None:
    address, port, password, folder = os.environ["DIALER_FREESWITCH_RECORDS"].split(":", 3)
    began = time.time() - 1.0  # a file's time may be the one of the clock's last tick
    with Stage(tmp_path, url, rules=Rules(contacts=20)) as stage:
        node = stage.node(records={"endpoint": f"tcp:{port}:interface={address}", "password": password})
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
