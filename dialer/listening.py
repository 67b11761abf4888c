"""Listening where a setting says, with errors that name the setting."""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from dialer.errors import BadValue, CannotListen


async def listen(reactor: Any, endpoint: str, factory: IProtocolFactory, setting: str) -> IListeningPort:
    """Listen on a Twisted endpoint. Raises `BadValue` for what is no endpoint, `CannotListen` for one that cannot be had."""
    try:
        there = serverFromString(reactor, endpoint)
    except (KeyError, IndexError):
        raise BadValue(setting, f"{endpoint!r}: systemd has passed no such socket") from None
    except Exception as error:
        # Whatever the plugin for that kind of endpoint raises: ValueError, TypeError, the errors of TLS and of files.
        raise BadValue(setting, f"{endpoint!r} is not an endpoint: {error or type(error).__name__}") from None
    try:
        port: IListeningPort = await there.listen(factory)
    except CannotListenError as error:
        raise CannotListen(setting, f"{error.interface or '*'}:{error.port}", _reason(error.socketError)) from None
    except OSError as error:
        raise CannotListen(setting, endpoint, _reason(error)) from None
    return port


def address_of(port: IListeningPort) -> str:
    """`host:port`, or the path of a UNIX socket."""
    address: Any = port.getHost()
    if hasattr(address, "name"):
        return f"unix:{address.name.decode() if isinstance(address.name, bytes) else address.name}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def _reason(error: Any) -> str:
    return getattr(error, "strerror", None) or str(error)
