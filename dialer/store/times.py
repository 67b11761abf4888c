"""Times: aware and in UTC in values, naive UTC in tables. This is the one place that converts.

In SQLite a time is text of fixed width with microseconds, so that comparing and sorting text compares and sorts moments. It
is the form that Pony reads and writes there, too.
"""

from __future__ import annotations

from datetime import UTC, datetime

WIDTH = 26
_ZONE = "+00:00"
"""Read with the rest of a text, it costs half of what putting the zone into a moment does."""


def to_column(moment: datetime) -> str:
    """The text of an aware moment. A naive one is a mistake in the program: `ValueError`."""
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise ValueError(f"naive time {moment!r}")
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:WIDTH]


def to_column_or_none(moment: datetime | None) -> str | None:
    """The same for a time that may be absent."""
    return None if moment is None else to_column(moment)


def from_column(text: str) -> datetime:
    """The aware moment that a column holds."""
    return datetime.fromisoformat(text + _ZONE)


def from_column_or_none(text: str | None) -> datetime | None:
    """The same for a time that may be absent."""
    return None if text is None else from_column(text)


def to_entity(moment: datetime) -> datetime:
    """Naive UTC, as entities take it."""
    if moment.tzinfo is None:
        raise ValueError(f"naive time {moment!r}")
    return moment.astimezone(UTC).replace(tzinfo=None)
