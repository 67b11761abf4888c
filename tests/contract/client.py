"""A small Event Socket client of the contract suite's own: it reads the wire for itself, so that it can judge both sides."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable
from typing import Any

from attrs import Factory, frozen
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

PATIENCE = 20.0  # seconds that any single thing may take


@frozen
class Frame:
    """A frame: its header block as it came, the headers (the first of each name), the body."""

    head: str
    body: str = ""

    @property
    def headers(self) -> dict[str, str]:
        pairs = [line.split(": ", 1) for line in self.head.split("\n") if ": " in line]
        return dict(reversed(pairs))

    @property
    def type(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def reply(self) -> str:
        return self.headers.get("Reply-Text", "")

    @property
    def names(self) -> list[str]:
        return [line.split(": ", 1)[0] for line in self.head.split("\n")]


@frozen
class Event:
    """An event, decoded; `names` are its headers in order, repeated ones included."""

    frame: Frame
    headers: dict[str, str]
    names: list[str] = Factory(list)

    def __getitem__(self, name: str) -> str:
        return self.headers[name]

    def get(self, name: str, default: str = "") -> str:
        return self.headers.get(name, default)

    @property
    def name(self) -> str:
        return self.headers["Event-Name"]

    @property
    def uuid(self) -> str:
        return self.headers.get("Unique-ID", "")


def decode(frame: Frame) -> Event:
    """An event from its frame."""
    if frame.type == "text/event-json":
        pairs = json.loads(frame.body, object_pairs_hook=list)
    else:
        block, _, body = frame.body.partition("\n\n")
        pairs = [(n, urllib.parse.unquote(v)) for n, v in (line.split(": ", 1) for line in block.split("\n") if line)]
        if body:
            pairs.append(("_body", body))
    return Event(frame, dict(pairs), [name for name, _ in pairs])


class Peer(Protocol):
    """One connection. Replies come in order; events gather in `events`."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.data = b""
        self.frames: list[Frame] = []
        self.events: list[Event] = []
        self.closed = False
        self._waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []
        self.made: Deferred[None] = Deferred()

    # --- the connection ---------------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        self.made.callback(None)

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\n\n")) >= 0:
            head = self.data[:end].decode("utf-8", "surrogateescape")
            length = int(Frame(head).headers.get("Content-Length", "0"))
            if len(self.data) < end + 2 + length:
                break
            body = self.data[end + 2 : end + 2 + length].decode("utf-8", "surrogateescape")
            self.data = self.data[end + 2 + length :]
            frame = Frame(head, body)
            if frame.type.startswith("text/event-"):
                self.events.append(decode(frame))
            else:
                self.frames.append(frame)
        self._look()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed = True
        self._look()

    def close(self) -> None:
        if not self.closed:
            self.transport.loseConnection()

    # --- waiting ----------------------------------------------------------------------------------------------------------

    async def until(self, what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait until something is true; fails after `seconds`."""
        found = what()
        if found:
            return found
        waiting: Deferred[Any] = Deferred()
        self._waiting.append((what, waiting))
        return await waiting.addTimeout(seconds, self._reactor)

    def _look(self) -> None:
        for entry in list(self._waiting):
            what, waiting = entry
            if waiting.called:
                self._waiting.remove(entry)
            elif found := what():
                self._waiting.remove(entry)
                waiting.callback(found)

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        waiting: Deferred[None] = Deferred()
        self._reactor.callLater(seconds, waiting.callback, None)
        await waiting

    # --- speaking ---------------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Send bytes as they are."""
        self.transport.write(text.encode("utf-8", "surrogateescape"))

    async def frame(self, seconds: float = PATIENCE) -> Frame:
        """The next frame that is no event."""
        await self.until(lambda: self.frames or self.closed, seconds)
        assert self.frames, "the connection was closed"
        return self.frames.pop(0)

    async def command(self, text: str, seconds: float = PATIENCE) -> Frame:
        """Send a command and wait for its answer."""
        self.write(text + "\n\n")
        return await self.frame(seconds)

    async def ask(self, text: str, seconds: float = PATIENCE) -> str:
        """The output of an `api` command."""
        return (await self.command(f"api {text}", seconds)).body

    async def event(self, name: str, seconds: float = PATIENCE, **wanted: str) -> Event:
        """The first event of that name with these headers (`_` for `-`); it stays in `events`."""

        def found() -> Event | None:
            for event in self.events:
                if event.name == name and all(event.get(k.replace("_", "-")) == v for k, v in wanted.items()):
                    return event
            return None

        result: Event = await self.until(found, seconds)
        return result

    async def job(self, job: str, seconds: float = PATIENCE) -> str:
        """The result of a `bgapi` job."""
        return (await self.event("BACKGROUND_JOB", seconds, Job_UUID=job)).get("_body")

    def named(self, uuid: str) -> list[str]:
        """The names of the events of one channel, in order."""
        return [event.name for event in self.events if event.uuid == uuid]
