"""Answers of many megabytes: kept in a file without a name until the client has read them, and sent as fast as it reads.

In memory is a page of a list while it is made, and a piece of the answer while it is sent, however slowly.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import IO, Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPullProducer
from zope.interface import implementer

LONG: Final = 262_144
"""Bytes from which on an answer is kept in a file."""

PIECE: Final = 65_536
"""Bytes that are written at once."""


@define(eq=False)
class LongAnswer:
    """The body of an answer, in a file."""

    file: IO[bytes]
    length: int

    def piece(self) -> bytes:
        """The next bytes; none at the end."""
        return self.file.read(PIECE)

    def close(self) -> None:
        """Forget it."""
        self.file.close()


def in_file(body: bytes) -> LongAnswer:
    """A body that is whole in memory."""
    file = TemporaryFile()  # noqa: SIM115 - closed with the answer
    file.write(body)
    file.seek(0)
    return LongAnswer(file, len(body))


@define(eq=False)
class Entries:
    """The entries of a JSON list that come in another order than that in which they shall stand."""

    _file: IO[bytes] = field(factory=TemporaryFile, init=False)
    _keys: array[int] = field(factory=lambda: array("q"), init=False)
    _ends: array[int] = field(factory=lambda: array("q", [0]), init=False)

    def add(self, entries: Iterable[tuple[int, bytes]]) -> None:
        """Entries with the keys by which they are sorted."""
        for key, entry in entries:
            self._file.write(entry)
            self._keys.append(key)
            self._ends.append(self._ends[-1] + len(entry))

    def finish(self) -> LongAnswer:
        """The list, whole."""
        self._file.flush()
        number, answer = self._file.fileno(), TemporaryFile()  # noqa: SIM115 - closed with the answer
        answer.write(b"[")
        for place, index in enumerate(sorted(range(len(self._keys)), key=self._keys.__getitem__)):
            begin = self._ends[index]
            answer.write(b"," if place else b"")
            answer.write(os.pread(number, self._ends[index + 1] - begin, begin))
        answer.write(b"]")
        length = answer.tell()
        answer.seek(0)
        self.close()
        return LongAnswer(answer, length)

    def close(self) -> None:
        """Forget them."""
        self._file.close()


@implementer(IPullProducer)
class Sender:
    """Sends an answer over a channel, a piece whenever the one before has left. A client that takes none for `patience`
    seconds is cut off. `done` fires at the end, whichever it is."""

    def __init__(self, answer: LongAnswer, channel: Any, clock: Any, patience: float) -> None:
        self.done: Deferred[None] = Deferred()
        self._answer = answer
        self._channel = channel
        self._clock = clock
        self._patience = patience
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """Begin."""
        self._timer = self._clock.callLater(self._patience, self._channel.abort)
        self._channel.registerProducer(self, False)

    def resumeProducing(self) -> None:  # noqa: N802
        """Twisted: another piece can leave."""
        piece = self._answer.piece()
        if not piece:
            self._channel.unregisterProducer()
            self._end()
            return
        if self._timer is not None:
            self._timer.reset(self._patience)
        self._channel.write(piece)

    def stopProducing(self) -> None:  # noqa: N802
        """Twisted: the client has gone."""
        self._end()

    def _end(self) -> None:
        self._answer.close()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if not self.done.called:
            self.done.callback(None)
