"""The originates on their way to a switch: in order, paced, and only so many unanswered at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from dialer.errors import SwitchUnavailable
from dialer.esl.commands import Command
from dialer.esl.connection import CommandReply
from dialer.interfaces import Now
from dialer.limiter import Limiter
from dialer.model import Origination

MAX_BURST_SECONDS = 0.1
"""A burst is at most what a tenth of a second brings: a stock switch admits 29 calls in a second of its own, and a cap of 25
with a burst of 2 never asks for more than 27."""


def limiter(calls_per_second: float) -> Limiter:
    """The limiter of a switch's calls: evenly, but for a small burst."""
    return Limiter(1 / calls_per_second, max(1, int(calls_per_second * MAX_BURST_SECONDS)))


@frozen
class _Waiting:
    call: Origination
    command: Command
    accepted: Deferred[None]


class OriginateQueue:
    """`send` writes a command to the switch; it is called only between `opened` and `closed`. `round_trip` is told how long
    the switch took to reply, in seconds; `started` is how many were sent, `calls_per_second` is what is allowed now."""

    def __init__(
        self,
        clock: IReactorTime,
        now: Now,
        calls_per_second: float,
        max_in_flight: int,
        send: Callable[[Command], Deferred[CommandReply]],
        round_trip: Callable[[float], None],
    ) -> None:
        self.started = 0
        self.calls_per_second = calls_per_second
        self._round_trip = round_trip
        self._clock = clock
        self._now = now
        self._limiter = limiter(calls_per_second)
        self._max_in_flight = max_in_flight
        self._send = send
        self._queue: deque[_Waiting] = deque()
        self._in_flight = 0
        self._pumping: IDelayedCall | None = None
        self._closed = "not connected"

    def headroom(self, within: float) -> int:
        """How many more would be sent within so many seconds, if the switch accepted each at once."""
        if self._closed:
            return 0
        spare = min(self._max_in_flight - self._in_flight, self._limiter.available(None, self._clock.seconds(), within))
        return max(0, spare - len(self._queue))

    def submit(self, call: Origination, command: Command) -> Deferred[None]:
        """Send the command in its turn. Fires when the switch has accepted it; fails with `SwitchUnavailable`, or with
        `CommandFailed` when the switch refused it."""
        if self._closed:
            return fail(SwitchUnavailable(command.name, self._closed, sent=False))
        accepted: Deferred[None] = Deferred()
        self._queue.append(_Waiting(call, command, accepted))
        self._pump()
        return accepted

    def limit(self, calls_per_second: float, max_in_flight: int) -> None:
        """Other limits, from now on."""
        self.calls_per_second = calls_per_second
        self._limiter = limiter(calls_per_second)
        self._max_in_flight = max_in_flight
        if self._pumping is not None:
            self._pumping.cancel()
            self._pumping = None
            self._pump()

    def opened(self) -> None:
        """The switch can be given commands."""
        self._closed = ""

    def closed(self, reason: str) -> None:
        """The switch cannot be given commands: fail what waits, unsent."""
        self._closed = reason
        if self._pumping is not None:
            self._pumping.cancel()
            self._pumping = None
        queue, self._queue = self._queue, deque()
        for waiting in queue:
            waiting.accepted.errback(SwitchUnavailable(waiting.command.name, reason, sent=False))

    def _pump(self) -> None:
        now = self._clock.seconds()
        while self._queue and self._in_flight < self._max_in_flight and self._limiter.available(None, now):
            self._start(self._queue.popleft(), now)
        if self._queue and self._in_flight < self._max_in_flight:
            self._pump_in(self._limiter.wait(None, now))

    def _pump_in(self, seconds: float) -> None:
        if self._pumping is None:
            self._pumping = self._clock.callLater(seconds, self._pump_again)

    def _pump_again(self) -> None:
        self._pumping = None
        self._pump()

    def _start(self, waiting: _Waiting, now: float) -> None:
        if self._now() >= waiting.call.deadline:
            reason = "its deadline passed before its turn came"
            waiting.accepted.errback(SwitchUnavailable(waiting.command.name, reason, sent=False))
            return
        self._limiter.charge(None, now)
        self._in_flight += 1
        self.started += 1
        answered = self._send(waiting.command)
        answered.addBoth(self._answered, now)
        answered.addCallback(CommandReply.checked)
        answered.addCallbacks(lambda _: waiting.accepted.callback(None), waiting.accepted.errback)

    def _answered(self, result: CommandReply | Failure, sent_at: float) -> CommandReply | Failure:
        self._in_flight -= 1
        if isinstance(result, CommandReply):
            self._round_trip(self._clock.seconds() - sent_at)
        if self._queue:
            self._pump_in(0)
        return result
