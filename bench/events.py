"""Events per second, end to end over the loopback interface: our decoder against a plain Twisted LineReceiver client.

A process of its own sends the same recorded-size events (152 headers, 6.9 kB) as fast as they are taken; the receiver reads 12
headers of each. Both clients are measured in turn, several times, in one run; the best time of each counts, because other work
on the machine can only slow a run down. Run: python -m bench.events [EVENTS]
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import react
from twisted.protocols.basic import LineReceiver

from dialer.esl.events import EslEvent
from dialer.esl.protocol import EventSocket

HEADERS = 152
SIZE = 6_900
ROUNDS = 3
READ = ["Event-Name", "Unique-ID", "Event-Date-Timestamp", *(f"variable_benchmark_{n:03d}" for n in range(0, 135, 15))]


def make_event() -> dict[str, str]:
    """An event of the size of a recorded CHANNEL_EXECUTE; as there, few values need to be percent-encoded."""
    headers = {
        "Event-Name": "CHANNEL_ANSWER",
        "Unique-ID": "b132474e-e64f-41b8-9fef-abff31f0a689",
        "Event-Date-Timestamp": "1795403104085902",
    }
    words = ("sofia/internal/5551000", "1795403104085902", "NORMAL_CLEARING", "Mon, 23 Nov 2026")
    names = [f"variable_benchmark_{n:03d}" for n in range(HEADERS - len(headers))]
    rest = SIZE - len(json.dumps(headers, separators=(",", ":"))) - sum(len(name) + 6 for name in names)
    return headers | {name: (words[n % 4] * 3)[: rest // len(names)] for n, name in enumerate(names)}


def json_frame() -> bytes:
    """As `event json` sends it."""
    body = json.dumps(make_event(), separators=(",", ":")).encode()
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(body) + body


def plain_frame() -> bytes:
    """As `event plain` sends it."""
    body = "".join(f"{name}: {value.replace(' ', '%20')}\n" for name, value in make_event().items()).encode() + b"\n"
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(body) + body


def send(listener: socket.socket, frame: bytes, events: int) -> None:
    """Serve connections: to each, the events."""
    many = frame * 64
    while True:
        connection, _ = listener.accept()
        for _ in range(events // 64):
            connection.sendall(many)
        connection.close()


class Counting:
    """Counts, and reads twelve headers of each event."""

    def __init__(self, read: Callable[[Any], object]) -> None:
        self.read = read
        self.count = 0
        self.done: Deferred[None] = Deferred()

    def connected(self) -> None:
        """Nothing to ask for: the events come by themselves."""

    def happened(self, event: Any) -> None:
        self.read(event)
        self.count += 1

    def lost(self, _reason: object = None) -> None:
        self.done.callback(None)


def read_ours(event: EslEvent) -> None:
    for name in READ:
        event.value(name)


class LineClient(LineReceiver):
    """A plain Event Socket client: header lines by LineReceiver, the body by length, a dict for each event."""

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20

    def __init__(self, counting: Counting) -> None:
        self.counting = counting
        self.length = 0
        self.body = b""

    def lineReceived(self, line: bytes) -> None:
        if line.startswith(b"Content-Length: "):
            self.length = int(line[16:])
        elif not line:
            self.setRawMode()

    def rawDataReceived(self, data: bytes) -> None:
        self.body += data
        if len(self.body) >= self.length:
            body, rest = self.body[: self.length], self.body[self.length :]
            self.body = b""
            headers = {}
            for line in body.decode("utf-8", "replace").split("\n"):
                name, _, value = line.partition(": ")
                headers[name] = unquote(value)
            self.counting.happened(headers)
            self.setLineMode(rest)

    def connectionLost(self, reason: Any = None) -> None:
        self.counting.lost()


def read_theirs(headers: dict[str, str]) -> None:
    for name in READ:
        headers.get(name, "")


async def measure(port: int, counting: Counting, protocol: Callable[[], Protocol]) -> tuple[float, float]:
    """Events per second of wall time, and per second of this process's CPU."""
    cpu, wall = time.process_time(), time.perf_counter()
    await TCP4ClientEndpoint(reactor, "127.0.0.1", port).connect(Factory.forProtocol(protocol))
    await counting.done
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return counting.count / wall, counting.count / cpu


async def compare(events: int) -> None:
    """Measure both and print the figures."""
    kinds = {"event json, dialer.esl": (json_frame(), read_ours), "event plain, LineReceiver": (plain_frame(), read_theirs)}
    best: dict[str, tuple[float, float]] = {}
    for name, (frame, read) in kinds.items():
        count = events if read is read_ours else events // 8
        listener = socket.create_server(("127.0.0.1", 0))
        sender = multiprocessing.Process(target=send, args=(listener, frame, count), daemon=True)
        sender.start()
        port = listener.getsockname()[1]
        for _ in range(ROUNDS):
            counting = Counting(read)
            build = (lambda c=counting: EventSocket(c)) if read is read_ours else (lambda c=counting: LineClient(c))
            figures = await measure(port, counting, build)
            assert counting.count == count // 64 * 64, (counting.count, count)
            best[name] = max(best.get(name, (0.0, 0.0)), figures)
        sender.kill()
        sender.join()
        listener.close()
        print(f"{name:28} {best[name][0]:9,.0f} events/s   {best[name][1]:9,.0f} events/s of CPU   ({len(frame)} bytes each)")
    ours, theirs = best.values()
    print(f"ratio {ours[0] / theirs[0]:.1f} (by CPU {ours[1] / theirs[1]:.1f})")
    print(f"{HEADERS} headers, {len(READ)} read; {os.cpu_count()} cores")


def main(events: int = 200_000) -> None:
    """Run, in a process of its own."""
    react(lambda _: ensureDeferred(compare(events)))


if __name__ == "__main__":
    main(*[int(argument) for argument in sys.argv[1:]])
