"""Telephone numbers as users enter them, and those that are never called.

A number is digits with at most one leading `+`, `*` or `#`: nothing that could be syntax for the switch, and no letters. It
need not be a public number: extensions and service codes are dialled as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from dialer.errors import BadValue

LONGEST_NUMBER: Final = 32
"""Digits. ITU-T E.164 allows 15; an international prefix, a carrier selection code and an extension may come on top."""

EMERGENCY_NUMBERS: Final = frozenset({"000", "08", "110", "112", "118", "119", "911", "999"})
"""The numbers that 3GPP TS 22.101 section 10.1.1 has every mobile phone treat as emergency calls, wherever it is.

Others (115, 190, 17, ...) are emergency numbers in some countries and extensions or services in the rest: they are refused
where the region is known.
"""

_NUMBER = re.compile(rf"[+*#]?[0-9]{{1,{LONGEST_NUMBER}}}")
_SEPARATORS = str.maketrans("", "", " .-()/\u00a0\u2010\u2011")


def parse_number(text: str, field: str = "contact", *, separators: bool = False) -> str:
    """`text` without surrounding white space, when it is a number; with `separators`, without what people write between
    digits, too (spaces, dots, hyphens, parentheses, slashes). Raises `BadValue` naming `field`."""
    number = text.strip()
    if separators:
        number = number.translate(_SEPARATORS)
    if not number:
        raise BadValue(field, f"is empty; {_EXPECTED}")
    if not _NUMBER.fullmatch(number):
        raise BadValue(field, f"{_shown(text)} is not a number; {_EXPECTED}")
    return number


def caller_number(text: str, field: str) -> str:
    """The number that the callee sees, "" for none. Raises `BadValue`."""
    return parse_number(text, field) if text else ""


def is_emergency(number: str, region: str | None = None, refused: Collection[str] = EMERGENCY_NUMBERS) -> bool:
    """Whether dialling `number` would reach an emergency service.

    `refused` is the installation's own list; its numbers are compared whole. With a `region` (ISO 3166 code, like "DE"),
    everything that connects to an emergency service there is refused as well, which in some countries includes longer numbers
    that begin with one ("911555"). Raises `BadValue` for a region that is not known.
    """
    digits = number.removeprefix("+")
    if digits in refused:
        return True
    if region is None:
        return False
    # Imported here: its tables cost 3 MB and 40 ms, which only installations with a region shall pay.
    from phonenumbers import SUPPORTED_SHORT_REGIONS
    from phonenumbers.shortnumberinfo import connects_to_emergency_number

    if region not in SUPPORTED_SHORT_REGIONS:
        raise BadValue("region", f"{_shown(region)} is not a region; expected two letters such as DE")
    return bool(connects_to_emergency_number(digits, region))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


_EXPECTED = f"expected 1 to {LONGEST_NUMBER} digits, with one leading +, * or # at most"
