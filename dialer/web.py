"""The HTTP port: listens, exchanges its site for one with other limits, and stops without cutting off an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import structlog
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, maybeDeferred
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocol
from twisted.internet.protocol import Factory

from dialer.config import HttpSettings
from dialer.listening import address_of, listen

log = structlog.get_logger()


class Site(Protocol):
    """What serves HTTP: a protocol factory that can be drained."""

    def doStart(self) -> None: ...

    def doStop(self) -> None: ...

    def buildProtocol(self, addr: IAddress | None) -> IProtocol | None: ...

    def drain(self) -> Deferred[None]:
        """Answer what is in flight and close every connection; when cancelled, close them at once."""
        ...


class _Front(Factory):
    """Listens in the place of the site of the moment."""

    noisy = False
    site: Site

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self.site.buildProtocol(addr)


@define(eq=False)
class WebServer:
    """`make_site` builds a site with the limits that it is given."""

    reactor: Any
    make_site: Callable[[HttpSettings], Site]
    _front: _Front = field(factory=_Front, init=False)
    _port: IListeningPort | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Where it listens: `host:port`, or the path of a socket; "" when it does not."""
        return "" if self._port is None else address_of(self._port)

    async def start(self, settings: HttpSettings) -> None:
        """Listen. Raises `BadValue`, `CannotListen`."""
        site = self.make_site(settings)
        self._front.site = site
        self._port = await listen(self.reactor, settings.endpoint, self._front, "http.endpoint")
        site.doStart()

    def use(self, settings: HttpSettings) -> None:
        """Serve new connections with other limits; those that are open are answered and closed. Counts start anew."""
        old, new = self._front.site, self.make_site(settings)
        new.doStart()
        self._front.site = new
        old.drain().addErrback(_not_drained).addBoth(lambda _: old.doStop())

    async def stop(self, seconds: float) -> None:
        """Accept no more connections, answer the requests in flight, and close all connections: at the latest after so many
        seconds."""
        if self._port is None:
            return
        port, self._port = self._port, None
        await maybeDeferred(port.stopListening)
        site = self._front.site
        try:
            await site.drain().addTimeout(seconds, self.reactor)
        except (TimeoutError, CancelledError):
            log.warning("requests were cut off", seconds=seconds)
        site.doStop()


def _not_drained(failure: Any) -> None:
    log.error("connections not closed", reason=failure.getErrorMessage())
