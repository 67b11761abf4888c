"""A campaign played ahead of time: which of its contacts are called, in which order and when, and who waits for what.

It does what the scheduler and the store do, tick by tick, without a switch: at each moment for a call, the first contact of
the campaign's order that is ready is looked at; one that the calling rules keep waiting is set aside until they open, and the
next one is looked at. Each contact is called once: how its call will end nobody knows, so no retry of it is played.

Contacts to whom the same rules apply are of one *kind*, of which a ruling is asked once for all.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from attrs import define, field

from dialer.campaigns.order import after_turn
from dialer.campaigns.pending_lane import LATEST, PendingContact, PendingLane
from dialer.campaigns.timetable import Timetable
from dialer.model.campaign import CallOrder

NEW, RETRY = 0, 1
"""The lanes."""

NEVER: Final = -1
"""A ruling that never opens."""

STEPS: Final = 1000
"""Contacts that are looked at in one go: a millisecond or two."""
RUN: Final = 5 * STEPS
"""Of those that are called one after the other from one lane: they cost a fifth of that."""


class Shows(Protocol):
    """The caller ids that calls show to contacts of a kind, as of moments that are asked for in their order."""

    @property
    def sets_aside(self) -> bool:
        """Whether there was none for some contacts."""
        ...

    def set_aside_until(self, kind: int) -> int:
        """Until when there is, or was, none for contacts of the kind that were ready before; 0 where there always was one."""
        ...

    def opens(self, kind: int, at: int) -> int:
        """When a contact may be shown one: `at` when it may then, later than all moments when nobody knows. If it may not,
        all who may not are set aside."""
        ...

    def take(self, kind: int, at: int) -> None:
        """A contact is called."""
        ...

    def lacks(self, kind: int) -> int:
        """Until when there is none for a contact, at the end; 0 when there is one."""
        ...


@define(eq=False)
class Rehearsal:
    """Plays a campaign whose calls have the moments of `timetable`, up to the moment `end`. `opens` tells from when on
    contacts of a kind may be called: the moment that is given when they may then, `NEVER` when they never may; `open_until`,
    up to when they may at least, from a moment on at which they may. `shows`, where it is given, has the caller ids of their
    calls. `lane` takes contacts, then `play`, then read what came of it: `called` are ids with their moments `called_at`, in
    their order; `held` those whom the rules keep waiting beyond the end, until when; `refused` those who never may be called;
    `unshown` those for whom there is no caller id at the end, until when, 0 where that is not known; `left` those whose turn
    did not come. Of the called ones, of those left and of those without a caller id, `retries_called`, `retries_left` and
    `retries_unshown` are retries."""

    timetable: Timetable
    end: int
    order: CallOrder
    share: int
    opens: Callable[[int, int], int]
    open_until: Callable[[int, int], int]
    shows: Shows | None = None
    called: array[int] = field(factory=lambda: array("q"), init=False)
    called_at: array[int] = field(factory=lambda: array("q"), init=False)
    held: array[int] = field(factory=lambda: array("q"), init=False)
    held_until: array[int] = field(factory=lambda: array("q"), init=False)
    refused: array[int] = field(factory=lambda: array("q"), init=False)
    left: array[int] = field(factory=lambda: array("q"), init=False)
    unshown: array[int] = field(factory=lambda: array("q"), init=False)
    unshown_until: array[int] = field(factory=lambda: array("q"), init=False)
    retries_unshown: int = field(default=0, init=False)
    retries_called: int = field(default=0, init=False)
    retries_left: int = field(default=0, init=False)
    _lanes: dict[int, tuple[PendingLane, PendingLane]] = field(factory=dict, init=False)
    _closed: dict[int, int] = field(factory=dict, init=False)
    """Until when a kind may not be called."""
    _open_until: dict[int, int] = field(factory=dict, init=False)
    """Until when a kind may be called."""
    _credit: float = field(default=0.0, init=False)
    _looked_at: int = field(default=0, init=False)

    def lane(self, priority: int, which: int) -> PendingLane:
        """Where pending contacts of a priority go, `NEW` or `RETRY`, that are ready before the end."""
        lanes = self._lanes.get(priority)
        if lanes is None:
            lanes = self._lanes[priority] = PendingLane(), PendingLane(is_retry=True)
        return lanes[which]

    def play(self, begin: int) -> Iterator[None]:
        """Play it from that moment on, in small steps, one at each `next`."""
        self._lanes = dict(sorted(self._lanes.items(), reverse=True))
        for lane in self._all_lanes():
            yield from lane.sort()
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
                _, subscriber_id, kind = found.pop()
                self._call(found, subscriber_id, at)
                if self.shows is None:
                    self.timetable.take(at)
                else:
                    self.shows.take(kind, at)
                at = self._call_more(found, at)
            else:
                ready = self._next_ready()
                at = None if ready is None else self.timetable.next_at(ready)
        yield from self._settle(begin)

    def _call(self, lane: PendingLane, subscriber_id: int, at: int) -> None:
        self.called.append(subscriber_id)
        self.called_at.append(at)
        self.retries_called += lane.is_retry

    def _call_more(self, lane: PendingLane, before: int) -> int | None:
        """Call those who follow in a lane as long as nobody else can come between, and the timetable goes on evenly. Returns
        the moment of the next call."""
        at = self.timetable.next_at(before)
        if at is None:
            return None
        interval, until = self.timetable.evenly(at)
        if self.shows is not None and self.shows.sets_aside:
            interval = 0
        until = min(until, self.end, min((each.first_ready for each in self._before(lane)), default=LATEST))
        ready, ids, kinds, open_until = lane.ready, lane.ids, lane.kinds, self._open_until
        first = place = lane.place
        last = min(self._last_in_turn(lane), first + RUN) if interval else first
        moment = at
        while place < last and moment < until and ready[place] <= moment and open_until.get(kinds[place], 0) > moment:
            place += 1
            moment += interval
        if place == first:
            return at
        self.called.extend(ids[first:place])
        self.called_at.extend(range(at, moment, interval))
        self.retries_called += (place - first) * lane.is_retry
        if self.order is CallOrder.MIX:
            for _ in range(first, place):
                self._credit = after_turn(self._credit + self.share / 100, is_retry=lane.is_retry)
        self._looked_at += (place - first) * STEPS // RUN
        lane.place = place
        self.timetable.take(moment - interval)
        return self.timetable.next_at(moment - interval)

    def _before(self, lane: PendingLane) -> Iterator[PendingLane]:
        """The lanes of which one who is ready is called before, or may be before, those of a lane."""
        for new, retry in self._lanes.values():
            for each in (new, retry) if self.order is CallOrder.FRESH_FIRST else (retry, new):
                if each is not lane:
                    if self.order is not CallOrder.LIST or lane not in (new, retry):
                        yield each
                elif self.order is not CallOrder.MIX:
                    return
            if lane in (new, retry):
                return

    def _last_in_turn(self, lane: PendingLane) -> int:
        """The place in a lane before which all are called before those that were set aside; in the order of a list, also
        before those of the other lane."""
        least = lane.first_again
        if self.order is CallOrder.LIST:
            new, retry = next(lanes for lanes in self._lanes.values() if lane in lanes)
            least = min(least, (new if lane is retry else retry).first_ready)
        return len(lane.ready) if least == LATEST else bisect_left(lane.ready, least, lane.place)

    def _all_lanes(self) -> Iterator[PendingLane]:
        for lanes in self._lanes.values():
            yield from lanes

    def _next_ready(self) -> int | None:
        first = min((lane.first_ready for lane in self._all_lanes()), default=LATEST)
        return None if first == LATEST else first

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
            self._credit = after_turn(credit, is_retry=found is retry)
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
            if self.shows is not None and first[0] < (until := self.shows.set_aside_until(first[2])):
                self._wait_for_caller_id(lane, lane.pop(), until)
                continue
            until = self._opening(first[2], at)
            if until != at:
                self._set_aside(lane, lane.pop(), until)
            elif self.shows is None or (until := self.shows.opens(first[2], at)) <= at:
                return lane
            else:
                self._wait_for_caller_id(lane, lane.pop(), until)
        return None

    def _wait_for_caller_id(self, lane: PendingLane, contact: PendingContact, until: int) -> None:
        if until < self.end:
            lane.again(contact, until)
            return
        self.unshown.append(contact[1])
        self.unshown_until.append(0 if until >= LATEST else until)
        self.retries_unshown += lane.is_retry

    def _opening(self, kind: int, at: int) -> int:
        """The moment from which this kind may be called; `opens` is asked once for each span that it has told of."""
        if at < self._open_until.get(kind, 0):
            return at
        until = self._closed.get(kind, at)
        if NEVER < until <= at:
            until = self.opens(kind, at)
            self._closed[kind] = until
            if until == at:
                self._open_until[kind] = self.open_until(kind, at)
        return until

    def _set_aside(self, lane: PendingLane, contact: PendingContact, until: int) -> None:
        if until == NEVER:
            self.refused.append(contact[1])
        elif until >= self.end:
            self.held.append(contact[1])
            self.held_until.append(until)
        else:
            lane.again(contact, until)

    # --- who is left ------------------------------------------------------------------------------------------------------

    def _settle(self, begin: int) -> Iterator[None]:
        """Those that are left, by why."""
        spans: dict[int, _Span] = {}
        for lane in self._all_lanes():
            before = len(self.left)
            for ready, ids, kinds in lane.rest():
                which = set(kinds)
                if max(ready) <= begin and not any(self._wait_of(spans, kind, begin) for kind in which):
                    if self.shows is None or not any(self.shows.lacks(kind) for kind in which):
                        self.left.extend(ids)
                    else:
                        for subscriber_id, kind in zip(ids, kinds, strict=True):
                            self._leave(lane, subscriber_id, kind)
                    yield
                    continue
                for count, (ready_at, subscriber_id, kind) in enumerate(zip(ready, ids, kinds, strict=True), start=1):
                    wait = self._wait_of(spans, kind, max(begin, ready_at))
                    if not wait:
                        self._leave(lane, subscriber_id, kind)
                    elif wait == NEVER:
                        self.refused.append(subscriber_id)
                    else:
                        self.held.append(subscriber_id)
                        self.held_until.append(wait)
                    if count % STEPS == 0:
                        yield
                yield
            self.retries_left += (len(self.left) - before) * lane.is_retry

    def _leave(self, lane: PendingLane, subscriber_id: int, kind: int) -> None:
        until = 0 if self.shows is None else self.shows.lacks(kind)
        if until:
            self.unshown.append(subscriber_id)
            self.unshown_until.append(0 if until >= LATEST else until)
            self.retries_unshown += lane.is_retry
        else:
            self.left.append(subscriber_id)

    def _wait_of(self, spans: dict[int, _Span], kind: int, at: int) -> int:
        """Until when a kind has to wait from a moment on, beyond the end, or `NEVER`; 0 when it may be called before. Moments
        are asked for in any order, so what was told is kept with the span for which it was."""
        since, until, wait = spans.get(kind, _NO_SPAN)
        if since <= at < until:
            return wait
        opening = self.opens(kind, at)
        if opening == at:
            span = (at, self.open_until(kind, at), 0)
        elif opening == NEVER:
            span = (at, at + 1, NEVER)
        else:
            span = (at, opening, opening if opening >= self.end else 0)
        spans[kind] = span
        return span[2]


_Span = tuple[int, int, int]
"""From when on, until when, and how long a kind has to wait."""
_NO_SPAN: Final = (0, 0, 0)
_UNKNOWN: Final = PendingLane()
