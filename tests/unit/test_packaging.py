"""What is shipped: every package of the tree is in the distribution."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def listed() -> set[str]:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return set(settings["options"]["packages"].split())


def test_every_package_is_listed_for_installation() -> None:
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for top in ("dialer", "api")
        for init in (ROOT / top).rglob("__init__.py")
    }
    assert found <= listed()
