"""Lists of nouns by SQL: one statement for the entries of a part of a list, and one for each kind of thing that belongs to
them, however many they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dialer.store.connection import Connection, Row
from dialer.store.statements import marks

AT_ONCE: Final = 500
"""Ids that one statement names at most."""


def entries(
    connection: Connection, listed: str, wanted: Mapping[str, Any], end: str = "", values: Sequence[Any] = ()
) -> list[Row]:
    """The rows of the statement `listed`, which has a condition already, that have the `wanted` values in columns of the
    program's own choice: None is no condition, of a tuple that is not empty a row has one. `end` is the rest of the
    statement, with its `values`: an order, and how many."""
    conditions = [listed]
    parameters: list[Any] = []
    for column, value in wanted.items():
        if isinstance(value, tuple):
            conditions.append(f"{column} IN ({marks(len(value))})")
            parameters += value
        elif value is not None:
            conditions.append(f"{column} = ?")
            parameters.append(int(value) if isinstance(value, bool) else value)
    return connection.execute(" AND ".join(conditions) + end, (*parameters, *values)).fetchall()


def belonging(connection: Connection, statement: str, ids: Sequence[int], *first: Any) -> dict[int, list[Row]]:
    """What belongs to the entries of these ids: the rows of a statement, by the id in their last column. `{}` in it stands
    where the ids are named, behind the parameters `first`."""
    found: dict[int, list[Row]] = {}
    for some in in_chunks(ids):
        for row in connection.execute(statement.format(marks(len(some))), (*first, *some)):
            found.setdefault(row[-1], []).append(row)
    return found


def in_chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """As many as a statement names, one chunk after the other."""
    for first in range(0, len(ids), AT_ONCE):
        yield ids[first : first + AT_ONCE]
