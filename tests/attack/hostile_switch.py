"""A hostile switch: what stands between the dialer and the simulator, passes everything on, and adds to what the switch says.

Frames are told apart here, so that what is added comes between two of them; nothing here is shared with `dialer.esl`.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Final

from attrs import define, field

from tests.attack.place import LOCAL

PATIENCE: Final = 10.0
"""Seconds in which the thread ends."""
HUGE: Final = 60_000_000

Said = Callable[[random.Random, bytes], Iterator[bytes]]
"""What is added behind a frame, which is given."""


def framed(body: bytes, length: int | None = None) -> bytes:
    """An event of the switch."""
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n" % (len(body) if length is None else length) + body


def lies(rng: random.Random, frame: bytes) -> Iterator[bytes]:
    """Events of calls that nobody made, the same again, and what no event looks like."""
    uuid = f"00000000-0000-4000-8000-{rng.randrange(10**12):012d}"
    names = ("CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_PROGRESS", "BACKGROUND_JOB", "HEARTBEAT", "NO_SUCH", "")
    event = {"Event-Name": rng.choice(names), "Unique-ID": uuid, "Job-UUID": uuid, "Hangup-Cause": "NO_SUCH_CAUSE"}
    for body in (
        json.dumps(event).encode(),
        json.dumps({**event, "Event-Date-Timestamp": "x" * 1000, "variable_a": ["b"] * 500}).encode(),
        b"{}",
        b"[" * 500,
        b'"text"',
        rng.randbytes(200),
        b'{"Event-Name":"CHANNEL_ANSWER","Unique-ID":' + b"9" * 5000 + b"}",
    ):
        yield framed(body)
    if b"text/event-json" in frame:
        yield frame


def floods(rng: random.Random, frame: bytes) -> Iterator[bytes]:
    """Many events of other people's calls, as a switch with many users has them."""
    for _ in range(30):
        uuid = f"00000000-0000-4000-8000-{rng.randrange(10**12):012d}"
        event = {
            "Event-Name": "CHANNEL_ANSWER",
            "Unique-ID": uuid,
            **{f"variable_{number}": "x" * 50 for number in range(100)},
        }
        yield framed(json.dumps(event).encode())


def huge_frame(rng: random.Random, frame: bytes) -> Iterator[bytes]:
    """An event as long as one may say it is, without its end."""
    yield framed(b"{" + b" " * (HUGE - 100_000), HUGE)


def huge_event(rng: random.Random, frame: bytes) -> Iterator[bytes]:
    """An event of 8 MB, which is whole."""
    yield framed(b'{"Event-Name":"CHANNEL_ANSWER","Unique-ID":"' + b"x" * 8_000_000 + b'"}')


def endless_header(rng: random.Random, frame: bytes) -> Iterator[bytes]:
    """A header block without an end."""
    yield b"Content-Type: text/event-json\n" + b"X: " + b"a" * 5_000_000


LIES: Final[dict[str, Said]] = {each.__name__: each for each in (lies, floods)}
"""Between which the flow goes on."""
BREAKS: Final[dict[str, Said]] = {each.__name__: each for each in (huge_frame, huge_event, endless_header)}
"""After which a dialer may give the connection up, so that it makes no calls until it has another."""


@define(eq=False)
class Between:
    """Listens on `port` for the dialer, and connects to the switch on `behind`; on a thread of its own. A context manager."""

    behind: int
    rng: random.Random
    port: int = field(default=0, init=False)
    said: Said | None = field(default=None, init=False)
    tally: Counter[str] = field(factory=Counter, init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _over: asyncio.Event = field(init=False)
    _listening: Event = field(factory=Event, init=False)
    _thread: Thread = field(init=False)

    def __enter__(self) -> Between:
        self._thread = Thread(target=lambda: asyncio.run(self._listen()), name="between", daemon=True)
        self._thread.start()
        assert self._listening.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)

    async def _listen(self) -> None:
        """Until it is told to end, which ends the connections, too."""
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, LOCAL, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._over.wait()

    @contextmanager
    def saying(self, said: Said) -> Iterator[Counter[str]]:
        """Say that, too, meanwhile."""
        self.said = said
        try:
            yield self.tally
        finally:
            self.said = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tally["connections"] += 1
        theirs, to_switch = await asyncio.open_connection(LOCAL, self.behind, limit=2**20)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            onward = asyncio.create_task(self._onward(reader, to_switch))
            back = asyncio.create_task(self._back(theirs, writer))
            await asyncio.wait([onward, back], return_when=asyncio.FIRST_COMPLETED)
            onward.cancel()
            back.cancel()
        writer.close()
        to_switch.close()

    async def _onward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            frame = await reader.readuntil(b"\n\n")
            length = frame.partition(b"Content-Length: ")[2].partition(b"\n")[0]
            frame += await reader.readexactly(int(length or 0))
            writer.write(frame)
            if self.said is not None and b"text/event-json" in frame:
                for more in self.said(self.rng, frame):
                    self.tally["frames"] += 1
                    writer.write(more)
                await writer.drain()
