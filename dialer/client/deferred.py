"""The client for programs that run on Twisted's reactor."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ConnectError, ConnectionLost, DNSLookupError
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from dialer.client.api import AsyncResources
from dialer.client.calls import ApiAnswer, ApiCall, Unreachable, pause, result
from dialer.client.sending import page_query
from dialer.client.waiting import split_url

_LOST: Final = (ConnectError, ConnectionLost, DNSLookupError, ResponseFailed, TimeoutError)


class AsyncClient(AsyncResources):
    """As `Client`, on a reactor: methods give Deferreds, and lists are for `async for`. They fail as the methods of `Client`
    raise."""

    def __init__(
        self,
        reactor: Any,
        url: str,
        authorization: str,
        *,
        timeout: float = 30.0,
        policy: Any = None,
        new_key: Callable[[], str] = lambda: uuid.uuid4().hex,  # noqa: TID251 - the outermost place
        rng: random.Random | None = None,
    ) -> None:
        secure, host, port = split_url(url)
        shown = f"[{host}]" if ":" in host else host
        self._base = f"{'https' if secure else 'http'}://{shown}:{port}"
        self._reactor = reactor
        self._authorization = authorization
        self._timeout = timeout
        self._new_key = new_key
        self._rng = rng or random.Random()
        self._pool = HTTPConnectionPool(reactor)
        self._agent = Agent(reactor, policy or BrowserLikePolicyForHTTPS(), connectTimeout=timeout, pool=self._pool)
        super().__init__(self.send, self._pages, self.send)

    def close(self) -> Deferred[Any]:
        """Close the connections that are kept."""
        closed: Deferred[Any] = self._pool.closeCachedConnections()
        return closed

    def send(self, call: ApiCall) -> Deferred[Any]:
        """Make a call, as often as it takes. Fails with `ApiRefused`, `Unreachable`."""
        return Deferred.fromCoroutine(self._sent(call))

    async def _sent(self, call: ApiCall) -> Any:
        headers = Headers({name: [value] for name, value in call.headers(self._authorization, self._new_key()).items()})
        tries = 0
        while True:
            tries += 1
            answer, problem = None, ""
            try:
                answer = await self._once(call, headers).addTimeout(self._timeout, self._reactor)
            except _LOST as error:
                problem = str(error) or type(error).__name__
            seconds = pause(tries, answer, self._rng.random())
            if seconds is None and answer is not None:
                return result(call, answer, tries)
            if seconds is None:
                raise Unreachable(f"{self._base} does not answer: {problem}")
            await deferLater(self._reactor, seconds)

    def _once(self, call: ApiCall, headers: Headers) -> Deferred[ApiAnswer]:
        return Deferred.fromCoroutine(self._asked(call, headers))

    async def _asked(self, call: ApiCall, headers: Headers) -> ApiAnswer:
        payload = call.payload
        body = None if payload is None else _Body(payload)
        url = f"{self._base}{call.target}".encode()
        response: Any = await self._agent.request(call.method.encode(), url, headers, body)
        reading = _Reading()
        response.deliverBody(reading)
        content = await reading.done
        found = {name.decode().lower(): values[0].decode("latin-1") for name, values in response.headers.getAllRawHeaders()}
        return ApiAnswer(status=response.code, headers=found, content=content)

    async def _pages(self, call: ApiCall) -> AsyncIterator[Any]:
        cursor: str | None = ""
        while cursor is not None:
            page = await self.send(page_query(call, cursor))
            for entry in page["data"]:
                yield entry
            cursor = page["next_cursor"]


class _Reading(Protocol):
    """Collects the body of an answer."""

    def __init__(self) -> None:
        self.done: Deferred[bytes] = Deferred()
        self._pieces: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Twisted: part of it is here."""
        self._pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """Twisted: that was all, or the connection is lost."""
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(b"".join(self._pieces))
        else:
            self.done.errback(reason)


@implementer(IBodyProducer)
class _Body:
    """A body in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.length = len(content)

    def startProducing(self, consumer: Any) -> Deferred[None]:  # noqa: N802
        """Twisted: write it."""
        consumer.write(self._content)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def pauseProducing(self) -> None:  # noqa: N802
        """Twisted: it is written already."""

    def resumeProducing(self) -> None:  # noqa: N802
        """Twisted: it is written already."""

    def stopProducing(self) -> None:  # noqa: N802
        """Twisted: it is written already."""
