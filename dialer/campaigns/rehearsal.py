"""A campaign played ahead of time: which of its contacts are called, in which order and when, and who waits for what.

It does what the scheduler and the store do, tick by tick, without a switch: at each moment for a call, the first contact of
the campaign's order that is ready is looked at; one that the calling rules keep waiting is set aside until they open, and the
next one is looked at. Each contact is called once: how its call will end nobody knows, so no retry of it is played.

Contacts to whom the same rules apply are of one *kind*, of which a ruling is asked once for all.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Iterator
from typing import Final

from attrs import define, field

from dialer.campaigns.timetable import Timetable
from dialer.model.campaign import CallOrder

NEW, RETRY = 0, 1
"""The lanes."""

NEVER: Final = -1
"""A ruling that never opens."""

STEPS: Final = 1000
"""Contacts that are looked at in one go: a millisecond or two."""

PendingContact = tuple[int, int, int]
"""When it is ready (microseconds since 1970), the id of its subscriber, its kind."""


@define(eq=False)
class PendingLane:
    """Contacts of one priority, new ones or retries, in the order of their ready times and ids; they are added in that order,
    or sorted before they are read. Those that were set aside come again at their time."""

    _ready: array[int] = field(factory=lambda: array("q"), init=False)
    _ids: array[int] = field(factory=lambda: array("q"), init=False)
    _kinds: array[int] = field(factory=lambda: array("l"), init=False)
    _next: int = field(default=0, init=False)
    _again: list[PendingContact] = field(factory=list, init=False)
    _is_sorted: bool = field(default=True, init=False)

    def add(self, contact: PendingContact) -> None:
        """One more."""
        ready_at, subscriber_id, kind = contact
        if self._ready and (self._ready[-1], self._ids[-1]) > (ready_at, subscriber_id):
            self._is_sorted = False
        self._ready.append(ready_at)
        self._ids.append(subscriber_id)
        self._kinds.append(kind)

    def sort(self) -> None:
        """To be called before it is read."""
        if self._is_sorted:
            return
        rows = sorted(zip(self._ready, self._ids, self._kinds, strict=True))
        self._ready = array("q", (row[0] for row in rows))
        self._ids = array("q", (row[1] for row in rows))
        self._kinds = array("l", (row[2] for row in rows))
        self._is_sorted = True

    @property
    def first(self) -> PendingContact | None:
        """The one whose turn is next, whenever that is."""
        place = self._next
        if place == len(self._ready):
            return self._again[0] if self._again else None
        here = (self._ready[place], self._ids[place], self._kinds[place])
        return self._again[0] if self._again and self._again[0] < here else here

    def pop(self) -> PendingContact:
        """Take it out."""
        found = self.first
        if found is None:
            raise IndexError("nobody is left in this lane")
        if self._again and self._again[0] is found:
            return heapq.heappop(self._again)
        self._next += 1
        return found

    def again(self, contact: PendingContact, at: int) -> None:
        """One that was taken out comes back at that moment."""
        heapq.heappush(self._again, (at, *contact[1:]))

    def rest(self) -> Iterator[PendingContact]:
        """All that are left."""
        while self.first is not None:
            yield self.pop()


@define(eq=False)
class Rehearsal:
    """Plays a campaign whose calls have the moments of `timetable`, up to the moment `end`. `opens` tells from when on
    contacts of a kind may be called: the moment that is given when they may then, `NEVER` when they never may. `add` all
    contacts, then `play`, then read what came of it: `called` are ids with their moments `called_at`, in their order; `held`
    those whom the rules keep waiting beyond the end, until when; `refused` those who never may be called; `left` those whose
    turn did not come."""

    timetable: Timetable
    end: int
    order: CallOrder
    share: int
    opens: Callable[[int, int], int]
    called: array[int] = field(factory=lambda: array("q"), init=False)
    called_at: array[int] = field(factory=lambda: array("q"), init=False)
    held: array[int] = field(factory=lambda: array("q"), init=False)
    held_until: array[int] = field(factory=lambda: array("q"), init=False)
    refused: array[int] = field(factory=lambda: array("q"), init=False)
    left: array[int] = field(factory=lambda: array("q"), init=False)
    _lanes: dict[int, tuple[PendingLane, PendingLane]] = field(factory=dict, init=False)
    _closed: dict[int, int] = field(factory=dict, init=False)
    """Until when a kind may not be called."""
    _credit: float = field(default=0.0, init=False)
    _looked_at: int = field(default=0, init=False)

    def add(self, contact: PendingContact, priority: int, lane: int) -> None:
        """A pending contact, which is ready before the end."""
        lanes = self._lanes.get(priority)
        if lanes is None:
            lanes = self._lanes[priority] = PendingLane(), PendingLane()
        lanes[lane].add(contact)

    def play(self, begin: int) -> Iterator[None]:
        """Play it from that moment on, in small steps, one at each `next`."""
        self._lanes = dict(sorted(self._lanes.items(), reverse=True))
        for lane in self._all_lanes():
            lane.sort()
            yield
        at = self.timetable.next_at(begin)
        while at is not None and at < self.end:
            found = self._pick(at)
            self._looked_at += 1
            if self._looked_at >= STEPS:
                self._looked_at = 0
                yield
            if found is _UNKNOWN:
                continue
            if found is not None:
                self.called.append(found.pop()[1])
                self.called_at.append(at)
                self.timetable.take(at)
                at = self.timetable.next_at(at)
            else:
                ready = self._next_ready()
                at = None if ready is None else self.timetable.next_at(ready)
        yield from self._settle(begin)

    def _all_lanes(self) -> Iterator[PendingLane]:
        for lanes in self._lanes.values():
            yield from lanes

    def _next_ready(self) -> int | None:
        firsts = (lane.first for lane in self._all_lanes())
        return min((first[0] for first in firsts if first is not None), default=None)

    # --- whose turn it is -------------------------------------------------------------------------------------------------

    def _pick(self, at: int) -> PendingLane | None:
        """The lane whose first contact is called at that moment; none when nobody may be, `_UNKNOWN` when so many were set
        aside on the way that others shall have their turn first."""
        for new, retry in self._lanes.values():
            found = self._of(new, retry, at)
            if found is not None:
                return found
        return None

    def _of(self, new: PendingLane, retry: PendingLane, at: int) -> PendingLane | None:
        match self.order:
            case CallOrder.RETRIES_FIRST:
                return self._either(retry, new, at)
            case CallOrder.FRESH_FIRST:
                return self._either(new, retry, at)
            case CallOrder.MIX:
                return self._mixed(new, retry, at)
            case CallOrder.LIST:
                return self._longest_waiting(new, retry, at)

    def _either(self, first: PendingLane, second: PendingLane, at: int) -> PendingLane | None:
        found = self._open(first, at)
        return self._open(second, at) if found is None else found

    def _mixed(self, new: PendingLane, retry: PendingLane, at: int) -> PendingLane | None:
        """By the share of retries, as `dialer.store.ready.Mixer` joins them."""
        credit = self._credit + self.share / 100
        found = self._either(retry, new, at) if credit >= 1 else self._either(new, retry, at)
        if found is not None and found is not _UNKNOWN:
            self._credit = min(credit - 1 if found is retry and credit >= 1 else credit, 1.0)
        return found

    def _longest_waiting(self, new: PendingLane, retry: PendingLane, at: int) -> PendingLane | None:
        some = [lane for lane in (self._open(new, at), self._open(retry, at)) if lane is not None]
        if any(lane is _UNKNOWN for lane in some):
            return _UNKNOWN
        return min(some, key=lambda lane: lane.first or (), default=None)

    def _open(self, lane: PendingLane, at: int) -> PendingLane | None:
        """The lane, when its first contact may be called; those before it that may not are set aside."""
        while (first := lane.first) is not None and first[0] <= at:
            if self._looked_at >= STEPS:
                return _UNKNOWN
            self._looked_at += 1
            until = self._opening(first[2], at)
            if until == at:
                return lane
            self._set_aside(lane, lane.pop(), until)
        return None

    def _opening(self, kind: int, at: int) -> int:
        """The moment from which this kind may be called; `opens` is asked once for each span that it has told of."""
        until = self._closed.get(kind, at)
        if NEVER < until <= at:
            until = self.opens(kind, at)
            self._closed[kind] = until
        return until

    def _set_aside(self, lane: PendingLane, contact: PendingContact, until: int) -> None:
        if until == NEVER:
            self.refused.append(contact[1])
        elif until >= self.end:
            self._hold(contact, until)
        else:
            lane.again(contact, until)

    def _hold(self, contact: PendingContact, until: int) -> None:
        self.held.append(contact[1])
        self.held_until.append(until)

    def _settle(self, begin: int) -> Iterator[None]:
        """Those that are left, by why."""
        openings: dict[int, int] = {}
        for lane in self._all_lanes():
            for count, contact in enumerate(lane.rest(), start=1):
                ready_at, subscriber_id, kind = contact
                until = openings.get(kind) if ready_at <= begin else None
                if until is None:
                    at = max(begin, ready_at)
                    until = self.opens(kind, at)
                    if at == begin:
                        openings[kind] = until
                if until == NEVER:
                    self.refused.append(subscriber_id)
                elif until >= self.end:
                    self._hold(contact, until)
                else:
                    self.left.append(subscriber_id)
                if count % STEPS == 0:
                    yield
        yield


_UNKNOWN: Final = PendingLane()
