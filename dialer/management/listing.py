"""Parts of lists, in an order that a client chooses among some: by a field, and by the id among those that are the same in it.

A part begins behind the place of the last entry of the one before. So nothing appears twice and nothing is left out, whatever
comes or goes meanwhile, and a part costs the same wherever it is in the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from attrs import frozen
from pony.orm import desc

from dialer.store.times import to_column

T = TypeVar("T")

ID: Final = "id"

Place = tuple[Any, int]
"""Of an entry: its value of the field that a list is sorted by, and its id."""


@frozen(kw_only=True)
class Slice:
    """A part of a list: sorted by a field, downwards with `-` before its name; behind a place, `limit` entries at most, all of
    them when it is None."""

    sort: str = ID
    after: Place | None = None
    limit: int | None = None

    @property
    def field(self) -> str:
        """The name of the field."""
        return self.sort.removeprefix("-")

    @property
    def downwards(self) -> bool:
        """Whether the largest come first."""
        return self.sort.startswith("-")


NEWEST_FIRST: Final = Slice(sort="-id")
OLDEST_FIRST: Final = Slice()


def having(query: Any, **wanted: Any) -> Any:
    """The query of those that have these values in these fields; None is no condition."""
    for name, value in wanted.items():
        if value is not None:
            query = query.filter(lambda row: getattr(row, name) == value)  # noqa: B023 - read at once
    return query


def rows_of(query: Any, part: Slice) -> Any:
    """The rows of a part of a query of entities, which has no order yet."""
    name = part.field
    if part.after is not None:
        value, key = _as_stored(part.after[0]), part.after[1]
        if name == ID:
            query = query.filter(lambda row: row.id < key) if part.downwards else query.filter(lambda row: row.id > key)
        elif part.downwards:
            query = query.filter(lambda row: getattr(row, name) < value or (getattr(row, name) == value and row.id < key))
        else:
            query = query.filter(lambda row: getattr(row, name) > value or (getattr(row, name) == value and row.id > key))
    if name == ID:
        query = query.order_by(lambda row: desc(row.id)) if part.downwards else query.order_by(lambda row: row.id)
    elif part.downwards:
        query = query.order_by(lambda row: (desc(getattr(row, name)), desc(row.id)))
    else:
        query = query.order_by(lambda row: (getattr(row, name), row.id))
    return query if part.limit is None else query.limit(part.limit)


def _as_stored(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def in_sql(part: Slice, alias: str) -> tuple[str, tuple[Any, ...]]:
    """The end of a statement that has a condition already, for a table that is called `alias`, with its parameters. The name
    of the field is part of the statement: it is one that the program knows. An index that has the field and the id gives the
    rows in this order."""
    names = ID if part.field == ID else f"{part.field}, {alias}.{ID}"
    columns, direction = f"{alias}.{names}", " DESC" if part.downwards else ""
    condition = ""
    values: tuple[Any, ...] = ()
    if part.after is not None:
        values = (part.after[1],) if part.field == ID else (_in_column(part.after[0]), part.after[1])
        condition = f" AND ({columns}) {'<' if part.downwards else '>'} ({', '.join('?' * len(values))})"
    order = ", ".join(f"{column.strip()}{direction}" for column in columns.split(","))
    limited = "" if part.limit is None else " LIMIT ?"
    return f"{condition} ORDER BY {order}{limited}", (*values, *(() if part.limit is None else (part.limit,)))


def _in_column(value: Any) -> Any:
    return to_column(value) if isinstance(value, datetime) else value


def part_of(entries: Iterable[T], part: Slice, value: Callable[[T], Any]) -> list[T]:
    """A part of a few entries that are all there; `value` has the field and the id of one."""
    keyed = [((getattr(value(entry), part.field), value(entry).id), entry) for entry in entries]
    if part.after is not None:
        after = part.after
        keyed = [each for each in keyed if (each[0] < after if part.downwards else each[0] > after)]
    keyed.sort(key=lambda each: each[0], reverse=part.downwards)
    return [entry for _, entry in keyed][: part.limit]
