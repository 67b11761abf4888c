"""How long a thread that computes keeps the interpreter while others wait for it: as short as anybody wants it now.

Python's 5 ms are long for a thread that asks the database: it waits for the interpreter after each step of a statement, so
beside a thread that computes, a transaction of a millisecond takes tenths of a second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, field

READING: Final = 0.0003
"""Seconds, beside threads that read or sort rows by the thousand: a tenth of what the database needs for these."""
BESIDE_APPS: Final = 0.00005
"""Seconds, beside apps of others. With Python's 5 ms, an app in an endless loop would cost the reactor that for each of its
system calls: of 1200 calls a minute, 1017 were made beside one on a busy machine with two cores, and 1209 with this."""


@define(eq=False)
class _Wishes:
    """The turns that are wanted, in seconds, and the usual one, while there are any."""

    seconds: list[float] = field(factory=list, init=False)
    usual: float = field(default=0.0, init=False)


_WISHES: Final = _Wishes()


@contextmanager
def shortened(seconds: float) -> Iterator[None]:
    """Within it, turns last no longer than that. For one thread, such as the reactor's."""
    if not _WISHES.seconds:
        _WISHES.usual = sys.getswitchinterval()
    _WISHES.seconds.append(seconds)
    sys.setswitchinterval(min(_WISHES.seconds))
    try:
        yield
    finally:
        _WISHES.seconds.remove(seconds)
        sys.setswitchinterval(min(_WISHES.seconds, default=_WISHES.usual))
