"""The HTTP client that posts to receivers which somebody else chose: it trusts none of them.

It connects to addresses that the rules allow, and each is looked at when it is connected to, whatever a name meant before.
It follows no redirect, keeps no cookie, decodes nothing, ignores the proxies of the environment, verifies certificates. What
it reads of an answer is its status and one header: a body is read up to `MOST_OF_A_BODY` for the sake of the connection, and
dropped. Names are looked up on threads of its own: a slow name server must not keep the switch's name waiting.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, Final, cast

from attrs import define, field, frozen
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, TimeoutError, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IConsumer, IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.threads import deferToThreadPool
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web._newclient import ParseError
from twisted.web.client import URI, Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgentEndpointFactory, IBodyProducer, IPolicyForHTTPS
from zope.interface import implementer

from dialer import __version__
from dialer.hooks.addresses import AddressRules
from dialer.interfaces import ReceiverAnswer

TIMEOUT: Final = 15.0
"""Seconds for a whole request: look-up, connection, TLS, request, answer (Standard Webhooks: 15 to 30)."""

CONNECT_TIMEOUT: Final = 5.0
"""Seconds for one address of a name."""

MOST_OF_A_BODY: Final = 4096
MOST_OF_AN_ANSWER: Final = 32_768
"""Bytes of headers, of interim answers and of what of the body comes with them; the connection is cut off behind."""

IDLE: Final = 30
"""Seconds for which a connection is kept for the next request."""
MOST_IDLE: Final = 64
"""Connections to one host that are kept: as many as a webhook may have requests at once."""

LOOKUPS: Final = 16
"""Names that are looked up at the same time; they wait in threads."""

COMMON: Final = {"Content-Type": "application/json", "User-Agent": f"freeswitch-dialer/{__version__}"}

Resolve = Callable[[str, int], Deferred[list[str]]]
"""The addresses of a host name and port. Fails with `OSError`."""


@define(eq=False)
class Names:
    """Looks names up with the system's resolver, on threads of its own."""

    reactor: Any
    _pool: ThreadPool | None = field(default=None, init=False)

    def __call__(self, host: str, port: int) -> Deferred[list[str]]:
        """The addresses, in the resolver's order. Fails with `OSError`."""
        if isIPAddress(host) or isIPv6Address(host):
            return succeed([host])
        if self._pool is None:
            self._pool = ThreadPool(0, LOOKUPS, "names of receivers")
            self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
            self._pool.start()
        return deferToThreadPool(self.reactor, self._pool, _addresses, host, port)

    def stop(self) -> None:
        """No more look-ups; one that hangs is left behind."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            Thread(target=pool.stop, daemon=True).start()


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


# --- connections ------------------------------------------------------------------------------------------------------------


class Meter(ProtocolWrapper):
    """Between HTTP and the connection: cuts off a peer that answers a request with too much."""

    received = 0

    def write(self, data: bytes) -> None:
        """A request, or a part of one."""
        self.received = 0
        super().write(data)

    def writeSequence(self, data: Any) -> None:
        """The same."""
        self.received = 0
        super().writeSequence(data)

    def dataReceived(self, data: bytes) -> None:
        """A part of an answer. A status that stands in it counts, whatever follows."""
        rest = MOST_OF_AN_ANSWER - self.received
        self.received += len(data)
        if rest > 0:
            super().dataReceived(data[:rest])
        if self.received > MOST_OF_AN_ANSWER:
            self._cut_off()

    def loseConnection(self) -> None:
        """HTTP is done with it; nobody waits for the peer."""
        self.disconnecting = 1
        self._cut_off()

    def _cut_off(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()


@implementer(IStreamClientEndpoint)
@frozen
class CheckedEndpoint:
    """Connects to the addresses of a host that the rules allow, one after the other."""

    reactor: Any
    host: str
    port: int
    rules: AddressRules
    resolve: Resolve
    secure: bool

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Fires with the protocol. Fails with `ConnectError` naming why no address will do, or what the last one failed
        with."""
        return Deferred.fromCoroutine(self._connect(factory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        try:
            addresses = await self.resolve(self.host, self.port)
        except (OSError, UnicodeError):
            raise DNSLookupError(f"the name {self.host} is not known") from None
        problem: Exception = DNSLookupError(f"the name {self.host} has no address")
        for address in addresses:
            if reason := self.rules.refusal(address, secure=self.secure):
                problem = ConnectError(string=reason)
                continue
            kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
            try:
                return await kind(self.reactor, address, self.port, timeout=CONNECT_TIMEOUT).connect(factory)
            except ConnectError as error:
                problem = error
        raise problem


@implementer(IStreamClientEndpoint)
@frozen
class MeteredEndpoint:
    """Puts a `Meter` on the connections of another endpoint."""

    inner: IStreamClientEndpoint

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Fires with the protocol of `factory`."""
        wrapping = WrappingFactory(cast(Any, factory))
        wrapping.protocol = Meter
        wrapping.noisy = False
        connected = cast("Deferred[Any]", self.inner.connect(cast(Any, wrapping)))
        return connected.addCallback(lambda meter: meter.wrappedProtocol)


@implementer(IAgentEndpointFactory)
@frozen
class Endpoints:
    """The endpoints of URLs."""

    reactor: Any
    rules: AddressRules
    resolve: Resolve
    policy: IPolicyForHTTPS

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Checked and metered; with TLS for https."""
        secure = uri.scheme == b"https"
        host = uri.host.decode("ascii").strip("[]")
        endpoint: Any = CheckedEndpoint(self.reactor, host, uri.port, self.rules, self.resolve, secure)
        if secure:
            endpoint = wrapClientTLS(self.policy.creatorForNetloc(uri.host, uri.port), endpoint)
        return cast(IStreamClientEndpoint, MeteredEndpoint(endpoint))


# --- requests ---------------------------------------------------------------------------------------------------------------


@implementer(IBodyProducer)
class _Body:
    """A body that is there already."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.length = len(content)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Write all of it."""
        consumer.write(self.content)
        return succeed(None)

    def pauseProducing(self) -> None:
        """It is written."""

    def resumeProducing(self) -> None:
        """It is written."""

    def stopProducing(self) -> None:
        """It is written."""


class _Dropping(Protocol):
    """Reads a body to its end, if that comes soon, so that the connection can serve again."""

    def __init__(self) -> None:
        self.done: Deferred[None] = Deferred(lambda _: self.close())
        self.read = 0

    def dataReceived(self, data: bytes) -> None:
        self.read += len(data)
        if self.read > MOST_OF_A_BODY:
            self.close()

    def connectionLost(self, reason: Any = None) -> None:
        if not self.done.called:
            self.done.callback(None)

    def close(self) -> None:
        """The rest is not read."""
        if self.transport is not None:
            self.transport.loseConnection()


@define(eq=False)
class WebhookClient:
    """`dialer.interfaces.WebhookSender` over HTTP."""

    reactor: Any
    rules: AddressRules
    resolve: Resolve | None = None
    policy: IPolicyForHTTPS = field(factory=BrowserLikePolicyForHTTPS)
    timeout: float = TIMEOUT
    _pool: HTTPConnectionPool = field(init=False)
    _agent: Agent = field(init=False)
    _names: Names = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._names = Names(self.reactor)
        self._pool = HTTPConnectionPool(self.reactor)
        self._pool.retryAutomatically = False
        self._pool.cachedConnectionTimeout = IDLE
        self._pool.maxPersistentPerHost = MOST_IDLE
        endpoints = Endpoints(self.reactor, self.rules, self.resolve or self._names, self.policy)
        self._agent = Agent.usingEndpointFactory(self.reactor, cast(Any, endpoints), self._pool)

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Deferred[ReceiverAnswer]:
        return Deferred.fromCoroutine(self._send(url, headers, body))

    async def _send(self, url: str, headers: dict[str, str], body: bytes) -> ReceiverAnswer:
        began = self.reactor.seconds()
        all_headers = Headers({name: [value] for name, value in {**COMMON, **headers}.items()})
        try:
            requested: Deferred[Any] = cast(Any, self._agent.request(b"POST", url.encode("ascii"), all_headers, _Body(body)))
            response = await requested.addTimeout(self.timeout, self.reactor, _timed_out)
        except TimeoutError:
            return ReceiverAnswer(error=f"no answer within {self.timeout:g} s", milliseconds=self._since(began))
        except Exception as error:
            return ReceiverAnswer(error=_told(error), milliseconds=self._since(began))
        milliseconds = self._since(began)
        retry_after = response.headers.getRawHeaders("retry-after", [""])[0][:100]
        await self._drop_body(response, began)
        return ReceiverAnswer(status=response.code, retry_after=retry_after, milliseconds=milliseconds)

    async def _drop_body(self, response: Any, began: float) -> None:
        """The answer counts, whatever becomes of its body; that takes no longer than the rest of the time."""
        dropping = _Dropping()
        response.deliverBody(dropping)
        if response.length is not UNKNOWN_LENGTH and response.length > MOST_OF_A_BODY:
            dropping.close()
        rest = max(0.1, self.timeout - (self.reactor.seconds() - began))
        with suppress(TimeoutError):
            await dropping.done.addTimeout(rest, self.reactor)

    def _since(self, began: float) -> int:
        return round(1000 * (self.reactor.seconds() - began))

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._pool.closeCachedConnections()
        self._names.stop()


def _timed_out(result: Any, _: float) -> Any:
    """Twisted's client tells of it in several ways."""
    return Failure(TimeoutError()) if isinstance(result, Failure) else result


def _told(error: Exception) -> str:
    """Why there is no answer, in a few printable words."""
    reasons: Any = getattr(error, "reasons", None)
    if isinstance(reasons, list) and reasons and isinstance(reasons[-1], Failure):
        return _told(cast(Exception, reasons[-1].value))
    if isinstance(error, ParseError):
        return "the answer is no HTTP"
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in text)[:200]
