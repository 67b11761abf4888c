"""Telephone numbers in the log: of each, the last three digits are left."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

FIELDS: Final = frozenset({"number", "identity", "contact", "caller", "caller_id", "callee", "destination", "phone"})
"""Values of these names are numbers, however short, and however they are written."""

_ALL_BUT_THREE: Final = re.compile(r"\d(?=(?:\D*\d){3})")

_IN_TEXT: Final = re.compile(r"(?P<id>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})|\d{7,}")
"""Elsewhere, seven digits in a row are taken for a number, unless they are part of a call's UUID."""


def masked(text: str) -> str:
    """A sentence with the numbers in it masked."""
    return _IN_TEXT.sub(lambda found: found[0] if found["id"] else _mask(found[0]), text)


def masked_values(values: Mapping[str, object], in_words: Callable[[object], str]) -> dict[str, object]:
    """Values by their names. What is no figure is told `in_words` before."""
    return {name: _masked_value(name, value, in_words) for name, value in values.items()}


def _masked_value(name: str, value: object, in_words: Callable[[object], str]) -> object:
    if name in FIELDS:
        return _mask(in_words(value))
    return value if value is None or isinstance(value, bool | int | float) else masked(in_words(value))


def _mask(number: str) -> str:
    return _ALL_BUT_THREE.sub("*", number)
