"""Secrets among the channel variables of a gateway: shown as a mask, which leaves the stored value as it is when it is entered
again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from dialer.errors import BadValue

MASK: Final = "********"
"""Stands for the value of a secret, however long that is."""

_SECRET: Final = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|private|auth(?!_?(?:user|realm))|key|(?:^|[_-])pin(?:$|[_-])", re.IGNORECASE
)
"""The names of variables whose values are secrets, such as `sip_auth_password` and `sip_h_X-API-Key`."""

Parameters = Iterable[tuple[str, str]]


def joined(parameters: Parameters) -> str:
    """Parameters as one text, `name=value` separated by commas: the form in which they are entered and stored."""
    return ",".join(f"{name}={value}" for name, value in parameters)


def is_secret(name: str) -> bool:
    """Whether the value of a variable of that name is one."""
    return _SECRET.search(name) is not None


def masked(parameters: Parameters) -> str:
    """The same for people and programs to see."""
    return joined((name, MASK if value and is_secret(name) else value) for name, value in parameters)


def unmasked(entered: Parameters, before: Parameters, field: str) -> str:
    """The text to store: where a mask was entered, the value of before. Raises `BadValue` for a mask of what was not there."""
    known = {name.lower(): value for name, value in before}
    found = []
    for name, value in entered:
        if value == MASK:
            if name.lower() not in known:
                raise BadValue(field, f"{MASK} stands for the value that {name} has, and it has none; expected its value")
            value = known[name.lower()]
        found.append((name, value))
    return joined(found)
