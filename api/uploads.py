"""Bodies that go to disk while they come, so that their length costs no memory.

They are written on a thread. What a client sends faster than the disk takes it is not read from the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

MOST_WAITING: Final = 1_048_576
"""Bytes that came and are not written; with more, the connection is not read."""

PACE: Final = 262_144
"""Bytes, for each of which a client has the time of a whole request (`http.request_timeout`)."""


class Pausable(Protocol):
    """A connection that can be left unread for a while."""

    def hold(self) -> None:
        """Read no more of the body."""
        ...

    def go_on(self, *, invited: bool) -> None:
        """Read the body."""
        ...

    def prolong(self) -> None:
        """The time in which the request has to arrive begins anew."""
        ...


class BodyFile(Protocol):
    """Where a body goes. Its methods are called on a thread, one at a time. `is_kept` tells that somebody has the file by
    now."""

    is_kept: bool

    def feed(self, data: bytes) -> None:
        """More of it. Raises what is wrong with it."""
        ...

    def end(self) -> None:
        """It is whole. Raises what is wrong with it."""
        ...

    def discard(self) -> None:
        """Nobody wants it."""
        ...


@define(eq=False)
class Upload:
    """A body on its way into `file`; `in_thread` runs a function on a thread. Reactor thread only."""

    file: BodyFile
    in_thread: Callable[[Callable[[], Any]], Deferred[Any]]
    channel: Pausable
    closed: Callable[[], None] = lambda: None
    _pieces: list[bytes] = field(factory=list, init=False)
    _waiting: int = field(default=0, init=False)
    _unpaced: int = field(default=0, init=False)
    _writing: bool = field(default=False, init=False)
    _holds: bool = field(default=False, init=False)
    _is_closed: bool = field(default=False, init=False)
    _failure: Failure | None = field(default=None, init=False)
    _written: Deferred[None] | None = field(default=None, init=False)
    _ended: bool = field(default=False, init=False)

    def write(self, data: bytes) -> None:
        """More came. What comes behind a failure is thrown away."""
        self._unpaced += len(data)
        if self._unpaced >= PACE:
            self._unpaced = 0
            self.channel.prolong()
        if self._failure is not None or self._is_closed:
            return
        self._pieces.append(data)
        self._waiting += len(data)
        if not self._writing:
            self._write()
        elif self._waiting >= MOST_WAITING and not self._holds:
            self._holds = True
            self.channel.hold()

    async def received(self) -> None:
        """Waits until it is on disk, whole. Fails with what is wrong with it."""
        if self._writing:
            self._written = Deferred()
            await self._written
        if self._failure is None and not self._ended:
            self._ended = True
            await self.in_thread(self.file.end)
        if self._failure is not None:
            self._failure.raiseException()

    def close(self) -> None:
        """Nobody asks for it any more: it is discarded, unless it is kept."""
        if self._is_closed:
            return
        self._is_closed = True
        self.closed()
        if not self._writing:
            self._discard()

    def _write(self) -> None:
        data, self._pieces, self._waiting = b"".join(self._pieces), [], 0
        self._writing = True
        self.in_thread(partial(self.file.feed, data)).addCallbacks(lambda _: self._wrote(None), self._wrote)

    def _wrote(self, failure: Failure | None) -> None:
        self._writing = False
        self._failure = self._failure or failure
        if self._is_closed:
            self._discard()
        elif self._pieces and self._failure is None:
            self._write()
        if self._holds:
            self._holds = False
            self.channel.go_on(invited=False)
        if self._written is not None and not self._writing:
            written, self._written = self._written, None
            written.callback(None)

    def _discard(self) -> None:
        if not self.file.is_kept:
            self.in_thread(self.file.discard).addErrback(lambda _: None)  # what stays is tidied up
