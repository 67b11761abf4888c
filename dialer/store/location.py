"""Where the database is: the URL that an admin writes, and the file that it names."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from dialer.errors import BadValue, StoreError

_SCHEME = "sqlite://"
MINIMUM_SQLITE = (3, 35, 0)
"""The first SQLite with RETURNING."""


def sqlite_path(url: str) -> Path:
    """The absolute path in `sqlite:///absolute/path` (`sqlite:////absolute/path` names the same). It is taken as it stands:
    spaces and percent signs mean themselves. Raises `BadValue`."""
    if not url.startswith(_SCHEME + "/"):
        raise BadValue("database", "expected sqlite:///absolute/path/to/file")
    path = Path("/" + url[len(_SCHEME) :].lstrip("/"))
    if path == Path("/") or "\0" in url:
        raise BadValue("database", "expected sqlite:///absolute/path/to/file")
    return path


def sqlite_url(path: Path) -> str:
    """The URL of a file; a relative path starts at the working directory."""
    return f"{_SCHEME}{path.absolute()}"


def check_driver(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse a SQLite that lacks what the statements need. Raises `StoreError`."""
    if version < MINIMUM_SQLITE:
        have = ".".join(map(str, version))
        raise StoreError(f"this Python has SQLite {have}, and the dialer needs 3.35.0 or newer: use a newer Python or SQLite")
