"""Removes what is old, in small steps; more of them, one after the other, while there is much."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from attrs import define, field

MOST_STEPS: Final = 16
"""At one look: with 500 events a step and a look a second, three times as many as 300 calls a second bring."""


@define(eq=False)
class Pruner:
    """Calls `remove` with `at_once`, which tells how many went: so many are removed in one transaction, since others wait for
    it. Between two steps, these others have their turn. When nothing old is left, it rests for `every` seconds."""

    remove: Callable[[int], Awaitable[int]]
    at_once: int
    every: float
    _steps: int = field(default=1, init=False)
    _look_at: float = field(default=0.0, init=False)

    async def look(self, now: float) -> None:
        """At a moment in seconds of any clock. Twice as many steps as at the look before, when that one left something. Fails
        with what `remove` fails with."""
        if now < self._look_at:
            return
        for _ in range(self._steps):
            if await self.remove(self.at_once) < self.at_once:
                self._steps = max(self._steps // 2, 1)
                self._look_at = now + self.every
                return
        self._steps = min(self._steps * 2, MOST_STEPS)
