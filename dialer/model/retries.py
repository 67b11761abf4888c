"""Retries by outcome: a campaign's table of what to do after which end of a call.

As a text, `busy=3/60s*2,no_answer=2/4h/day=1`: after a busy line three further attempts, the first after a minute, each next
one after twice as long; after no answer two, four hours apart, and at most one such attempt a day. What is not in the table
goes by the campaign's `max_retry` and `interval_retry`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from attrs import asdict, frozen

from dialer.kinds import Inside, Kind, Nullable, Whole

LONGEST: Final = 31_536_000
"""Seconds of a year."""
SHORT_OF: Final = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))

_ROW = re.compile(
    r"(?P<retries>[0-9]{1,4})/(?P<after>[0-9]{1,8})(?P<unit>[dhms]?)(?:\*(?P<growth>[0-9]{1,2}(?:\.[0-9]{1,3})?))?"
    r"(?:/day=(?P<per_day>[0-9]{1,4}))?"
)


class RetryOutcome(enum.StrEnum):
    """The ends that a table can name: those that count and may be tried again."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    CONGESTION = "congestion"
    MACHINE = "machine"
    FAILED = "failed"
    UNKNOWN = "unknown"
    INCOMPLETE = "incomplete"  # answered, and the voice application did not come to its end


@frozen(kw_only=True)
class RetryRow:
    """`retries` further attempts after ends of that kind, the first `after` so many seconds, each next one after `growth`
    times as long; with `per_day`, at most so many attempts a day, by the campaign's time zone, that end like that."""

    retries: int
    after: int
    growth: float = 1.0
    per_day: int | None = None

    def interval(self, retry: int) -> float:
        """Seconds before that retry; the first one is 1."""
        return float(min(self.after * self.growth ** (retry - 1), LONGEST))

    def __str__(self) -> str:
        size, unit = next((size, unit) for unit, size in SHORT_OF if self.after % size == 0)
        growth = "" if self.growth == 1 else f"*{self.growth:g}"
        per_day = "" if self.per_day is None else f"/day={self.per_day}"
        return f"{self.retries}/{self.after // size}{unit}{growth}{per_day}"


@frozen
class RetryTable:
    """Rows by their outcome."""

    rows: tuple[tuple[RetryOutcome, RetryRow], ...] = ()

    def row(self, outcome: RetryOutcome) -> RetryRow | None:
        """The row of an outcome."""
        return next((row for each, row in self.rows if each is outcome), None)

    @property
    def most(self) -> int:
        """The most retries that a row allows."""
        return max((row.retries for _, row in self.rows), default=0)

    def __str__(self) -> str:
        return ",".join(f"{outcome}={row}" for outcome, row in self.rows)


class _Growth(Kind):
    """A factor."""

    takes = "a number from 1 to 10"

    def parse(self, value: Any) -> float:
        """From a JSON number, or the text of one."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = float(value)
        if not 1 <= number <= 10:
            raise ValueError
        return round(number, 3)

    def schema(self) -> dict[str, Any]:
        """A number with its bounds."""
        return {"type": "number", "minimum": 1, "maximum": 10}


_COLUMNS: Final[Mapping[str, Kind]] = {
    "retries": Whole(0, 1000),
    "after": Whole(0, LONGEST),
    "growth": _Growth(),
    "per_day": Nullable(Whole(1, 1000)),
}
_NEEDED: Final = ("retries", "after")
_OUTCOMES: Final = ", ".join(RetryOutcome)
_AS_TEXT: Final = "rows such as busy=3/60s*2,no_answer=2/4h/day=1 (how many, after how long, times what, at most a day)"


@frozen
class Retries(Kind):
    """A table as text or as JSON."""

    takes = f"{_AS_TEXT}; outcomes are {_OUTCOMES}"

    def parse(self, value: Any) -> RetryTable:
        """The table. Raises `Inside` naming what is wrong of it, `ValueError` for what is none."""
        if isinstance(value, RetryTable):
            return value
        if isinstance(value, str):
            return _from_text(value.strip())
        if not isinstance(value, Mapping):
            raise ValueError
        return _table({name: _row_of(name, row) for name, row in value.items()})

    def stored(self, value: RetryTable) -> str:
        """JSON."""
        return orjson.dumps(self.as_json(value)).decode()

    def load(self, stored: Any) -> RetryTable:
        """From JSON."""
        return _loaded(stored)

    def schema(self) -> dict[str, Any]:
        """An object of rows."""
        columns = {name: kind.schema() for name, kind in _COLUMNS.items()}
        columns["per_day"] = {"type": ["integer", "null"], "minimum": 1, "maximum": 1000}
        row = {"type": "object", "properties": columns, "required": list(_NEEDED), "additionalProperties": False}
        return {"type": "object", "propertyNames": {"enum": [str(each) for each in RetryOutcome]}, "additionalProperties": row}

    def as_json(self, value: RetryTable) -> dict[str, dict[str, Any]]:
        """The rows by their outcomes."""
        return {str(outcome): asdict(row) for outcome, row in value.rows}


@lru_cache(maxsize=256)
def _loaded(stored: str) -> RetryTable:
    return Retries().parse(orjson.loads(stored))


def _from_text(text: str) -> RetryTable:
    if text in ("", "none", "{}"):
        return RetryTable()
    if text.startswith("{"):
        return Retries().parse(orjson.loads(text))
    rows: dict[str, RetryRow] = {}
    for item in text.split(","):
        name, _, rest = (part.strip() for part in item.partition("="))
        _outcome(name)
        if name in rows:
            raise Inside((name,), "each outcome once")
        found = _ROW.fullmatch(rest)
        if found is None:
            raise Inside((name,), "HOW MANY/AFTER HOW LONG such as 3/60s, 3/60s*2 or 2/4h/day=1")
        given = {column: given for column, given in found.groupdict().items() if given is not None and column != "unit"}
        given["after"] = str(int(given["after"]) * dict(SHORT_OF)[found["unit"] or "s"])
        rows[name] = _row_of(name, given)
    return _table(rows)


def _outcome(name: Any) -> RetryOutcome:
    try:
        return RetryOutcome(name)
    except ValueError:
        raise Inside((str(name)[:40],), f"one of the outcomes {_OUTCOMES}") from None


def _table(rows: Mapping[Any, RetryRow]) -> RetryTable:
    by_outcome = {_outcome(name): row for name, row in rows.items()}
    return RetryTable(tuple((each, by_outcome[each]) for each in RetryOutcome if each in by_outcome))


def _row_of(name: Any, given: Any) -> RetryRow:
    outcome = str(_outcome(name))
    if isinstance(given, RetryRow):
        return given
    if not isinstance(given, Mapping):
        raise Inside((outcome,), f"an object with {', '.join(_COLUMNS)}")
    values: dict[str, Any] = {}
    for column, value in given.items():
        kind = _COLUMNS.get(column)
        if kind is None:
            raise Inside((outcome, str(column)[:40]), f"one of {', '.join(_COLUMNS)}")
        parse: Callable[[Any], Any] = kind.parse
        try:
            values[column] = parse(value)
        except (ValueError, TypeError, OverflowError):
            raise Inside((outcome, column), kind.takes) from None
    for column in _NEEDED:
        if column not in values:
            raise Inside((outcome, column), f"{_COLUMNS[column].takes}; it is missing")
    return RetryRow(**values)
