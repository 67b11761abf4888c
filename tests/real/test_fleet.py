"""One dialer on two FreeSWITCH servers, one of which is killed; what SIPp's callees saw is the judge.

Beside what `tests/real/stage.py` tells of, DIALER_FREESWITCH_OTHER=host:port:password is the Event Socket of another
FreeSWITCH on this machine, in which calls to the same callees can be made.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from pathlib import Path

import pytest

from dialer.settings_file import toml
from tests.grounds import rows
from tests.harness.node import CONFIG, Node
from tests.real.stage import Stage, needs

pytestmark = [needs("CALLEES", "OTHER", "PID_FILE", "RESTART"), pytest.mark.timeout(600)]

log = logging.getLogger(__name__)


def with_other_switch(node: Node) -> Node:
    """Let the dialer have the other FreeSWITCH, too."""
    host, port, password = os.environ["DIALER_FREESWITCH_OTHER"].split(":")
    config = node.folder / CONFIG
    settings = {"name": "other", "host": host, "port": int(port), "password": password}
    section = "".join(f"{name} = {toml(value)}\n" for name, value in settings.items())
    config.write_text(f"{config.read_text()}\n[[switch]]\n{section}")
    return node


def by_switch(stage: Stage) -> Counter[tuple[str, str]]:
    return Counter({(name, cause): count for name, cause, count in rows(
        stage.url, "SELECT switch, cause, count(*) FROM attempt GROUP BY switch, cause"
    )})  # fmt: skip


def test_the_calls_of_one_freeswitch_go_on_when_the_other_is_killed(url: str, tmp_path: Path) -> None:
    with Stage(tmp_path, url) as stage:
        node = with_other_switch(stage.node())
        node.start()
        stage.until_ready(node)
        for _ in range(2):
            stage.until_calling(node)
            stage.wait(2.0, 3.0)
            stage.switch.kill()
            stage.wait(1.0, 2.0)
            stage.switch.start()
        broken = stage.settle()
        found = by_switch(stage)
        log.info("%s %s", stage.figures(), dict(found))
        assert broken == [], "\n".join(map(str, broken))
        assert {name for name, _ in found} == {"real", "other"}
        assert not {cause for name, cause in found if name == "other"} & {"UNKNOWN", "LOST_SWITCH"}
