"""An answer that goes on until either side ends it, as server-sent events do (WHATWG HTML, section 9.2).

Of each client, there is what its connection has not taken yet, which is bounded: as long as that is too much, nothing more is
written for it, and after `PATIENCE` it is cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from dialer.errors import Busy, NotFound, StoreError
from dialer.model import Account

CONTENT_TYPE: Final = "text/event-stream"

HEARTBEAT: Final = 15.0
"""Seconds between two comments, which keep proxies from closing a connection on which nothing happens, and at which it is
asked whether the login still is good."""

PATIENCE: Final = 30.0
"""Seconds for which a client may take nothing while something waits for it."""

RETRY: Final = 1000
"""Milliseconds after which a client comes back, at the least; they come within `SPREAD`, one after the other."""
SPREAD: Final = 2000

VOID: Final = b": the login is not good any more\n\n"


@frozen(eq=False)
class StreamSlot:
    """The place of a stream among those of a site. `ended` is called once, however it ends."""

    number: int
    opened: Callable[[OpenStream], None]
    ended: Callable[[OpenStream], None]


@implementer(IPushProducer)
@define(eq=False, kw_only=True)
class OpenStream:
    """The stream of one client, `who` as long as `still` says so, which fails with `NotFound` when the login is void."""

    clock: IReactorTime
    who: Account
    still: Callable[[Account], Deferred[Account]]
    slot: StreamSlot
    done: Deferred[None] = field(factory=Deferred, init=False)
    _channel: Any = field(default=None, init=False)
    _is_paused: bool = field(default=False, init=False)
    _is_over: bool = field(default=False, init=False)
    _is_checking: bool = field(default=False, init=False)
    _beat: IDelayedCall | None = field(default=None, init=False)
    _stalled: IDelayedCall | None = field(default=None, init=False)

    # --- for those that tell something ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The head is sent: what follows is to be written."""

    def pump(self) -> None:
        """The client takes more: write what there is."""

    def beat(self) -> None:
        """A heartbeat was written."""

    def leave(self) -> None:
        """It is over: nothing is written any more."""

    @property
    def takes(self) -> bool:
        """Whether the client takes more now."""
        return not self._is_paused and not self._is_over

    def write(self, data: bytes) -> None:
        """Send something, whether the client takes it or not."""
        self._channel.write(data)

    # --- its course -------------------------------------------------------------------------------------------------------

    def start(self, channel: Any) -> None:
        """Begin to send; the head is sent."""
        self._channel = channel
        self.slot.opened(self)
        channel.registerProducer(self, True)
        # No blank line: some clients take every blank line for the end of an event.
        self.write(b"retry: %d\n" % (RETRY + self.slot.number * 37 % SPREAD))
        self._beat = self.clock.callLater(HEARTBEAT, self._heartbeat)
        self.begin()

    def _heartbeat(self) -> None:
        self._beat = self.clock.callLater(HEARTBEAT, self._heartbeat)
        if not self._is_paused:
            self.write(b":\n")
            self.beat()
        if not self._is_checking:
            self._is_checking = True
            self.still(self.who).addCallbacks(self._still_good, self._not_good)

    def _still_good(self, who: Account) -> None:
        self._is_checking = False
        self.who = who

    def _not_good(self, failure: Failure) -> None:
        """A database that is away says nothing about the login."""
        self._is_checking = False
        if failure.check(StoreError, Busy):
            return
        failure.trap(NotFound)
        self.void()

    def void(self) -> None:
        """The login is not good any more."""
        if self.takes:
            self.write(VOID)
        self.end()

    def end(self) -> None:
        """No more is sent. A client that does not take what there is is cut off."""
        if self._is_paused and not self._is_over:
            self._channel.abort()
        self._finish()

    def _finish(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        _cancel(self._beat)
        _cancel(self._stalled)
        self.leave()
        self.slot.ended(self)
        self._channel.unregisterProducer()
        self.done.callback(None)

    # --- twisted.internet.interfaces.IPushProducer ------------------------------------------------------------------------

    def pauseProducing(self) -> None:  # noqa: N802
        """Twisted: the client does not take what there is."""
        self._is_paused = True
        if self._stalled is None and not self._is_over:
            self._stalled = self.clock.callLater(PATIENCE, self._channel.abort)

    def resumeProducing(self) -> None:  # noqa: N802
        """Twisted: it has taken everything."""
        self._is_paused = False
        _cancel(self._stalled)
        self._stalled = None
        self.pump()

    def stopProducing(self) -> None:  # noqa: N802
        """Twisted: the client has gone."""
        self._finish()


def _cancel(call: IDelayedCall | None) -> None:
    if call is not None and call.active():
        call.cancel()
