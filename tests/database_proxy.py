"""A TCP proxy before a PostgreSQL server, which loses a connection at the worst moments, or falls silent.

Only as much of the protocol is known as is needed: a COMMIT is a simple query of its own (psycopg2 sends it so).
"""

from __future__ import annotations

import contextlib
import enum
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from attrs import define, field

COMMIT = b"COMMIT\0"


class Mischief(enum.Enum):
    """What happens at the next COMMIT."""

    LOSE_IT = "it does not arrive, and the connection breaks"
    LOSE_THE_ANSWER = "it is done, and the connection breaks before the answer"
    SILENCE = "it does not arrive, and nothing else does any more"


@define(eq=False)
class DatabaseProxy:
    """Forwards to `server`. `mischief` waits for COMMITs, in order; `met` counts those that it befell."""

    server: tuple[str, int]
    mischief: list[Mischief] = field(factory=list)
    met: int = 0
    connections: int = 0
    _listener: socket.socket = field(init=False)
    _stopping: threading.Event = field(factory=threading.Event)
    _threads: list[threading.Thread] = field(factory=list)
    _pairs: list[tuple[socket.socket, socket.socket]] = field(factory=list)

    @classmethod
    @contextmanager
    def before(cls, url: str) -> Iterator[tuple[DatabaseProxy, str]]:
        """The proxy, and the URL of the database behind it."""
        parts = urlsplit(url)
        proxy = cls((parts.hostname or "127.0.0.1", parts.port or 5432))
        proxy._listener = socket.create_server(("127.0.0.1", 0))
        proxy._listener.settimeout(0.1)
        port = proxy._listener.getsockname()[1]
        accepting = threading.Thread(target=proxy._accept, daemon=True)
        accepting.start()
        try:
            yield proxy, urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}"))
        finally:
            proxy._stopping.set()
            proxy.cut()
            accepting.join(5)
            for thread in proxy._threads:
                thread.join(5)
            proxy._listener.close()

    def cut(self) -> None:
        """Every connection breaks now."""
        for pair in list(self._pairs):
            _close(*pair)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            try:
                server = socket.create_connection(self.server, 5)
            except OSError:
                client.close()
                continue
            self.connections += 1
            self._pairs.append((client, server))
            thread = threading.Thread(target=self._forward, args=(client, server), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as waiting, contextlib.suppress(OSError, ValueError):
            waiting.register(client, selectors.EVENT_READ)
            waiting.register(server, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for key, _ in waiting.select(0.1):
                    source: socket.socket = key.fileobj  # type: ignore[assignment]
                    data = source.recv(65536)
                    if not data:
                        return _close(client, server)
                    if source is server:
                        client.sendall(data)
                    elif COMMIT in data and self.mischief:
                        self.met += 1
                        return self._befall(self.mischief.pop(0), client, server, data)
                    else:
                        server.sendall(data)
        return _close(client, server)

    def _befall(self, what: Mischief, client: socket.socket, server: socket.socket, data: bytes) -> None:
        if what is Mischief.LOSE_THE_ANSWER:
            server.sendall(data)
            server.settimeout(5)
            server.recv(65536)
        elif what is Mischief.SILENCE:
            # Until the client gives up: then its end is all that the server hears.
            while not self._stopping.is_set() and client.recv(65536):
                continue
        _close(client, server)


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
