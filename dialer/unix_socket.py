"""A port in the file system: who may connect is decided before anybody can, and nothing but a dead socket is removed for it.

Twisted's own makes the socket for everybody, changes its mode by its name afterwards, and removes what has the name when it
stops; a link that was put there meanwhile would lead it elsewhere.
"""

from __future__ import annotations

import contextlib
import grp
import os
import re
import socket
import stat
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet import tcp, unix
from twisted.internet.interfaces import IProtocolFactory
from twisted.python.failure import Failure

from dialer.errors import DialerError
from dialer.safe_files import Folder, UnsafeFile
from dialer.safe_paths import parent_of

KIND = "unix:"
MODE = 0o660
"""The dialer's user and the group of the socket may connect, which is write permission (unix(7))."""
_EXPECTED = "expected unix:PATH[:mode=660][:group=NAME][:backlog=50]"


@frozen(kw_only=True)
class UnixEndpoint:
    """Where to listen, for whom. `group` is a group's number, None for that of the process."""

    path: Path
    mode: int = MODE
    group: int | None = None
    backlog: int = 50


def parse(endpoint: str) -> UnixEndpoint:
    """Read `unix:PATH` with options, in Twisted's syntax: a colon in the path has a backslash before it. `lockfile`, an option
    of Twisted's, is without effect. Raises `ValueError`."""
    _, *parts = (re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\):", endpoint))
    path, *options = parts or [""]
    given = dict(option.partition("=")[::2] for option in options)
    unknown = given.keys() - {"mode", "group", "backlog", "lockfile"}
    path = path.removeprefix("address=")
    if unknown or not path or "\0" in path:
        raise ValueError(_EXPECTED)
    try:
        mode, backlog = int(given.get("mode", f"{MODE:o}"), 8), int(given.get("backlog", "50"))
        group = grp.getgrnam(given["group"]).gr_gid if "group" in given else None
    except KeyError:
        raise ValueError(f"there is no group {given['group']!r}") from None
    except ValueError:
        raise ValueError(_EXPECTED) from None
    if not 0 <= mode <= 0o777 or backlog < 1:
        raise ValueError(_EXPECTED)
    return UnixEndpoint(path=Path(path), mode=mode, group=group, backlog=backlog)


def listen_at(reactor: Any, where: UnixEndpoint, factory: IProtocolFactory) -> UnixPort:
    """Listen. Raises `OSError` for a place that cannot be had, `UnsafeFile` for one that is something else's."""
    with parent_of(where.path) as (folder, name):
        _remove_dead(folder, name, where.path)
        bound = _bound(folder, name, where)
        status = folder.status(name)
    port = UnixPort(bound, where, factory, reactor, status)
    port.startListening()
    return port


class UnixPort(unix.Port):
    """A socket that is bound already, as a port of Twisted's."""

    def __init__(
        self,
        bound: socket.socket,
        where: UnixEndpoint,
        factory: Any,
        reactor: Any,
        status: os.stat_result | None,
    ) -> None:
        super().__init__(os.fsencode(where.path), factory, backlog=where.backlog, reactor=reactor)
        self._factory = factory
        self._bound = bound
        self._where = where
        self._status = status

    def startListening(self) -> None:  # noqa: N802
        """Accept connections."""
        tcp._reservedFD.reserve()
        self._bound.listen(self._where.backlog)
        self._factory.doStart()
        self.connected = True
        self.socket = self._bound
        vars(self)["fileno"] = self._bound.fileno
        self.numberAccepts = 100
        self.startReading()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """Remove the socket, if it is still the one that was made."""
        with contextlib.suppress(OSError, DialerError), parent_of(self._where.path) as (folder, name):
            status = folder.status(name)
            if status is not None and self._status is not None and _same(status, self._status):
                folder.remove(name)
        tcp.Port.connectionLost(self, reason)


def _bound(folder: Folder, name: str, where: UnixEndpoint) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.setblocking(False)
        # With the umask it has its mode from its first moment on; nobody can connect before `listen`.
        before = os.umask(0o777 & ~where.mode)
        try:
            bound.bind(str(where.path))
        finally:
            os.umask(before)
        status = folder.status(name)
        if status is None or not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
            raise UnsafeFile(where.path, "has become something else meanwhile")
        if where.group is not None:
            os.chown(name, -1, where.group, dir_fd=folder.descriptor, follow_symlinks=False)
    except BaseException:
        bound.close()
        raise
    return bound


def _remove_dead(folder: Folder, name: str, path: Path) -> None:
    """A socket that nobody listens on any more, as a process leaves it that was killed."""
    status = folder.status(name)
    if status is None:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise UnsafeFile(path, "is there already, and is no socket: it is not removed")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            folder.remove(name)
        except OSError:
            return


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
