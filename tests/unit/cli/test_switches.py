"""`dialer switch`: switches on which no calls are begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.grounds import rows, script
from tests.unit.cli.support import Commands

T = "2026-11-23 10:00:00.000000"
FAR = "2999-01-01 00:00:00.000000"


@pytest.fixture
def connected(tmp_path: Path, capsys: pytest.CaptureFixture[str], database_kind: str) -> Commands:
    """A node that is connected to `fs1`, and was to `fs2`."""
    commands = Commands(tmp_path, capsys)
    commands.furnish()
    script(
        commands.url,
        "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits, "
        f"figures) VALUES ('one', 1, 'h', 1, '1', '{{\"fs1\": \"c\", \"fs2\": \"\"}}', 1, '{T}', '{T}', '{FAR}', 0, '{{}}');",
    )
    return commands


def test_a_switch_is_drained_and_resumed(connected: Commands) -> None:
    out = connected.good("switch", "drain", "fs1").out
    assert out.startswith("switch fs1 is drained by ")
    assert " at the command line since 20" in out
    listed = {each["name"]: each for each in connected.good("switch", "list", "--json").json}
    assert [*listed] == ["fs1", "fs2"]
    assert listed["fs1"]["drained_by"].endswith(" at the command line")
    assert (listed["fs2"]["drained_by"], listed["fs2"]["drained_at"]) == ("", None)
    assert "at the command line" in connected.good("switch", "list").out
    assert connected.good("switch", "drain", "fs1", "--json").json == listed["fs1"], "it stays as it is"
    assert connected.good("switch", "resume", "fs1").out == "switch fs1: calls are begun on it\n"
    assert rows(connected.url, "SELECT count(*) FROM switch_drain") == [(0,)]
    connected.good("switch", "resume", "fs1")


def test_a_switch_that_nobody_knows_is_not_drained(connected: Commands) -> None:
    for action in ("drain", "resume"):
        assert connected.failed("switch", action, "fs") == "there is no switch fs"
    assert rows(connected.url, "SELECT count(*) FROM switch_drain") == [(0,)]
