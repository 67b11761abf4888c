"""Databases to play on. A test is written against `Ground`, and runs on each of them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import psycopg2
from attrs import define, field

from dialer.store.location import sqlite_url
from tests.postgresql import Server

LEASE = 5
"""Seconds for which a node that is not heard of is left alone: more than a busy machine lets it wait for a processor."""


class Ground(Protocol):
    """A database, empty at first."""

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


@define(eq=False)
class Sqlite:
    """A file in `folder`."""

    folder: Path

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> Iterator[Ground]:
        """One in a folder."""
        yield cls(folder)

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "dialer.db"

    @property
    def url(self) -> str:
        """Its URL in the configuration."""
        return sqlite_url(self.path)

    def sections(self, node: str) -> Mapping[str, Mapping[str, object]]:
        """Only the file: it has one node."""
        return {"database": {"url": self.url}}

    def rows(self, statement: str) -> list[Any]:
        """Read over a connection of its own, which cannot write."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(statement).fetchall()


@define(eq=False)
class Postgresql:
    """A database on a server of its own, which may be killed."""

    server: Server
    url: str
    _connection: Any = field(default=None, init=False)

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> Iterator[Ground]:
        """One on a new server."""
        with Server.running() as server:
            ground = cls(server, server.new_database())
            yield ground
            ground.disconnect()

    def sections(self, node: str) -> Mapping[str, Mapping[str, object]]:
        """The database, and a node that is soon given up when nothing is heard of it."""
        return {"database": {"url": self.url}, "node": {"name": node, "lease": LEASE}}

    def rows(self, statement: str) -> list[Any]:
        """Read over a connection that stays open."""
        if self._connection is None:
            self._connection = psycopg2.connect(self.url)
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def restart(self, pause: float) -> None:
        """Kill the server with all its processes, and start it again after `pause` seconds."""
        self.disconnect()
        self.server.kill()
        time.sleep(pause)
        self.server.start()

    def disconnect(self) -> None:
        """Close the connection of `rows`, which opens another one when it is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


GROUNDS: Final[Mapping[str, Callable[[Path], AbstractContextManager[Ground]]]] = MappingProxyType(
    {"sqlite": Sqlite.made, "postgresql": Postgresql.made}
)
"""Every kind of database, made for a folder."""
