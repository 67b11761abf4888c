"""`dialer hooks check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialer.cli.main import main

CONFIG = '[database]\nurl = "sqlite:///dialer.db"\n[simulator]\n[hooks]\napps = ["tests.hooked:Waits"]\n'


def check(*words: object) -> int:
    return main(["hooks", "check", *map(str, words)])


def test_an_app_is_told_with_its_marks_and_its_events(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("tests.hooked:Registered") == 0
    assert capsys.readouterr().out.splitlines() == [
        "tests.hooked:Registered: marks: 2",
        "    CHANNEL_CREATE: on_create (coroutine)",
        "    CHANNEL_PARK: on_park (callback)",
        "  subscribed to beside the dialer's own events: CHANNEL_CREATE, CHANNEL_PARK, PLAYBACK_STOP",
    ]


def test_those_of_the_configuration_are_checked_when_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "dialer.toml"
    file.write_text(CONFIG)
    assert check("-c", file, "--json") == 0
    (app,) = json.loads(capsys.readouterr().out)["apps"]
    assert (app["app"], app["error"], app["missing"]) == ("tests.hooked:Waits", "", [])
    assert app["subclasses"] == ["conference::maintenance"]
    assert app["events"] == ["CHANNEL_DESTROY", "CHANNEL_HANGUP", "DTMF", "PLAYBACK_STOP"]
    assert {"event": "DTMF", "kind": "callback", "method": "on_event"} in app["marks"]
    file.write_text(CONFIG.replace('"tests.hooked:Waits"', ""))
    assert check("-c", file) == 0
    assert capsys.readouterr().out == "no app is configured (hooks.apps)\n"


def test_one_that_cannot_be_loaded_is_told_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("tests.hooked:Unmarked", "tests.hooked:Raises") == 1
    out = capsys.readouterr().out
    reason = "has no marked method; expected one such as @event_callback('CHANNEL_ANSWER')"
    assert f"tests.hooked:Unmarked: cannot be loaded: {reason}\n" in out
    assert "tests.hooked:Raises: marks: 3" in out


def test_the_parts_that_a_dialer_does_not_have_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("tests.hooked:Uses", "--json") == 1
    (app,) = json.loads(capsys.readouterr().out)["apps"]
    assert sorted(app["missing"]) == [
        "helper uses sess.dance: it is not there",
        "on_event uses leg.clear_tasks: would remove the time limit of the call",
        "on_event uses leg.teleport: it is not there",
        "prepost asks for slaves: it is not there",
        "prepost uses client.hupall: a dialer's calls are those of its campaigns",
        "prepost uses client.originate: a dialer's calls are those of its campaigns",
    ]


def test_a_wrong_configuration_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "dialer.toml"
    file.write_text(CONFIG.replace("apps =", "app ="))
    assert check("-c", file) == 2
    assert "hooks.app is not a setting" in capsys.readouterr().err
