"""A client of the live events that tells what came, and no more than came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from attrs import define, field
from twisted.internet.task import deferLater

from dialer.model import EventKind
from dialer.store import events
from dialer.store.events import About
from tests.unit.api.raw import RawClient, connect
from tests.unit.api.world import NOW, World, basic


@define(eq=False)
class Listening:
    """An answer that goes on."""

    client: RawClient
    closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.client.closed.addCallback(self._close)

    def _close(self, received: bytes) -> bytes:
        self.closed = True
        return received

    @property
    def head(self) -> str:
        return self.client.received.partition(b"\r\n\r\n")[0].decode()

    @property
    def status(self) -> int:
        return int(self.head.split(" ")[1])

    @property
    def headers(self) -> Mapping[str, str]:
        return dict(line.lower().split(": ", 1) for line in self.head.split("\r\n")[1:])

    @property
    def body(self) -> str:
        return self.client.received.partition(b"\r\n\r\n")[2].decode()

    @property
    def problem(self) -> Any:
        return orjson.loads(self.body)

    @property
    def blocks(self) -> list[dict[str, str]]:
        """The fields of each block that is whole, as WHATWG HTML, section 9.2.6 reads them, without comments."""
        found = []
        for text in self.body.split("\n\n")[:-1]:
            lines = [line.partition(": ") for line in text.split("\n") if not line.startswith(":")]
            found.append({name: value for name, _, value in lines})
        return found

    @property
    def events(self) -> list[dict[str, Any]]:
        """What is dispatched: blocks without data are not."""
        return [orjson.loads(block["data"]) for block in self.blocks if "data" in block]

    @property
    def ids(self) -> list[int]:
        """The numbers of the events."""
        return [number_of(block["id"]) for block in self.blocks if "data" in block]

    @property
    def last_id(self) -> str:
        return [block["id"] for block in self.blocks if "id" in block][-1]

    async def until(self, condition: Callable[[], bool], turns: int = 3000) -> None:
        from twisted.internet import reactor

        for _ in range(turns):
            if condition():
                return
            await deferLater(reactor, 0.005)
        raise AssertionError(self.client.received[-2000:])

    async def has(self, *numbers: int) -> None:
        """Wait for these events, and find no others."""
        await self.until(lambda: len(self.ids) >= len(numbers))
        assert self.ids == list(numbers)

    async def ends(self) -> None:
        """Wait until it is over on both sides: the server hears of a client's end in the next turn of the reactor."""
        from twisted.internet import reactor

        await self.until(lambda: self.closed)
        await deferLater(reactor, 0)

    async def leave(self) -> None:
        self.client.transport.abortConnection()
        await self.ends()


def number_of(id_: str) -> int:
    return int(id_.rpartition("_")[2])


async def listen(
    api: World,
    query: str = "",
    *,
    user: str = "ann",
    token: str = "",
    last: str | None = None,
    start: bool = True,
    method: str = "GET",
    version: str = "1.1",
    headers: str = "",
    behind: bytes = b"",
) -> Listening:
    """Ask for events; with `start`, wait until the stream begins."""
    found = Listening(await connect(api))
    login = f"Bearer {token}" if token else basic(user, user)
    place = "" if last is None else f"Last-Event-ID: {last}\r\n"
    head = f"{method} /api/v2/events{query} HTTP/{version}\r\nHost: x\r\nAuthorization: {login}\r\n{place}{headers}\r\n"
    found.client.send(head.encode() + behind)
    await found.until(lambda: found.closed or b"\r\n\r\n" in found.client.received)
    if start:
        assert found.status == 200, found.client.received
        await found.until(lambda: "retry: " in found.body)
    return found


async def refused(api: World, query: str = "", **more: Any) -> Listening:
    """An answer that is whole."""
    found = await listen(api, query, start=False, **more)
    await found.until(lambda: len(found.body.encode()) >= int(found.headers.get("content-length", "0")))
    return found


async def happen(
    api: World, kind: EventKind = EventKind.ATTEMPT_ENDED, *, user: int | None = 1, campaign: int | None = 1, **facts: Any
) -> int:
    """One event of a user; its number."""
    about = About(user_id=user, campaign_id=campaign)

    def write(connection: Any) -> int:
        events.add(connection, kind, NOW, about, facts)
        return events.last(connection)

    return await api.database.run(write)


async def happen_often(api: World, count: int, size: int = 10, **about: Any) -> None:
    """So many events, of ann unless it says otherwise."""
    what = About(**{"user_id": 1, "campaign_id": 1, **about})

    def write(connection: Any) -> None:
        for _ in range(count):
            events.add(connection, EventKind.ATTEMPT_ENDED, NOW, what, {"pad": "x" * size})

    await api.database.run(write)
