"""Calls whose dialer was killed: call detail records tell how they ended, and marks on the switch which never began.

What these tests need is told in `tests/real/stage.py`.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dialer.esl.commands import EXECUTED_MARK, MARK_REALM
from tests.grounds import rows
from tests.harness.judge import Evidence
from tests.harness.network import Network
from tests.real.campaign import Rules
from tests.real.pinged_gateway import pinged_gateway
from tests.real.stage import Stage, needs
from tests.real.trunk import trunk

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


EXECUTED = 5
"""Originates that FreeSWITCH has at least executed when the dialer is killed."""


def killed_before_it_hears(stage: Stage, network: Network) -> Callable[[], None]:
    """A dialer that is killed when FreeSWITCH has refused its originates, and before it hears so; starts another one, and
    looks after everybody having been called once."""
    link = network.link(stage.switch.port, 0)
    rows(stage.url, "UPDATE campaign SET status = 2")
    node = stage.node(port=link.switch_port, gateway_interval=0.0)
    node.start()
    stage.until_ready(node)
    stage.until(link.is_open, 10.0, "the dialer does not connect")
    stage.wait(1.0, 1.5)
    link.mute()
    rows(stage.url, "UPDATE campaign SET status = 1")

    def executed() -> set[str]:
        uuids = [attempt.uuid for attempt in stage.campaign.attempts()]
        return {uuid for uuid in uuids if stage.switch.ask(f"hash select/{MARK_REALM}/{uuid}") == EXECUTED_MARK}

    stage.until(lambda: len(executed()) >= EXECUTED, 8.0, "the switch does not execute originates")
    node.kill()
    link.heal()
    refused = executed()

    def go_on() -> None:
        node.start()
        stage.until_finished()
        ends = {attempt.uuid: (attempt.cause, attempt.counts) for attempt in stage.campaign.attempts()}
        assert {ends[uuid] for uuid in refused} == {("NEVER_DIALLED", False)}
        assert {attempt.count_attempt for attempt in stage.campaign.contacts()} == {1}

    return go_on


@needs("CALLEES")
def test_a_dialer_that_dies_before_it_hears_that_its_gateway_is_down_charges_nobody(url: str, tmp_path: Path) -> None:
    rules = Rules(contacts=12, max_retry=0)
    with (
        trunk() as far,
        Stage(tmp_path, url, rules) as stage,
        pinged_gateway(stage, far) as gateway,
        Network() as network,
    ):
        gateway.take_down()
        rows(url, "UPDATE gateway SET dial_string = ?", gateway.dial_string)
        go_on = killed_before_it_hears(stage, network)
        assert far.numbers == []
        gateway.bring_up()
        go_on()
        assert sorted(far.numbers) == sorted(contact.number for contact in stage.campaign.contacts())


@needs("CALLEES")
def test_a_dialer_that_dies_before_it_hears_that_its_switch_takes_no_calls_charges_nobody(url: str, tmp_path: Path) -> None:
    rules = Rules(contacts=12, max_retry=0)
    with trunk() as far, Stage(tmp_path, url, rules) as stage, Network() as network:
        rows(url, "UPDATE gateway SET dial_string = ?", f"sofia/external/{{number}}@127.0.0.1:{far.port}")
        stage.switch.ask("fsctl pause outbound")
        try:
            go_on = killed_before_it_hears(stage, network)
        finally:
            stage.switch.ask("fsctl resume outbound")
        assert far.numbers == []
        go_on()
        assert sorted(far.numbers) == sorted(contact.number for contact in stage.campaign.contacts())


def _all_ended(evidence: Evidence) -> bool:
    return all(call.ended_at is not None for call in evidence.calls)
