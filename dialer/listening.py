"""Listening where a setting says, with errors that name it; an HTTP port that stops without cutting off an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

import structlog
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from dialer import unix_socket
from dialer.errors import BadValue, CannotListen
from dialer.safe_files import UnsafeFile

log = structlog.get_logger()


async def listen(reactor: Any, endpoint: str, factory: IProtocolFactory, setting: str) -> IListeningPort:
    """Listen on a Twisted endpoint. Raises `BadValue` for what is no endpoint, `CannotListen` for one that cannot be had."""
    if endpoint.startswith(unix_socket.KIND):
        return _listen_in_file_system(reactor, endpoint, factory, setting)
    try:
        there = serverFromString(reactor, endpoint)
    except (KeyError, IndexError):
        raise BadValue(setting, f"{endpoint!r}: systemd has passed no such socket") from None
    except Exception as error:
        # Anything that the plugin for that kind of endpoint raises: ValueError, TypeError, the errors of TLS and of files.
        raise BadValue(setting, f"{endpoint!r} is not an endpoint: {error or type(error).__name__}") from None
    try:
        port: IListeningPort = await there.listen(factory)
    except CannotListenError as error:
        raise CannotListen(setting, f"{error.interface or '*'}:{error.port}", _reason(error.socketError)) from None
    except OSError as error:
        raise CannotListen(setting, endpoint, _reason(error)) from None
    return port


def _listen_in_file_system(reactor: Any, endpoint: str, factory: IProtocolFactory, setting: str) -> IListeningPort:
    try:
        where = unix_socket.parse(endpoint)
    except ValueError as error:
        raise BadValue(setting, f"{endpoint!r} is not an endpoint: {error}") from None
    try:
        port: IListeningPort = unix_socket.listen_at(reactor, where, factory)
    except UnsafeFile as error:
        raise CannotListen(setting, f"{where.path}", error.problem) from None
    except OSError as error:
        raise CannotListen(setting, f"{where.path}", _reason(error)) from None
    return port


def address_of(port: IListeningPort) -> str:
    """`host:port`, or the path of a UNIX socket."""
    address: Any = port.getHost()
    if hasattr(address, "name"):
        return f"unix:{address.name.decode() if isinstance(address.name, bytes) else address.name}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def local_address_of(port: IListeningPort) -> str:
    """The address at which a switch on this machine finds what listens there, or everywhere."""
    return address_of(port).replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "127.0.0.1:")


def _reason(error: Any) -> str:
    return getattr(error, "strerror", None) or str(error)


class Site(Protocol):
    """A server of HTTP: a protocol factory with limits that can be changed, and that can be drained. `answered` counts its
    answers by route and by the first digit of their status."""

    noisy: bool

    @property
    def answered(self) -> Mapping[tuple[str, int], int]: ...

    @property
    def connections(self) -> int:
        """How many are open."""
        ...

    @property
    def failed_logins(self) -> int:
        """How often credentials were wrong."""
        ...

    def use(self, settings: Any) -> None:
        """Other limits, from now on."""
        ...

    def drain(self) -> Deferred[None]:
        """Answer what is in flight and close every connection; when cancelled, close them at once."""
        ...


@define(eq=False)
class WebServer:
    """A port with a site behind it."""

    reactor: Any
    site: Site
    _port: IListeningPort | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        """Where it listens: `host:port`, or the path of a socket; "" when it does not."""
        return "" if self._port is None else address_of(self._port)

    async def start(self, endpoint: str, setting: str = "http.endpoint") -> None:
        """Listen where `setting` says. Raises `BadValue`, `CannotListen`."""
        self.site.noisy = False
        self._port = await listen(self.reactor, endpoint, cast(Any, self.site), setting)

    async def stop(self, seconds: float) -> None:
        """Accept no more connections, answer the requests in flight, and close all connections: at the latest after so many
        seconds. Nothing happens when it does not listen."""
        if self._port is None:
            return
        port, self._port = self._port, None
        await maybeDeferred(port.stopListening)
        drained = self.site.drain()
        timer = self.reactor.callLater(seconds, _cut_off, drained, seconds)
        try:
            await drained
        except CancelledError:
            return
        if timer.active():
            timer.cancel()


def _cut_off(drained: Deferred[None], seconds: float) -> None:
    log.warning("requests were cut off", after=f"{seconds} s")
    drained.cancel()
