"""A receiver of webhooks on this machine, good and bad: it answers as it is told to, and keeps what came."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen
from standardwebhooks import Webhook, WebhookVerificationError
from twisted.internet.protocol import Factory, Protocol

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answering = Callable[["Connection", "Request"], None]


def status(line: str, *headers: str) -> Answering:
    """Answers with that status line and headers, without a body."""
    text = "\r\n".join([f"HTTP/1.1 {line}", "Content-Length: 0", *headers, "", ""])
    return lambda connection, _: connection.say(text.encode())


def good(connection: Connection, request: Request) -> None:
    """200."""
    connection.say(OK)


def stalled(connection: Connection, request: Request) -> None:
    """Never answers."""


def reset(connection: Connection, request: Request) -> None:
    """Cuts the connection off."""
    connection.transport.abortConnection()


def garbage(connection: Connection, request: Request) -> None:
    """Answers with what is no HTTP."""
    connection.say(b"\x00\xff nothing of the kind\r\n\r\n")


def lies_about_length(connection: Connection, request: Request) -> None:
    """Promises more than it sends, and keeps the connection."""
    connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nok")


def cuts_the_body(connection: Connection, request: Request) -> None:
    """Promises more than it sends, and closes."""
    connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nok")
    connection.transport.loseConnection()


def endless(connection: Connection, request: Request) -> None:
    """200, and a body without an end."""
    connection.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.pour(b"1000\r\n" + b"x" * 4096 + b"\r\n")


def endless_headers(connection: Connection, request: Request) -> None:
    """Headers without an end."""
    connection.say(b"HTTP/1.1 200 OK\r\n")
    connection.pour(b"X-More: " + b"x" * 1000 + b"\r\n")


def bomb(connection: Connection, request: Request) -> None:
    """A body that says it is gzip, and is a bomb in the eyes of who decodes it."""
    connection.say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08")


@frozen
class Request:
    """What came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The JSON."""
        return json.loads(self.body)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in it."""
        found = self.document
        return found["events"] if found["type"] == "batch" else [found]


class Connection(Protocol):
    """One connection of a client."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.buffer = b""

    def connectionMade(self) -> None:
        self.receiver.connections += 1
        self.receiver.open.add(self)

    def connectionLost(self, reason: Any = None) -> None:
        self.receiver.open.discard(self)

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            first, *lines = self.buffer[:end].decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            length = int(headers.get("content-length", "0"))
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            self.receiver.came(self, Request(first.split(" ")[1], headers, body))

    def say(self, text: bytes) -> None:
        self.transport.write(text)

    def pour(self, text: bytes) -> None:
        """The same again and again, as fast as it is taken."""
        from twisted.internet import reactor

        if self in self.receiver.open and self.receiver.poured < 50_000_000:
            self.transport.write(text * 4)
            self.receiver.poured += len(text) * 4
            reactor.callLater(0, self.pour, text)


@define(eq=False)
class Receiver:
    """Listens; `answer` says how, `good` when it is not told otherwise. What is answered with 2xx has arrived."""

    secret: str = ""
    answer: Callable[[Receiver, Request], Answering] = lambda receiver, request: good
    requests: list[Request] = field(factory=list)
    arrived: list[dict[str, Any]] = field(factory=list)
    tries: Counter[str] = field(factory=Counter)
    connections: int = 0
    open: set[Connection] = field(factory=set)
    poured: int = 0
    problems: list[str] = field(factory=list)
    _port: Any = None

    @property
    def port(self) -> int:
        return int(self._port.getHost().port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=1"

    def start(self, port: int = 0) -> Receiver:
        from twisted.internet import reactor

        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda _: Connection(self)  # type: ignore[method-assign]
        self._port = reactor.listenTCP(port, factory, interface="127.0.0.1")
        return self

    async def stop(self) -> None:
        for connection in list(self.open):
            connection.transport.abortConnection()
        await self._port.stopListening()

    def came(self, connection: Connection, request: Request) -> None:
        try:
            if self.secret:
                Webhook(self.secret).verify(request.body, request.headers)
        except WebhookVerificationError as error:
            self.problems.append(str(error))
        self.requests.append(request)
        self.tries[request.headers["webhook-id"]] += 1
        answering = self.answer(self, request)
        if answering in (good, endless, lies_about_length, cuts_the_body, bomb):
            self.arrived += request.events
        answering(connection, request)

    @property
    def ids(self) -> list[str]:
        return [event["id"] for event in self.arrived]


def in_order(arrived: list[dict[str, Any]]) -> bool:
    """Whether the events of each attempt came for the first time in their order; repeated ones do not count."""
    seen: dict[Any, list[str]] = defaultdict(list)
    numbers: dict[str, int] = {}
    for event in arrived:
        key = event["attempt_id"]
        if key and event["id"] not in seen[key]:
            seen[key].append(event["id"])
            numbers[event["id"]] = int(event["id"].rpartition("_")[2])
    return all([numbers[id_] for id_ in ids] == sorted(numbers[id_] for id_ in ids) for ids in seen.values())
