"""How much of something a user or an address may do: a number a minute, all at once or spread (the generic cell rate
algorithm: one moment for each key tells how much of its minute is used up)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from attrs import define, field

MINUTE: Final = 60.0
MOST_KEYS: Final = 10_000
"""Keys that are remembered. Whoever makes up more names than that in a minute makes the oldest ones be forgotten."""


@define(eq=False)
class Throttle:
    """At most `per_minute` for each key; 0 for any number. `now` is seconds of any clock."""

    per_minute: int
    _used_until: dict[Hashable, float] = field(factory=dict, init=False)

    def wait(self, key: Hashable, now: float) -> float:
        """How many seconds the key has to wait for its next one; 0 when it may have it at once."""
        if not self.per_minute:
            return 0.0
        used_until = self._used_until.get(key, now)
        return max(0.0, used_until + MINUTE / self.per_minute - now - MINUTE)

    def take(self, key: Hashable, now: float) -> float:
        """Take one, unless the key has to wait: as `wait`."""
        wait = self.wait(key, now)
        if not wait:
            self.charge(key, now)
        return wait

    def charge(self, key: Hashable, now: float) -> None:
        """Take one, whatever is left."""
        if self.per_minute:
            used_until = max(self._used_until.pop(key, now), now)
            self._used_until[key] = used_until + MINUTE / self.per_minute
            if len(self._used_until) > MOST_KEYS:
                self._forget(now)

    def give_back(self, key: Hashable) -> None:
        """Undo one `charge`."""
        if self.per_minute and key in self._used_until:
            self._used_until[key] -= MINUTE / self.per_minute

    def _forget(self, now: float) -> None:
        """Those that are as if they had never asked; else the one that asked the longest ago."""
        self._used_until = {key: until for key, until in self._used_until.items() if until > now}
        if len(self._used_until) > MOST_KEYS:
            del self._used_until[next(iter(self._used_until))]
