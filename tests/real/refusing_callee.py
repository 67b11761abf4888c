"""Somebody who is called over SIP, is busy, and remembers how he was called: the bytes that a carrier would get."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping, Sequence

from attrs import define, field, frozen
from twisted.internet.protocol import DatagramProtocol

_ANSWERED = re.compile(r"(?:Via|From|To|Call-ID|CSeq):", re.IGNORECASE)
_FROM = re.compile(r'(?:"(.*)" )?<sip:([^@]*)@')


@frozen
class Invite:
    """An INVITE: its first line, and its headers in their order, a line that is none with an empty name."""

    request: str
    headers: Sequence[tuple[str, str]]

    @classmethod
    def parse(cls, data: bytes) -> Invite:
        """From a datagram."""
        request, *lines = data.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape").split("\r\n")
        parted = [line.partition(": ") for line in lines]
        return cls(request, [(name, value) if colon else ("", name) for name, colon, value in parted])

    @property
    def standard(self) -> Sequence[str]:
        """The names of the headers that do not begin with X-."""
        return [name for name, _ in self.headers if not name.startswith("X-")]

    @property
    def extra(self) -> Mapping[str, str]:
        """The headers that begin with X-, but for the one of FreeSWITCH itself."""
        return {name: value for name, value in self.headers if name.startswith("X-") and name != "X-FS-Support"}

    @property
    def dialled(self) -> str:
        """The number that was dialled, where `%23` stands for `#`."""
        return urllib.parse.unquote(self.request.removeprefix("INVITE sip:").partition("@")[0])

    @property
    def caller(self) -> tuple[str, str]:
        """The name and the number in `From`, where `%23` stands for `#`."""
        found = _FROM.match(dict(self.headers)["From"])
        assert found is not None, self.headers
        return found[1] or "", urllib.parse.unquote(found[2])


@define(eq=False)
class RefusingCallee(DatagramProtocol):
    """Listens for SIP over UDP. `invites` are those that came, repetitions included."""

    invites: list[Invite] = field(factory=list)

    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        """Refuse an INVITE; what else comes needs no answer."""
        if not data.startswith(b"INVITE "):
            return
        self.invites.append(Invite.parse(data))
        head = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
        kept = [line for line in head if _ANSWERED.match(line.decode("utf-8", "replace"))]
        tagged = [line + b";tag=callee" if line.lower().startswith(b"to:") else line for line in kept]
        self.transport.write(b"\r\n".join([b"SIP/2.0 486 Busy Here", *tagged, b"Content-Length: 0", b"", b""]), addr)
