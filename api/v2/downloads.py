"""Files that are sent: how many of them a user may read at the same time.

Each holds a few hundred kilobytes for as long as its reader takes, and its turns on the database come one after the other.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from attrs import define, field

from api.errors import HttpError, retry_after

MOST: Final = 4
AGAIN: Final = 5.0
"""Seconds."""


@define(eq=False)
class Downloads:
    """Those that are being sent."""

    _by_user: Counter[int] = field(factory=Counter, init=False)

    def begin(self, user_id: int) -> None:
        """Another one of a user. Raises `HttpError`."""
        if self._by_user[user_id] >= MOST:
            detail = f"{MOST} files are being sent to this user already, and no more at the same time"
            raise HttpError(429, detail, retry_after(AGAIN))
        self._by_user[user_id] += 1

    def end(self, user_id: int) -> None:
        """One of them was sent, or will not be."""
        self._by_user[user_id] -= 1
        if not self._by_user[user_id]:
            del self._by_user[user_id]
