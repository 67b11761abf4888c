"""Where the database is: the URL that an admin writes, and the file that it names.

In `sqlite:///PATH` everything after the third slash is the path, as it stands: spaces and percent signs mean themselves, and
an absolute path brings a fourth slash.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from dialer.errors import BadValue, StoreError

_PREFIX = "sqlite:///"
MINIMUM_SQLITE = (3, 35, 0)
"""The first SQLite with RETURNING."""


def sqlite_path(url: str) -> Path:
    """The absolute path in a URL. Raises `BadValue`, also for a relative path: `absolute_url` resolves those."""
    path = _path(url)
    if not path.is_absolute():
        raise BadValue("database", f"expected an absolute path, as in {_PREFIX}/var/lib/dialer/dialer.db, got {url!r}")
    return path


def absolute_url(url: str, folder: Path) -> str:
    """The URL with a relative path counted from `folder`. Raises `BadValue`."""
    return sqlite_url(folder / _path(url))


def sqlite_url(path: Path) -> str:
    """The URL of a file; a relative path counts from the working directory."""
    return f"{_PREFIX}{path.absolute()}"


def _path(url: str) -> Path:
    text = url.removeprefix(_PREFIX)
    if text == url or not text.strip("/") or "\0" in text:
        raise BadValue("database", f"expected {_PREFIX}PATH, got {url!r}")
    return Path("/" + text.lstrip("/")) if text.startswith("/") else Path(text)


def check_driver(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse a SQLite that lacks what the statements need. Raises `StoreError`."""
    if version < MINIMUM_SQLITE:
        have = ".".join(map(str, version))
        raise StoreError(f"this Python has SQLite {have}, and the dialer needs 3.35.0 or newer: use a newer Python or SQLite")
