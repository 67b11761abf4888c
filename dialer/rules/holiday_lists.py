"""Which days are holidays, by the package `holidays`, which is loaded when a row names a list: it takes 9 MB."""

from __future__ import annotations

from datetime import date
from functools import lru_cache


@lru_cache(maxsize=512)
def holidays_of(name: str, year: int) -> frozenset[date]:
    """The public holidays of a country such as FR, or of a state such as US-AL, in a year; those that are moved from a
    weekend, too. Raises `ValueError` for a name that is none of a list."""
    from holidays import country_holidays

    country, _, state = name.partition("-")
    try:
        return frozenset(country_holidays(country, subdiv=state or None, years=year))
    except NotImplementedError:
        raise ValueError(f"{name[:40]!r} is not a list of holidays; expected a country or a state such as US-AL") from None
