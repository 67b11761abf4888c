"""The documentation holds together: what it links to is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer.cli.main import build_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md"), ROOT / "freeswitch_conf" / "README.md"]
)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_links_to_exists(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


_BLOCK = re.compile(r"^```(?:sh)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands_of(page: Path) -> Iterator[list[str]]:
    """The arguments of each `dialer ...` in the code blocks of a page, however it is called."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            for command in line.split(" && "):
                words = re.match(r"(?:\$ )?(?:sudo -u \S+ )?(?:\S*/)?dialer (?=[a-z-])(.*)", command.strip())
                if words:
                    yield shlex.split(words[1], comments=True)


EVERY_COMMAND = [(page, words) for page in PAGES for words in commands_of(page)]


def test_the_pages_show_commands() -> None:
    shown = {page.name for page, _ in EVERY_COMMAND}
    assert {"README.md", "operations.md", "freeswitch.md"} <= shown
    assert len(EVERY_COMMAND) > 20


@pytest.mark.parametrize(
    ("page", "words"), EVERY_COMMAND, ids=lambda part: part.name if isinstance(part, Path) else " ".join(part)
)
def test_every_command_of_a_page_is_accepted_as_it_stands(page: Path, words: list[str]) -> None:
    try:
        build_parser().parse_args(words)
    except SystemExit as ended:
        assert not ended.code, f"{page.name}: dialer {' '.join(words)}"


def test_nothing_is_installed_from_where_it_is_not() -> None:
    assert [page.name for page in PAGES if "pip install freeswitch-dialer" in page.read_text(encoding="utf-8")] == []


def test_the_dialer_has_one_spelling() -> None:
    assert [page.name for page in PAGES if "dialler" in page.read_text(encoding="utf-8").lower()] == []
