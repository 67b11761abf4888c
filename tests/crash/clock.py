"""The clock of a world."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from operator import attrgetter

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

_time = attrgetter("time")


class SteppedClock(Clock):
    """Twisted's stepped clock, one call at a time. Each call is put in its place, instead of all being sorted again; one that
    was put off meanwhile is put in its new place when it is met, as Twisted's reactors do."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> IDelayedCall:
        call = DelayedCall(self.rightNow + delay, callable, args, kw, self.calls.remove, self._moved, self.seconds)
        insort(self.calls, call, key=_time)
        return call

    def _moved(self, call: DelayedCall) -> None:
        self.calls.remove(call)
        insort(self.calls, call, key=_time)

    def step(self) -> None:
        call = self.calls.pop(0)
        while call.delayed_time:
            call.activate_delay()
            insort(self.calls, call, key=_time)
            call = self.calls.pop(0)
        self.rightNow = max(self.rightNow, call.time)
        call.called = 1
        call.func(*call.args, **call.kw)
