"""Which numbers a file had already, and where: in a temporary table of SQLite, so that memory does not grow with the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import orjson
from attrs import define, field

CACHE = 16 * 1024
"""KiB of the table that are held in memory."""

_IDENTITY, _NUMBER, _LINE = (f"json_extract(e.value, '$[{place}]')" for place in range(3))
_ADD = (
    f"INSERT INTO seen (identity, number, line) SELECT {_IDENTITY}, {_NUMBER}, {_LINE} FROM json_each(?) e WHERE true "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)
_EARLIER = (
    f"SELECT {_LINE}, s.identity, s.number, s.line FROM json_each(?) e JOIN seen s ON s.identity = {_IDENTITY} "  # noqa: S608
    f"WHERE s.line <> {_LINE}"
)


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
        listed = orjson.dumps(list(map(tuple, some))).decode()
        if self._connection.execute(_ADD, (listed,)).rowcount == len(some):
            return {}
        return {line: Occurrence(*first) for line, *first in self._connection.execute(_EARLIER, (listed,))}

    def close(self) -> None:
        """Forget them."""
        self._connection.close()
