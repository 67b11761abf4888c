"""`kill -9` of dialers and of FreeSWITCH during a campaign on a real FreeSWITCH; what SIPp's callees saw is the judge.

What these tests need is told in `tests/real/stage.py`. Their figures are logged: `--log-cli-level=info`.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.real.stage import KNOWN_WITHIN, RESUMED_WITHIN, Stage, needs

pytestmark = [needs("CALLEES"), pytest.mark.timeout(600)]

KILLS = 6

log = logging.getLogger(__name__)


def settled(stage: Stage) -> None:
    """Let the campaign come to its end; nothing may be broken."""
    broken = stage.settle()
    log.info("%s", stage.figures())
    assert broken == [], "\n".join(map(str, broken))


def test_a_dialer_that_is_killed_again_and_again_calls_nobody_twice_and_loses_nobody(url: str, tmp_path: Path) -> None:
    with Stage(tmp_path, url) as stage:
        node = stage.node()
        node.start()
        for _ in range(KILLS):
            if stage.rng.random() < 0.3:
                stage.wait(0.3, 1.2)  # while it starts, or takes over
            else:
                stage.until_ready(node)
                stage.wait(0.1, 2.0)
            node.kill()
            stage.wait(0.0, 0.5)
            node.start()
        settled(stage)
        recoveries = list(stage.recoveries(node))
        assert max(one.adopted for one in recoveries if one.adopted is not None) <= KNOWN_WITHIN
        assert max(one.resumed for one in recoveries if one.resumed is not None) <= RESUMED_WITHIN


@needs("PID_FILE", "RESTART")
def test_a_freeswitch_that_is_killed_leaves_nobody_called_twice_or_lost(url: str, tmp_path: Path) -> None:
    with Stage(tmp_path, url) as stage:
        node = stage.node()
        node.start()
        for _ in range(2):
            stage.until_ready(node)
            stage.until_calling(node)
            stage.wait(1.0, 3.0)
            stage.switch.kill()
            stage.wait(0.0, 1.0)
            stage.switch.start()
        settled(stage)


@needs("PID_FILE", "RESTART")
def test_a_dialer_that_dies_with_its_freeswitch_finds_the_next_one(url: str, tmp_path: Path) -> None:
    with Stage(tmp_path, url) as stage:
        node = stage.node()
        node.start()
        stage.until_calling(node)
        stage.wait(1.0, 2.0)
        stage.switch.kill()
        stage.wait(0.0, 0.3)
        node.kill()
        stage.switch.start()
        node.start()
        settled(stage)


def test_two_dialers_are_restarted_in_turn_and_no_call_is_lost_or_doubled(shared: str, tmp_path: Path) -> None:
    with Stage(tmp_path, shared) as stage:
        nodes = [stage.node("a"), stage.node("b")]
        for node in nodes:
            node.start()
        for _ in range(2):
            for node in nodes:
                stage.until_ready(*nodes)
                stage.wait(0.5, 1.5)
                assert node.stop() == 0
                node.start()
        stage.until_ready(*nodes)  # a process that is still starting is ended by the signal itself
        settled(stage)
