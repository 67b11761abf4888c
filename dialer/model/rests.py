"""Rests: how long a number is left alone after a call that ended in a certain way."""

from __future__ import annotations

from typing import Final

from dialer.errors import BadValue
from dialer.model.disposition import Disposition

ABANDONED: Final = "ABANDONED"
"""No disposition: the contact answered, and the voice application could do nothing for it, such as connect an agent. Its
disposition is ANSWERED."""
AFTER_ABANDONED: Final = f"{ABANDONED}=72"
"""Hours: the rest that is usual after an abandoned call."""
WORDS: Final = (ABANDONED, *Disposition)
LONGEST: Final = 8760
"""Hours: a year."""


def rest_list(text: str, field: str) -> str:
    """Words and hours, such as `ABANDONED=72,REJECTED=24`, in one spelling. Raises `BadValue`."""
    hours: dict[str, int] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        word, _, number = (part.strip() for part in item.partition("="))
        word = word.upper().replace("-", "_")
        if word not in WORDS or word in hours:
            told = "is there twice" if word in hours else f"is none of {', '.join(WORDS)}"
            raise BadValue(field, f"{item[:40]!r} {told}; expected words and hours such as {AFTER_ABANDONED}")
        if not (number.isascii() and number.isdigit() and len(number) < 6 and 1 <= int(number) <= LONGEST):
            raise BadValue(field, f"{item[:40]!r}: expected whole hours from 1 to {LONGEST}, such as {word}=72")
        hours[word] = int(number)
    return ",".join(f"{word}={number}" for word, number in hours.items())
