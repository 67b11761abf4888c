"""The contacts that wait for a call of one priority, new ones or retries, while a campaign is played ahead of time."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import le
from typing import Final

from attrs import define, field

LATEST: Final = 2**62
"""Later than all moments."""

PART: Final = 5000
"""Contacts that are sorted, or read, in one go."""

PendingContact = tuple[int, int, int]
"""When it is ready (microseconds since 1970), the id of its subscriber, its kind."""


@define(eq=False)
class PendingLane:
    """Contacts of one priority, new ones or retries, in the order of their ready times and ids; they are added in that order,
    or sorted before they are read. Those that were set aside come again at their time. `is_retry` tells which lane it is."""

    is_retry: bool = False
    ready: array[int] = field(factory=lambda: array("q"), init=False)
    ids: array[int] = field(factory=lambda: array("q"), init=False)
    kinds: array[int] = field(factory=lambda: array("l"), init=False)
    place: int = field(default=0, init=False)
    """Of the first that was not taken out, in the three."""
    _again: list[PendingContact] = field(factory=list, init=False)
    _is_sorted: bool = field(default=True, init=False)

    def extend(self, ready: Sequence[int], ids: Sequence[int], kinds: Sequence[int]) -> None:
        """Some more: each with the moment at which it is ready, the id of its subscriber, its kind."""
        if not ready:
            return
        follows = not self.ready or (self.ready[-1], self.ids[-1]) <= (ready[0], ids[0])
        self._is_sorted = self._is_sorted and follows and all(map(le, ready, islice(ready, 1, None)))
        self.ready.extend(ready)
        self.ids.extend(ids)
        self.kinds.extend(kinds)

    def sort(self) -> Iterator[None]:
        """To be run through, in small steps, before it is read."""
        if self._is_sorted:
            return
        parts = []
        for first in range(0, len(self.ready), PART):
            part = slice(first, first + PART)
            parts.append(sorted(zip(self.ready[part], self.ids[part], self.kinds[part], strict=True)))
            yield
        self.ready, self.ids, self.kinds = array("q"), array("q"), array("l")
        rows = heapq.merge(*parts)
        while some := list(islice(rows, PART // 5)):
            for column, values in zip((self.ready, self.ids, self.kinds), zip(*some, strict=True), strict=True):
                column.extend(values)
            yield
        self._is_sorted = True

    @property
    def first(self) -> PendingContact | None:
        """The one whose turn is next, whenever that is."""
        place = self.place
        if place == len(self.ready):
            return self._again[0] if self._again else None
        here = (self.ready[place], self.ids[place], self.kinds[place])
        return self._again[0] if self._again and self._again[0] < here else here

    @property
    def first_ready(self) -> int:
        """When that one is ready; `LATEST` when nobody is left."""
        place = self.place
        here = self.ready[place] if place < len(self.ready) else LATEST
        return min(here, self._again[0][0]) if self._again else here

    @property
    def first_again(self) -> int:
        """When the first of those that were set aside comes; `LATEST` when there is none."""
        return self._again[0][0] if self._again else LATEST

    def pop(self) -> PendingContact:
        """Take it out."""
        found = self.first
        if found is None:
            raise IndexError("nobody is left in this lane")
        if self._again and self._again[0] is found:
            return heapq.heappop(self._again)
        self.place += 1
        return found

    def again(self, contact: PendingContact, at: int) -> None:
        """One that was taken out comes back at that moment."""
        heapq.heappush(self._again, (at, *contact[1:]))

    def rest(self) -> Iterator[tuple[Sequence[int], Sequence[int], Sequence[int]]]:
        """All that are left, some at a time: when they are ready, their ids, their kinds."""
        for first in range(0, len(self._again), PART):
            ready, ids, kinds = zip(*self._again[first : first + PART], strict=True)
            yield ready, ids, kinds
        for first in range(self.place, len(self.ready), PART):
            part = slice(first, first + PART)
            yield self.ready[part], self.ids[part], self.kinds[part]
