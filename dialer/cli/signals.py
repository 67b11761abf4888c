"""Signals as wishes: the function of each runs on the reactor thread, in its turn."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Mapping
from types import FrameType, TracebackType

from attrs import define, field
from twisted.internet.interfaces import IReactorFromThreads


@define(eq=False)
class Signals:
    """While entered, each signal of `wishes` calls its function."""

    reactor: IReactorFromThreads
    wishes: Mapping[signal.Signals, Callable[[], None]]
    _before: dict[int, object] = field(factory=dict, init=False)

    def __enter__(self) -> Signals:
        for number in self.wishes:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # Not from within the handler: it interrupts whatever is running, the database thread's locks included.
        self.reactor.callFromThread(self.wishes[signal.Signals(number)])


def interrupts(reactor: IReactorFromThreads, pressed: Callable[[int], None]) -> Signals:
    """While entered, each SIGINT or SIGTERM calls `pressed(n)` on the reactor thread, n being 1 for the first one."""
    count = itertools.count(1)
    return Signals(reactor, dict.fromkeys((signal.SIGINT, signal.SIGTERM), lambda: pressed(next(count))))
