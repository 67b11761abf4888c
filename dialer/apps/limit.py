"""The wall limit of a voice application."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Limit:
    """Cancels `work` once so many seconds have passed; `passed` tells that they have.

    `Deferred.addTimeout` would do the same and keep four times as much memory, for every call that is in an application.
    """

    __slots__ = ("_timer", "_work", "passed")

    def __init__(self, work: Deferred[Any], seconds: float, clock: IReactorTime) -> None:
        self.passed = False
        self._work = work
        self._timer = clock.callLater(seconds, self._pass)
        work.addBoth(self._ended)

    def _pass(self) -> None:
        self.passed = True
        self._work.cancel()

    def _ended(self, result: Any) -> Any:
        if self._timer.active():
            self._timer.cancel()
        return result
