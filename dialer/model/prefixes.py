"""The numbers that a gateway carries, by their first digits, and what a minute costs.

As a text, `+1=0.0085,+44=0.012,+882=refused`: numbers are compared in their international form, and the longest prefix that
one begins with decides. `*` stands for all others; where it is not named, others are carried if every row says what is
refused, and else they are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from dialer.errors import BadValue

ANY: Final = "*"
REFUSED: Final = "refused"
ALLOWED: Final = "allowed"
DECIMALS: Final = 6
"""Of a price."""

_PREFIX = re.compile(r"\+?([0-9]{1,15})")
_PRICE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_EXAMPLE: Final = "+1=0.0085, +44=allowed or +882=refused"


@frozen
class PrefixTable:
    """Prices by prefixes (digits), in millionths of the currency a minute; None where numbers are refused. `otherwise` holds
    for all other numbers."""

    prices: Mapping[str, int | None] = MappingProxyType({})
    otherwise: int | None = 0
    longest: int = field(init=False)

    @longest.default
    def _longest(self) -> int:
        return max(map(len, self.prices), default=0)

    def price(self, identity: str) -> int | None:
        """Of a minute to a number, by its identity; None when it is not carried."""
        for length in range(min(self.longest, len(identity)), 0, -1):
            found = self.prices.get(identity[:length], _UNKNOWN)
            if found is not _UNKNOWN:
                return found
        return self.otherwise

    def __str__(self) -> str:
        rows = [f"+{prefix}={_price_text(price)}" for prefix, price in self.prices.items()]
        only_refused = all(price is None for price in self.prices.values())
        if self.otherwise != (0 if only_refused else None):
            rows.append(f"{ANY}={_price_text(self.otherwise)}")
        return ",".join(rows)


CARRIES_NONE: Final = PrefixTable(otherwise=None)

_UNKNOWN: Final = -1


def _price_text(price: int | None) -> str:
    if price is None:
        return REFUSED
    whole, part = divmod(price, 10**DECIMALS)
    return f"{whole}.{part:0{DECIMALS}}".rstrip("0").rstrip(".") if part else str(whole)


def prefix_list(text: str, field: str) -> str:
    """A table as it was entered, in one spelling. Raises `BadValue`."""
    return str(_parse(text, field))


@lru_cache(maxsize=256)
def prefix_table(text: str) -> PrefixTable:
    """The table of a stored text. Raises `BadValue` for one that is damaged."""
    return _parse(text, "prefixes")


def _parse(text: str, field: str) -> PrefixTable:
    prices: dict[str, int | None] = {}
    otherwise: int | None = _UNKNOWN
    for item in filter(None, (part.strip() for part in re.split(r"[,;\r\n]+", text))):
        name, _, said = (part.strip() for part in item.partition("="))
        price = _price(said or ALLOWED, item, field)
        found = _PREFIX.fullmatch(name)
        if name != ANY and found is None:
            raise BadValue(field, f"{item[:40]!r}: expected a prefix of 1 to 15 digits and a price, such as {_EXAMPLE}")
        prefix = ANY if found is None else found[1]
        if prefix in prices or (prefix == ANY and otherwise != _UNKNOWN):
            raise BadValue(field, f"{name} is named twice")
        if prefix == ANY:
            otherwise = price
        else:
            prices[prefix] = price
    if otherwise == _UNKNOWN:
        otherwise = 0 if all(price is None for price in prices.values()) else None
    return PrefixTable(MappingProxyType(prices), otherwise)


def _price(said: str, item: str, field: str) -> int | None:
    if said.lower() == REFUSED:
        return None
    if said.lower() == ALLOWED:
        return 0
    if not _PRICE.fullmatch(said):
        raise BadValue(field, f"{item[:40]!r}: expected a price with at most {DECIMALS} decimals, such as {_EXAMPLE}")
    whole, _, part = said.partition(".")
    return int(whole) * 10**DECIMALS + int(part.ljust(DECIMALS, "0"))
