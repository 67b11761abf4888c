"""Interruptions of a voice application: its limit, and the key with which a callee says: do not call me again.

Thousands of calls wait in their applications at once. So this is one small object and one timer for each, and an
application is interrupted where it waits: a Deferred around each of them, to be cancelled, would keep a kilobyte more.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from dialer.interfaces import AnsweredCall


class Guard:
    """Interrupts `call` after `limit` seconds, or when `digit` is pressed ("" for no key), until `stop`. At most one of
    `expired` and `pressed` becomes true."""

    __slots__ = ("_call", "_clock", "_digit", "_timer", "expired", "pressed")

    def __init__(self, call: AnsweredCall, clock: IReactorTime, limit: float, digit: str) -> None:
        self._call = call
        self._clock = clock
        self._digit = digit
        self._timer = clock.callLater(limit, self._expire)
        self.expired = False
        self.pressed = False
        if digit and digit in call.digits:
            self.stop()
            self.pressed = True
        elif digit:
            self._listen()

    @property
    def interrupted(self) -> bool:
        """Whether the application was interrupted by this guard."""
        return self.expired or self.pressed

    def stop(self) -> None:
        """Interrupt no more."""
        self._digit = ""
        if self._timer.active():
            self._timer.cancel()

    def pause(self, seconds: float) -> Deferred[None]:
        """Time for the callee to press the key; over at once when the call is."""
        paused: Deferred[None] = Deferred()
        paused.addTimeout(seconds, self._clock, lambda _result, _seconds: None)
        self._call.when_closed().addCallback(lambda _: None if paused.called else paused.callback(None))
        return paused

    def _expire(self) -> None:
        self._digit = ""
        self.expired = True
        self._call.interrupt()

    def _listen(self) -> None:
        self._call.next_digit().addCallbacks(self._heard, _over)

    def _heard(self, digit: str) -> None:
        if not self._digit:
            return
        if digit != self._digit:
            self._listen()
            return
        self.stop()
        self.pressed = True
        self._call.interrupt()


def _over(_: Failure) -> None:
    """The call is over, and its driver has been told."""
