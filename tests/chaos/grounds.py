"""Databases to play on. A test is written against `Ground`, and runs on each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from attrs import define

from dialer.store.location import sqlite_url


class Ground(Protocol):
    """A database, empty at first."""

    name: str
    most_nodes: int
    """How many dialers can share it."""

    @property
    def url(self) -> str:
        """What stands in the configuration."""
        ...

    def sections(self, node: str) -> Mapping[str, Mapping[str, object]]:
        """The sections of a node's configuration that depend on the database."""
        ...

    def rows(self, statement: str) -> list[Any]:
        """What another program sees in it. The statement is such as every database understands."""
        ...

    def restart(self) -> None:
        """Stop the server at once, and start it again."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


@define(eq=False)
class Sqlite:
    """A file in `folder`."""

    folder: Path
    name: str = "sqlite"
    most_nodes: int = 1

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "dialer.db"

    @property
    def url(self) -> str:
        """See `Ground`."""
        return sqlite_url(self.path)

    def sections(self, node: str) -> Mapping[str, Mapping[str, object]]:
        """See `Ground`."""
        return {"database": {"url": self.url}}

    def rows(self, statement: str) -> list[Any]:
        """See `Ground`."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(statement).fetchall()

    def restart(self) -> None:
        """There is no server."""
        raise NotImplementedError("SQLite has no server")

    def close(self) -> None:
        """Nothing is held."""


def seconds(moment: datetime | str | None) -> float | None:
    """A time as a database gives it, naive UTC, in seconds since 1970."""
    if moment is None:
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.replace(tzinfo=UTC).timestamp()


GROUNDS: Final[Mapping[str, Callable[[Path], Ground]]] = MappingProxyType({"sqlite": Sqlite})
"""Every kind of database, made in a folder."""
