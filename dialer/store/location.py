"""Where the database is: the URL that an admin writes, the file or the server that it names, and a connection to it.

In `sqlite:///PATH` everything after the third slash is the path, as it stands: spaces and percent signs mean themselves, and
an absolute path brings a fourth slash. `postgresql://...` is libpq's own form (PostgreSQL manual, "Connection URIs").
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from dialer.errors import BadValue, StoreError
from dialer.safe_files import UnsafeFile
from dialer.safe_paths import check_plain
from dialer.store.connection import Dialect, SqliteConnection

_PREFIX = "sqlite:///"
_POSTGRESQL = ("postgresql://", "postgres://")
_EXPECTED = f"expected {_PREFIX}PATH or {_POSTGRESQL[0]}USER:PASSWORD@HOST/DATABASE"
MINIMUM_SQLITE = (3, 35, 0)
"""The first SQLite with RETURNING."""

BUSY_SECONDS = 5.0
"""How long a statement waits for another program's lock."""


def dialect_of(url: str) -> Dialect:
    """Which kind of database a URL names. Raises `BadValue` for a URL that is none, never showing a password."""
    if url.startswith(_POSTGRESQL):
        _server(url)
        return Dialect.POSTGRESQL
    _path(url)
    return Dialect.SQLITE


def has_password(url: str) -> bool:
    """Whether a URL holds one. Raises `BadValue` as `dialect_of`."""
    return dialect_of(url) is Dialect.POSTGRESQL and bool({"password", "sslpassword"} & _server(url).keys())


def shown(url: str) -> str:
    """The name of the database in messages: the path of the file, or database and server, without a password."""
    if dialect_of(url) is Dialect.SQLITE:
        return str(_path(url))
    return shown_server(_server(url))


def shown_server(parts: dict[str, str]) -> str:
    """`NAME at HOST:PORT`, of libpq's parameters."""
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    return f"{parts.get('dbname') or parts.get('user', '')} at {host}:{parts.get('port') or '5432'}"


def sqlite_path(url: str) -> Path:
    """The absolute path in a URL. Raises `BadValue`, also for a relative path: `absolute_url` resolves those."""
    path = _path(url)
    if not path.is_absolute():
        raise BadValue("database", f"expected an absolute path, as in {_PREFIX}/var/lib/dialer/dialer.db, got {url!r}")
    return path


def absolute_url(url: str, folder: Path) -> str:
    """The URL with a relative path counted from `folder`; that of a server as it is. Raises `BadValue`."""
    return url if dialect_of(url) is Dialect.POSTGRESQL else sqlite_url(folder / _path(url))


def sqlite_url(path: Path) -> str:
    """The URL of a file; a relative path counts from the working directory."""
    return f"{_PREFIX}{path.absolute()}"


def _path(url: str) -> Path:
    text = url.removeprefix(_PREFIX)
    if text == url or not text.strip("/") or "\0" in text:
        raise BadValue("database", f"{_EXPECTED}, got {_without_password(url)!r}")
    return Path("/" + text.lstrip("/")) if text.startswith("/") else Path(text)


def _server(url: str) -> dict[str, str]:
    import psycopg2  # here: who keeps to SQLite does without it, and its 6 MB
    from psycopg2.extensions import parse_dsn

    try:
        parts: dict[str, str] = parse_dsn(url)
    except psycopg2.ProgrammingError:
        raise BadValue("database", f"{_EXPECTED}, got {_without_password(url)!r}") from None
    if not parts.get("dbname"):
        raise BadValue("database", f"{_EXPECTED}: the name of the database is missing in {_without_password(url)!r}")
    return parts


def _without_password(url: str) -> str:
    hidden = re.sub(r"\A((?:\w+:/*)?[^:@]*):.*@", r"\1:...@", url, flags=re.DOTALL)  # also where a slash is missing
    return re.sub(r"(password=)[^&]*", r"\1...", hidden)


def check_driver(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse a SQLite that lacks what the statements need. Raises `StoreError`."""
    if version < MINIMUM_SQLITE:
        have = ".".join(map(str, version))
        raise StoreError(f"this Python has SQLite {have}, and the dialer needs 3.35.0 or newer: use a newer Python or SQLite")


@contextmanager
def opened(url: str) -> Iterator[Any]:
    """A connection of one's own (`Connection`, with `commit` and `rollback`), outside a transaction on SQLite. Raises
    `StoreError` for a file that is not there, and what the driver raises."""
    if dialect_of(url) is Dialect.POSTGRESQL:
        from dialer.store.postgresql import connect

        with closing(connect(url, "dialer")) as server:
            yield server
        return
    check_driver()
    path = sqlite_path(url)
    check_file(path)
    if not path.exists():
        raise StoreError(
            f"there is no database at {path}: the path may be wrong ([database] url); `dialer init` makes a new one"
        )
    with closing(_connect(path)) as file:
        yield file


def check_file(path: Path) -> None:
    """Refuse a file that leads elsewhere, in a folder of somebody else, or that has a second name: SQLite opens it, and the
    files that it makes beside it, by their names. Raises `StoreError`."""
    try:
        check_plain(path, ("-wal", "-shm", "-journal"))
    except FileNotFoundError:
        return
    except UnsafeFile as error:
        raise StoreError(f"the database {error}") from None
    except OSError as error:
        raise StoreError(f"the database {path} cannot be opened: {error.strerror}") from None


def _connect(path: Path) -> SqliteConnection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, factory=SqliteConnection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
