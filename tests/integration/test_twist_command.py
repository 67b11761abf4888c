"""`twist dialer`: the plugin, as it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def twist(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "twisted", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_twist_lists_the_dialer(tmp_path: Path) -> None:
    listed = twist("--help", cwd=tmp_path)
    assert "An outbound dialer for FreeSWITCH." in listed.stdout


def test_a_configuration_that_is_wrong_is_told_and_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "dialer.toml").write_text("[database]\nurl = 'sqlite:///x'\n[nonsense]\n", encoding="utf-8")
    done = twist("dialer", "--config", "dialer.toml", cwd=tmp_path)
    assert done.returncode != 0
    assert "nonsense" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "x").exists()
