"""The example of docs/hooks.md is run as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dialer.marks.app import load
from dialer.marks.requests import _FUNCTIONS, _READERS
from dialer.marks.surface import missing
from dialer.model.flow import Transfer
from tests.unit.marks.test_switchio_apps import ALL
from tests.unit.marks.world import CALL, LEG, World

PAGE = (Path(__file__).parents[3] / "docs" / "hooks.md").read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    found = re.search(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    (tmp_path / "example_of_hooks.py").write_text(found[1])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "example_of_hooks", raising=False)
    return "example_of_hooks:Agents"


def test_the_example_connects_those_who_press_1(example: str, world: Callable[..., World]) -> None:
    assert missing(load(example)) == []
    here = world(example)
    here.event("CHANNEL_ANSWER", Caller_Destination_Number="15551234")
    here.event("DTMF", DTMF_Digit="5")
    here.event("DTMF", DTMF_Digit="1")
    here.event("DTMF", DTMF_Digit="1")
    here.reactor.until(lambda: len(here.calls.done) == 2)
    agent = Transfer(dial_string="sofia/gateway/carrier/2000", timeout=60)
    assert here.calls.done == [("uuid_break", CALL), (CALL, "aleg", agent)]
    here.event("CHANNEL_BRIDGE", Bridge_B_Unique_ID=LEG)
    here.reactor.until(lambda: not here.worker._tasks)
    assert here.app.asked == {CALL: "15551234"}
    assert here.worker.figures.failures == 0


def test_the_page_names_every_app_of_switchio_and_every_command() -> None:
    for app in ALL:
        module, _, name = app.partition(":")
        assert f"{module}:{name}" in PAGE, app
    spelt: dict[str, Any] = {"avmd": "start_amd", "sched_hangup": "sched_hangup", "uuid_setvar_multi": "setvars"}
    spelt |= {"uuid_answer": "answer", "uuid_audio": "mute", "uuid_break": "breakmedia", "uuid_getvar": "getvar"}
    spelt |= {"uuid_kill": "hangup", "uuid_media": "bypass_media", "uuid_park": "park", "uuid_record": "record"}
    spelt |= {"uuid_send_dtmf": "send_dtmf", "uuid_deflect": "deflect"}
    for function in {*_FUNCTIONS, *_READERS}:
        assert f"`{spelt.get(function, function)}`" in PAGE, function
