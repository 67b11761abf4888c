"""The commands of the pages about daily work run as they stand, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
TOLD = {"dnc check": 1}
"""Exit statuses that are an answer."""


def commands_of(section: str) -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8").partition(f"### {section}\n")[2]
    block = re.search(r"```sh\n(.*?)```", text.partition("\n### ")[0], re.DOTALL)
    assert block is not None, section
    return [shlex.split(line)[1:] for line in block[1].splitlines()]


@pytest.fixture
def installation(unfurnished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text("contact,first_name\n+15551230001,Ana\n")
    Path("numbers.txt").write_text("+15550000088\n")
    return unfurnished.furnish(_add_campaigns)


def _add_campaigns(commands):
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("gateway", "add", "carrier", "--hostname", "h")
    commands.good("voipapp", "add", "hello", "--type", "play-audio", "--data", "hello.wav")
    for name in ("spring", "autumn", "customers"):
        commands.good("campaign", "add", name, "--user", "ann", "--gateway", "carrier", "--voip-app", "hello")
    commands.good("contact", "import", "list.csv", "--phonebook", "spring")


@pytest.mark.parametrize("section", ["Daily work with campaigns", "Do not call"])
def test_every_command_of_a_section_runs(installation, section):
    shown = commands_of(section)
    assert len(shown) > 5
    for words in shown:
        ran = installation.run(*words)
        assert ran.status == TOLD.get(" ".join(words[:2]), 0), (words, ran)
