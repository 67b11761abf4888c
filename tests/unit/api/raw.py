"""HTTP byte by byte, for what no client would send."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

from tests.unit.api.world import World


class RawClient(Protocol):
    """Collects what comes; `closed` fires with it when the server closes."""

    def __init__(self) -> None:
        self.received = b""
        self.closed: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: object = None) -> None:
        self.closed.callback(self.received)

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


async def connect(api: World) -> RawClient:
    from twisted.internet import reactor

    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", api.port.getHost().port)
    return await connectProtocol(endpoint, RawClient())


async def exchange(api: World, data: bytes) -> bytes:
    """Everything that the server says to `data` before it closes."""
    client = await connect(api)
    client.send(data)
    return await client.closed
