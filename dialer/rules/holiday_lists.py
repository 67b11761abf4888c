"""Which days are holidays, by the package `holidays`."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

from dialer.rules.rows import Row


@lru_cache(maxsize=512)
def holidays_of(name: str, year: int) -> frozenset[date]:
    """The public holidays of a country such as FR, or of a state such as US-AL, in a year; those that are moved from a
    weekend, too."""
    country, _, state = name.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=state or None, years=year))


def is_holiday(row: Row, day: date) -> bool:
    """Whether a day is a holiday for a row."""
    return day in row.more_holidays or (row.holidays is not None and day in holidays_of(row.holidays, day.year))
