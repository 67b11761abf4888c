"""Every text that the page shows, from one table, `language/en.toml`. To translate the page is to translate that."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final


def flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """The texts with their keys: that of a table, a dot, and that within it."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{key}.")
        else:
            yield before + key, str(value)


def _read(language: str) -> Mapping[str, str]:
    path = resources.files("api.page") / "language" / f"{language}.toml"
    return dict(flat(tomllib.loads(path.read_text(encoding="utf-8"))))


TEXTS: Final = _read("en")
"""By their keys."""
