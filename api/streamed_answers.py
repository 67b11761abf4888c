"""Answers whose length nobody knows when they begin: sent piece by piece as they are made, as fast as the client reads.

In memory is the piece that is being sent, however slowly, and what the maker of the pieces has ready. The next piece is asked
for when the one before has left.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from zope.interface import implementer

LAST_CHUNK: Final = b"0\r\n\r\n"
"""The end of a chunked body (RFC 9112, section 7.1)."""

Pieces = AsyncIterator[bytes]
"""What an answer is made of. Closed when nobody waits for it any more."""


def chunk(piece: bytes) -> bytes:
    """A piece as it stands in a chunked body."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


@implementer(IPushProducer)
class Streamer:
    """Sends pieces over a channel; `chunked` unless the end of the connection is that of the body. A client that takes
    none for `patience` seconds is cut off, and so is one whose answer cannot be completed: it must not take a part for all.
    `done` fires at the end, whichever it is; it fails with what the maker of the pieces raised."""

    def __init__(self, pieces: Pieces, channel: Any, clock: Any, patience: float, *, chunked: bool) -> None:
        self.done: Deferred[None] = Deferred()
        self._pieces = pieces
        self._channel = channel
        self._clock = clock
        self._patience = patience
        self._chunked = chunked
        self._timer: IDelayedCall | None = None
        self._room: Deferred[None] | None = None
        self._gone = False

    def start(self) -> None:
        """Begin."""
        self._channel.registerProducer(self, True)
        Deferred.fromCoroutine(self._send()).addBoth(self.done.callback)

    async def _send(self) -> None:
        try:
            async for piece in self._pieces:
                if self._gone:
                    return
                if piece:
                    self._channel.write(chunk(piece) if self._chunked else piece)
                if self._room is not None:
                    await self._room
            if self._chunked and not self._gone:
                self._channel.write(LAST_CHUNK)
        except Exception:
            if not self._gone:
                self._channel.abort()
            raise
        finally:
            self._stop_waiting()
            if not self._gone:
                self._channel.unregisterProducer()
            await close(self._pieces)

    def pauseProducing(self) -> None:  # noqa: N802
        """Twisted: what was written has not left yet."""
        if self._room is None and not self._gone:
            self._room = Deferred()
            self._timer = self._clock.callLater(self._patience, self._channel.abort)

    def resumeProducing(self) -> None:  # noqa: N802
        """Twisted: it has."""
        self._stop_waiting()

    def stopProducing(self) -> None:  # noqa: N802
        """Twisted: the client has gone."""
        self._gone = True
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        room, self._timer, self._room = self._room, None, None
        if room is not None:
            room.callback(None)


async def close(pieces: Pieces) -> None:
    """No more of them are wanted."""
    aclose = getattr(pieces, "aclose", None)
    if aclose is not None:
        await aclose()
