"""Ctrl-C as a wish, not as an exception."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType

from attrs import define, field
from twisted.internet.interfaces import IReactorFromThreads


@define(eq=False)
class Interrupts:
    """While entered, each SIGINT or SIGTERM calls `pressed(n)` on the reactor thread, n being 1 for the first one."""

    reactor: IReactorFromThreads
    pressed: Callable[[int], None]
    count: int = field(default=0, init=False)
    _before: dict[int, object] = field(factory=dict, init=False)

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        # Not from within the handler: it interrupts whatever is running, the database thread's locks included.
        self.reactor.callFromThread(self.pressed, self.count)
