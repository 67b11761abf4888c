"""A trunk of one's own: SIP over UDP in a thread beside the test, which answers every INVITE alike, and so every ping."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field

_KEPT = re.compile(rb"(?:Via|From|To|Call-ID|CSeq):", re.IGNORECASE)
_NUMBER = re.compile(rb"INVITE sip:([^@]*)@")
_MEDIA = re.compile(rb"^m=audio \d+ RTP/AVP ([0-9 ]+)\r?$", re.MULTILINE)
PHRASES = {200: "OK", 401: "Unauthorized", 403: "Forbidden", 486: "Busy Here", 488: "Not Acceptable Here", 503: "Unavailable"}
CHALLENGE = b'WWW-Authenticate: Digest realm="trunk", nonce="0123456789abcdef", algorithm=MD5, qop="auth"'


@define(eq=False)
class Trunk:
    """`status` is the answer to an INVITE; pings (OPTIONS) are welcome, or answered with 503. `numbers` are those that were
    called, and `offers` the payload types of their offers, in order; what is sent again does not count."""

    port: int
    status: int = 486
    welcomes_pings: bool = True
    numbers: list[str] = field(factory=list)
    offers: list[tuple[int, ...]] = field(factory=list)
    _seen: set[bytes] = field(factory=set)

    def answer(self, data: bytes) -> bytes | None:
        """To a request; None for none."""
        head = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
        method = head[0].partition(b" ")[0]
        if method == b"INVITE":
            self._note(data, next(line for line in head if line.lower().startswith(b"call-id:")))
            return self._reply(self.status, head)
        if method == b"OPTIONS":
            return self._reply(200 if self.welcomes_pings else 503, head)
        return None

    def _note(self, data: bytes, call_id: bytes) -> None:
        number = _NUMBER.match(data)
        if number is None or call_id in self._seen:
            return
        self._seen.add(call_id)
        self.numbers.append(number[1].decode())
        offered = _MEDIA.search(data)
        self.offers.append(() if offered is None else tuple(map(int, offered[1].split())))

    def _reply(self, status: int, head: list[bytes]) -> bytes:
        kept = [line for line in head if _KEPT.match(line)]
        tagged = [line + b";tag=trunk" if line.lower().startswith(b"to:") else line for line in kept]
        more = [CHALLENGE] if status == 401 else []
        first = f"SIP/2.0 {status} {PHRASES[status]}".encode()
        return b"\r\n".join([first, *tagged, *more, b"Content-Length: 0", b"", b""])


@contextmanager
def trunk() -> Iterator[Trunk]:
    """One that listens on a port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(0.1)
        found = Trunk(wire.getsockname()[1])
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    data, peer = wire.recvfrom(65536)
                except TimeoutError:
                    continue
                reply = found.answer(data)
                if reply is not None:
                    wire.sendto(reply, peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            over.set()
            thread.join()
