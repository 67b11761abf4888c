"""Live events as server-sent events (WHATWG HTML, section 9.2): one answer that goes on until either side ends it.

Of each client, there is a place in the table of events and what its connection has not taken yet, which is bounded: as long
as that is too much, nothing is read for it, and after `PATIENCE` it is cut off. It comes back with the id of the last event
that it got, and goes on behind that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from dialer.envelope import line, outward_id
from dialer.errors import Busy, NotFound, StoreError
from dialer.management import Management
from dialer.management.live import LiveEvent, LiveEvents, LivePage, StreamStart, still
from dialer.model import Account
from dialer.model.event import EventKind, Told

CONTENT_TYPE: Final = "text/event-stream"

HEARTBEAT: Final = 15.0
"""Seconds between two comments, which keep proxies from closing a connection on which nothing happens, and at which it is
asked whether the login still is good."""

PIECE: Final = 65_536
"""Bytes that are written at once, and about as many wait in the transport before nothing more is written."""

PATIENCE: Final = 30.0
"""Seconds for which a client may take nothing while something waits for it."""

RETRY: Final = 1000
"""Milliseconds after which a client comes back, at the least; they come within `SPREAD`, one after the other."""
SPREAD: Final = 2000

SILENT: Final = 1000
"""A client is told how far it is when so many ids have passed that it was not told of."""

LOST: Final = "stream.lost"
"""The type of the event that tells a client that others are missing."""

VOID: Final = b": the login is not good any more\n\n"


def frame(told: Told) -> bytes:
    """An event as it is sent. JSON has no line breaks."""
    id_ = outward_id(told.installation, told.event.id)
    return f"id: {id_}\nevent: {told.event.kind}\ndata: {line(told)}\n\n".encode()


@frozen(kw_only=True)
class Wish:
    """What a client wants to hear."""

    kinds: frozenset[EventKind]
    campaign_id: int | None = None

    def has(self, told: Told, who: Account) -> bool:
        """Whether the user hears of an event."""
        if self.campaign_id is not None and told.event.campaign_id != self.campaign_id:
            return False
        return told.event.kind in self.kinds and told.may_be_seen_by(who.id, superuser=who.is_superuser)


@implementer(IPushProducer)
@define(eq=False, kw_only=True)
class EventStream:
    """The stream of one client. `ended` is called once, however it ends; `number` is its place among the streams."""

    live: LiveEvents
    management: Management
    clock: IReactorTime
    wish: Wish
    beginning: StreamStart
    number: int
    opened: Callable[[EventStream], None]
    ended: Callable[[EventStream], None]
    who: Account = field(init=False)
    position: int = field(init=False)
    done: Deferred[None] = field(factory=Deferred, init=False)
    _channel: Any = field(default=None, init=False)
    _told: int = field(init=False)
    """The id that the client knows as the last one."""
    _is_paused: bool = field(default=False, init=False)
    _is_over: bool = field(default=False, init=False)
    _is_checking: bool = field(default=False, init=False)
    _beat: IDelayedCall | None = field(default=None, init=False)
    _stalled: IDelayedCall | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.who = self.beginning.who
        self.position = self._told = self.beginning.position

    @property
    def kinds(self) -> frozenset[EventKind]:
        """`Follower`."""
        return self.wish.kinds

    def start(self, channel: Any) -> None:
        """Begin to send; the head is sent."""
        self._channel = channel
        self.opened(self)
        channel.registerProducer(self, True)
        # No blank line: some clients take every blank line for the end of an event.
        self._write(b"retry: %d\n" % (RETRY + self.number * 37 % SPREAD))
        if self.beginning.unknown:
            self._tell_lost(self.position)
        self._beat = self.clock.callLater(HEARTBEAT, self._heartbeat)
        self.live.join(self)
        self.pump()

    # --- dialer.management.live.Follower ----------------------------------------------------------------------------------

    def pump(self) -> None:
        """Send what is there, as far as the client takes it."""
        while not self._is_paused and not self._is_over:
            found = self.live.behind(self.position)
            if found is None:
                self.live.fetch(self)
                return
            if not found:
                return
            self._send(found)

    def take(self, page: LivePage) -> None:
        """Send a page of the table."""
        if self._is_paused or self._is_over:
            return
        if self.position < page.oldest - 1:
            self._tell_lost(page.oldest - 1)
        if self._send(page.events):
            self.position = max(self.position, page.end)
        self.pump()

    def _send(self, found: Sequence[LiveEvent]) -> bool:
        """Send of these what is wanted; whether all were looked at."""
        piece: list[bytes] = []
        size = 0
        for event in found:
            if event.id <= self.position:
                continue
            if size >= PIECE:
                self._write(b"".join(piece))
                piece, size = [], 0
                if self._is_paused or self._is_over:
                    return False
            self.position = event.id
            if self.wish.has(event.told, self.who):
                self._told = event.id
                piece.append(event.frame)
                size += len(event.frame)
        if piece:
            self._write(b"".join(piece))
        return True

    def _tell_lost(self, position: int) -> None:
        """Events up to that id are not kept any more, or the client's own id is none of this database."""
        self.position = self._told = position
        installation = self.management.database.installation_id
        id_, oldest = outward_id(installation, position), outward_id(installation, position + 1)
        data = orjson.dumps({"type": LOST, "oldest": oldest}).decode()
        self._write(f"id: {id_}\nevent: {LOST}\ndata: {data}\n\n".encode())

    def _write(self, data: bytes) -> None:
        self._channel.write(data)

    # --- while nothing happens --------------------------------------------------------------------------------------------

    def _heartbeat(self) -> None:
        self._beat = self.clock.callLater(HEARTBEAT, self._heartbeat)
        if not self._is_paused:
            self._write(b":\n")
            if self.position - self._told >= SILENT:
                self._told = self.position
                id_ = outward_id(self.management.database.installation_id, self.position)
                self._write(f"id: {id_}\n\n".encode())
        if not self._is_checking:
            self._is_checking = True
            self.management.ask(still, self.who).addCallbacks(self._still_good, self._not_good)

    def _still_good(self, who: Account) -> None:
        self._is_checking = False
        self.who = who

    def _not_good(self, failure: Failure) -> None:
        """A database that is away says nothing about the login."""
        self._is_checking = False
        if failure.check(StoreError, Busy):
            return
        failure.trap(NotFound)
        if not self._is_over and not self._is_paused:
            self._write(VOID)
        self.end()

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
        self.live.leave(self)
        self.ended(self)
        self._channel.unregisterProducer()
        self.done.callback(None)


def _cancel(call: IDelayedCall | None) -> None:
    if call is not None and call.active():
        call.cancel()
