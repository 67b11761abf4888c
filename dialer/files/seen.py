"""Which numbers a file had already, and where: in a temporary table of SQLite, so that memory does not grow with the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from attrs import define, field

CACHE = 16 * 1024
"""KiB of the table that are held in memory."""


class Occurrence(NamedTuple):
    """A number in a file, as it stands there, and its line."""

    identity: str
    number: str
    line: int


@define(eq=False)
class Seen:
    """The numbers so far. For one thread at a time."""

    _connection: sqlite3.Connection = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE}"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE seen (identity TEXT PRIMARY KEY, number TEXT, line INTEGER) WITHOUT ROWID")

    def add(self, some: Sequence[Occurrence]) -> dict[int, Occurrence]:
        """Note these. Returns the first occurrence of each that was there before, or earlier among these, by its line."""
        if not some:
            return {}
        values = [value for each in some for value in each]
        new = {line for (line,) in self._connection.execute(_insert(len(some)), values)}
        return {each.line: self._first(each.identity) for each in some if each.line not in new}

    def close(self) -> None:
        """Forget them."""
        self._connection.close()

    def _first(self, identity: str) -> Occurrence:
        found = self._connection.execute("SELECT identity, number, line FROM seen WHERE identity = ?", (identity,)).fetchone()
        return Occurrence(*found)


@lru_cache(maxsize=4)
def _insert(count: int) -> str:
    rows = ", ".join(["(?, ?, ?)"] * count)
    return f"INSERT INTO seen VALUES {rows} ON CONFLICT DO NOTHING RETURNING line"  # noqa: S608
