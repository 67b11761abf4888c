"""A TCP connection whose bytes can be kept back, as a network or a socket's buffer does it: what lies between a dialer and
FreeSWITCH in these tests."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from threading import Condition, Thread
from typing import Final

from attrs import define, field

ORIGINATE: Final = re.compile(rb"origination_uuid=([0-9a-f-]{36}).*?strepoch\(\)\} >= (\d+)")
"""An originate on the wire: the call's UUID, and the second from which on the switch refuses it."""


@define(eq=False)
class Proxy:
    """Passes connections on to `host:to_port`; a context manager. After `hold`, what dialers send on the connections that are
    open stays here until `release`, their closing included; the other direction is not concerned, nor are new connections."""

    host: str
    to_port: int
    _listener: socket.socket = field(init=False)
    _changed: Condition = field(factory=Condition, init=False)
    _connections: list[_Connection] = field(factory=list, init=False)

    def __enter__(self) -> Proxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        number: int = self._listener.getsockname()[1]
        return number

    def hold(self) -> None:
        """Keep back what comes from now on."""
        with self._changed:
            for connection in self._connections:
                connection.holding = True

    def release(self) -> None:
        """What was kept back arrives."""
        with self._changed:
            for connection in self._connections:
                connection.holding = False
            self._changed.notify_all()

    def held(self) -> dict[str, int]:
        """The originates that are kept back: UUID, and deadline in the switch's clock."""
        with self._changed:
            data = b"\n".join(connection.kept for connection in self._connections)
        return {uuid.decode(): int(deadline) for uuid, deadline in ORIGINATE.findall(data)}

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection((self.host, self.to_port))
                except OSError:
                    near.close()
                    continue
                connection = _Connection(near, far, self._changed)
                with self._changed:
                    self._connections.append(connection)
                for pump in (connection.take, connection.onward, connection.back):
                    Thread(target=pump, name="proxy", daemon=True).start()


@define(eq=False)
class _Connection:
    """A pair of sockets; each method is a thread."""

    near: socket.socket
    far: socket.socket
    changed: Condition
    holding: bool = False
    kept: bytes = b""
    closed: bool = False

    def take(self) -> None:
        """What the dialer sends, until it closes or dies."""
        with suppress(OSError):
            while data := self.near.recv(65536):
                with self.changed:
                    self.kept += data
                    self.changed.notify_all()
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def onward(self) -> None:
        """To the switch, unless it is kept back."""
        with suppress(OSError):
            while True:
                with self.changed:
                    self.changed.wait_for(lambda: not self.holding and (self.kept or self.closed))
                    data, self.kept = self.kept, b""
                if not data:
                    break
                self.far.sendall(data)
            self.far.shutdown(socket.SHUT_WR)

    def back(self) -> None:
        """From the switch."""
        with suppress(OSError):
            while data := self.far.recv(65536):
                self.near.sendall(data)
            self.near.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all three."""
        for end in (self.near, self.far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
