"""A connection to a database as the store's statements see it, the same on SQLite and on PostgreSQL.

Statements are written once, with `?` for a parameter, in the SQL that both understand. Where they need words of their own, a
`Variants` holds both texts and `of` picks one. Times and flags travel as in SQLite: text and 0 or 1.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

from attrs import frozen

Row = tuple[Any, ...]
Parameters = Sequence[object]


class Dialect(enum.StrEnum):
    """The kinds of database; the values name the files of the schema."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Cursor(Protocol):
    """The rows of a statement, and how many it changed."""

    @property
    def rowcount(self) -> int:
        """Rows that an INSERT, UPDATE or DELETE changed."""
        ...

    def fetchone(self) -> Any:
        """The next row; None after the last."""
        ...

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """The database as a function of the store gets it, inside a transaction."""

    dialect: ClassVar[Dialect]

    @property
    def total_changes(self) -> int:
        """Grows with each statement that writes."""
        ...

    def execute(self, statement: str, parameters: Parameters = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, statement: str, rows: Sequence[Parameters], /) -> object:
        """Run one statement for each row."""
        ...


class SqliteConnection(sqlite3.Connection):
    """SQLite's own, told apart."""

    dialect: ClassVar[Dialect] = Dialect.SQLITE


@frozen(kw_only=True)
class Variants:
    """A statement that reads differently on each kind of database."""

    sqlite: str
    postgresql: str

    def of(self, connection: Connection) -> str:
        """The text for that database."""
        return self.sqlite if connection.dialect is Dialect.SQLITE else self.postgresql

    def within(self, statement: str) -> Variants:
        """A statement around it: it takes the place of the `%s`."""
        return Variants(sqlite=statement.replace("%s", self.sqlite), postgresql=statement.replace("%s", self.postgresql))


LISTED = Variants(
    sqlite="json_each(?) j",
    postgresql="jsonb_array_elements_text(?::jsonb) WITH ORDINALITY AS j (value, key)",
)
"""The texts of a JSON list as rows `j.value`, in the order of `j.key`. Parameter: the list."""

PAIRS = Variants(
    sqlite="(SELECT e.key AS key, json_extract(e.value, '$[0]') AS number, json_extract(e.value, '$[1]') AS identity "
    "FROM json_each(?) e) j",
    postgresql="(SELECT e.key AS key, e.value->>0 AS number, e.value->>1 AS identity "
    "FROM jsonb_array_elements(?::jsonb) WITH ORDINALITY AS e (value, key)) j",
)
"""A JSON list of pairs as rows `j.number`, `j.identity`, in the order of `j.key`. Parameter: the list."""

MOMENT = Variants(sqlite="?", postgresql="coalesce(clock_timestamp() AT TIME ZONE 'UTC', ?)")
"""This moment by the clock of the database, where it has one of its own. Parameter: this moment by the process's clock."""
