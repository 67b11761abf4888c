"""What came of the calls that showed a number, day by day, which triggers keep (schema 17): `caller_id_count` has the sums of
`caller_id_share`, the shares of the attempts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dialer.model.caller_id import REFUSALS, CallerIdCounts
from dialer.store.connection import Variants

_SUMS: Final = ", ".join(
    f"CAST(coalesce(sum(n.{each}), 0) AS BIGINT)"
    for each in ("calls", "unsent", "ended", "answered", "short", "talk_ms", *(f"refused_{code}" for code in REFUSALS))
)
DAYS: Final = (
    f"SELECT n.day, {_SUMS} FROM caller_id_count n WHERE n.caller_id_id = ? AND n.day >= ? AND n.day < ? "  # noqa: S608
    "GROUP BY n.day ORDER BY n.day DESC LIMIT ?"
)
"""The counts of a number by day, the newest first. Parameters: caller id, the first day, the day before which, how many."""

OF_DAY: Final = (
    f"SELECT {_SUMS}, n.caller_id_id FROM caller_id_count n WHERE n.day = ? AND n.caller_id_id IN ({{}}) "  # noqa: S608
    "GROUP BY n.caller_id_id"
)
"""The counts of some numbers, of one day. Parameters: day, caller ids, in the place of `{}`."""

DAYS_OF_POOL: Final = (
    f"SELECT n.caller_id_id, n.day, {_SUMS} FROM caller_id i JOIN caller_id_count n ON n.caller_id_id = i.id "  # noqa: S608
    "WHERE i.pool_id = ? AND i.archived_at IS NULL AND n.day >= ? GROUP BY n.caller_id_id, n.day "
    "ORDER BY n.caller_id_id, n.day DESC"
)
"""The same of all numbers of a pool. Parameters: pool, the first day."""

NEXT_POOL: Final = "SELECT id FROM caller_id_pool WHERE archived_at IS NULL AND id > ? ORDER BY id LIMIT 1"
TODAY: Final = (
    f"SELECT {_SUMS} FROM caller_id i JOIN caller_id_count n ON n.caller_id_id = i.id "  # noqa: S608
    "WHERE i.pool_id = ? AND i.archived_at IS NULL AND n.day = ?"
)
"""The counts of a day of all numbers of a pool. Parameters: pool, day."""

_KEY: Final = "caller_id_id, day"
_COUNTED: Final = (
    "calls", "unsent", "ended", "answered", "short", "talk_ms", *(f"refused_{code}" for code in REFUSALS),
)  # fmt: skip
_DIFFERENCE: Final = (
    f"SELECT {_KEY}, {', '.join(f'CAST(sum({each}) AS BIGINT) AS {each}' for each in _COUNTED)} FROM ("  # noqa: S608
    f"SELECT {_KEY}, 1 AS calls, {', '.join(_COUNTED[1:])} FROM caller_id_share "
    f"UNION ALL SELECT {_KEY}, {', '.join(f'-{each}' for each in _COUNTED)} FROM caller_id_count WHERE purged = 0) AS d "
    f"GROUP BY {_KEY} HAVING {' OR '.join(f'sum({each}) <> 0' for each in _COUNTED)}"
)
"""By how much the attempts that are there are more than was counted of them, for each number and day where that differs."""

MISCOUNTED: Final = (
    "SELECT 'caller id ' || d.caller_id_id || ', ' || d.day || ': the rows are ' || d.calls || ' calls, ' || d.answered "  # noqa: S608
    f"|| ' answered and ' || d.talk_ms || ' ms more than was counted' FROM ({_DIFFERENCE}) AS d ORDER BY {_KEY}"
)
"""Those, one text each."""

_ADD: Final = (
    f"SELECT {_KEY}, 0, {{}}{', '.join(_COUNTED)} FROM ({_DIFFERENCE}) AS d WHERE true ON CONFLICT ({_KEY}, purged{{}}) "  # noqa: S608
    f"DO UPDATE SET {', '.join(f'{each} = n.{each} + excluded.{each}' for each in _COUNTED)}"
)
COUNT_AGAIN: Final = Variants(
    sqlite=f"INSERT INTO caller_id_count AS n {_ADD.format('', '')}",
    postgresql=f"INSERT INTO caller_id_count_part AS n {_ADD.format('0, ', ', part')}",
)
"""Adds these differences."""


def counts(row: Sequence[Any]) -> CallerIdCounts:
    """From the sums of `DAYS`, behind the day."""
    calls, unsent, ended, answered, short, talk_ms, *refused = map(int, row)
    return CallerIdCounts(
        calls=calls,
        unsent=unsent,
        ended=ended,
        answered=answered,
        short=short,
        talk_ms=talk_ms,
        refused=dict(zip(REFUSALS, refused, strict=True)),
    )
