"""An answered call in memory: it remembers what it was asked to do, and the test says what becomes of it."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed

from dialer.errors import SessionGone
from dialer.model.flow import Transfer, Transferred


@define(eq=False)
class MemoryCall:
    """Every application completes at once, unless it is in `slow`: then it runs until `complete`, `stop_playing` or the end of
    the call. `responses` are those of single applications and arguments."""

    call_uuid: str = "call-1"
    variables: dict[str, str] = field(factory=dict)
    slow: set[str] = field(factory=set)
    responses: dict[str, str] = field(factory=dict)
    transferred: Transferred = field(factory=lambda: Transferred(cause="NORMAL_CLEARING", answered=True, talk_ms=2500))
    digits: str = ""
    executed: list[tuple[str, str]] = field(factory=list)
    transfers: list[Transfer] = field(factory=list)
    hung_up: str = ""
    gone: bool = False
    driven_by: Deferred[Any] | None = None
    """What `interrupt` cancels."""
    _running: list[Deferred[str]] = field(factory=list)
    _digit_waiters: list[Deferred[str]] = field(factory=list)
    _closed_waiters: list[Deferred[None]] = field(factory=list)

    def variable(self, name: str) -> str:
        return self.variables.get(name, "")

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        if self.gone:
            return fail(SessionGone("the call is over"))
        self.executed.append((application, argument))
        if application in self.slow:
            running: Deferred[str] = Deferred()
            self._running.append(running)
            return running
        return succeed(self.responses.get(f"{application} {argument}", "_none_"))

    def bridge(self, transfer: Transfer) -> Deferred[Transferred]:
        if self.gone:
            return fail(SessionGone("the call is over"))
        self.transfers.append(transfer)
        if "bridge" not in self.slow:
            return succeed(self.transferred)
        running: Deferred[str] = Deferred()
        self._running.append(running)
        return running.addCallback(lambda _: self.transferred)

    def stop_playing(self) -> Deferred[None]:
        if self.gone:
            return fail(SessionGone("the call is over"))
        self.executed.append(("uuid_break", ""))
        self.complete()
        return succeed(None)

    def hangup(self, cause: str = "NORMAL_CLEARING") -> Deferred[None]:
        self.hung_up = cause
        self.end()
        return succeed(None)

    def interrupt(self) -> None:
        assert self.driven_by is not None
        self.driven_by.cancel()

    def next_digit(self) -> Deferred[str]:
        if self.gone:
            return fail(SessionGone("the call is over"))
        pressed: Deferred[str] = Deferred()
        self._digit_waiters.append(pressed)
        return pressed

    def when_closed(self) -> Deferred[None]:
        if self.gone:
            return succeed(None)
        closed: Deferred[None] = Deferred()
        self._closed_waiters.append(closed)
        return closed

    # --- what the test says -----------------------------------------------------------------------------------------------

    def press(self, digits: str) -> None:
        for digit in digits:
            self.digits += digit
            waiters, self._digit_waiters = self._digit_waiters, []
            for waiter in waiters:
                waiter.callback(digit)

    def complete(self, response: str = "_none_") -> None:
        """What runs has come to its end; what was cancelled meanwhile is nobody's business any more."""
        running, self._running = self._running, []
        for one in running:
            if not one.called:
                one.callback(response)

    def end(self) -> None:
        """The callee hangs up."""
        if self.gone:
            return
        self.gone = True
        running, self._running = self._running, []
        digit_waiters, self._digit_waiters = self._digit_waiters, []
        closed_waiters, self._closed_waiters = self._closed_waiters, []
        for one in (*running, *digit_waiters):
            if not one.called:
                one.errback(SessionGone("the call is over (NORMAL_CLEARING)"))
        for closed in closed_waiters:
            closed.callback(None)

    def played(self) -> list[str]:
        return [argument for application, argument in self.executed if application == "playback"]
