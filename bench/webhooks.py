"""What a webhook costs that is told everything: CPU for each call at a given pace, with none, with one event a request, and in
batches; the time from an event to its arrival; and how many deliveries a second there are at most.

`python -m bench.webhooks [--rate R] [--seconds S] [--events N] [--batch B]` runs the dialer, a simulator and a receiver on
loopback in a process each. The dialers of the three cases run one after the other, each on a new database.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from bench.dialling import Dialling, Load, dial, sleep
from bench.processes import free_port, simulator
from dialer.management import webhooks
from dialer.model import EventKind
from dialer.settings import WebhookSettings
from dialer.store import events
from dialer.store.events import About
from dialer.store.location import sqlite_url
from dialer.wall_clock import utc_now

WARM_UP = 3.0
"""Seconds of dialling that are not measured."""
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


# --- the receiver -----------------------------------------------------------------------------------------------------------


class Receiver(asyncio.Protocol):
    """Answers each request with 204, and one for `/figures` with what came since the last one."""

    late: list[float] = []  # noqa: RUF012 - of all connections
    requests = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            found = head.find(b"content-length: ")
            length = int(head[found + 16 :].split(b"\r\n")[0]) if found >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            self.transport.write(self.answer(head, body))

    def answer(self, head: bytes, body: bytes) -> bytes:
        if b"/figures" in head.split(b"\r\n")[0]:
            told = json.dumps({"requests": Receiver.requests, "late": sorted(Receiver.late)}).encode()
            Receiver.requests, Receiver.late = 0, []
            return b"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told)
        now, document = time.time(), json.loads(body)
        Receiver.requests += 1
        for event in document["events"] if document["type"] == "batch" else [document]:
            Receiver.late.append(now - datetime.fromisoformat(event["timestamp"]).timestamp())
        return ANSWER


async def receive(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port)
    await server.serve_forever()


@contextlib.contextmanager
def receiver() -> Iterator[int]:
    """One in a process of its own; gives its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.webhooks", "--receiver", str(port)])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                figures(port)
                break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def figures(port: int) -> dict[str, Any]:
    """What came since the last time."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/figures")
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return found


# --- the dialer -------------------------------------------------------------------------------------------------------------


async def add_webhook(dialling: Dialling, port: int, batch: int) -> None:
    """One that is told everything."""
    given = {"url": f"http://127.0.0.1:{port}/", "kinds": "*", "batch_size": batch}
    await dialling.management.ask(webhooks.add, dialling.user, given, dialling.management.receivers)


def calls(options: argparse.Namespace) -> None:
    """Dial for a while, and say what it cost."""

    async def watch(dialling: Dialling) -> None:
        if options.batch:
            await add_webhook(dialling, options.port, options.batch)
        await sleep(WARM_UP)
        if options.batch:
            figures(options.port)
        cpu, began, sent = time.process_time(), time.perf_counter(), len(dialling.sent.times)
        await sleep(options.seconds)
        cpu, took, sent = time.process_time() - cpu, time.perf_counter() - began, len(dialling.sent.times) - sent
        found = figures(options.port) if options.batch else {"requests": 0, "late": []}
        late = found["late"]
        print(
            json.dumps(
                {
                    "rate": sent / took,
                    "cpu_ms": 1000 * cpu / max(sent, 1),
                    "requests": found["requests"] / took,
                    "events": len(late) / took,
                    "p50_ms": 1000 * late[len(late) // 2] if late else None,
                    "p99_ms": 1000 * late[len(late) * 99 // 100] if late else None,
                }
            )
        )

    contacts = int(options.rate * (options.seconds + WARM_UP + 5))
    dial(load(options, contacts), watch)


def drain(options: argparse.Namespace) -> None:
    """Tell events that are there already, as fast as it goes."""

    async def watch(dialling: Dialling) -> None:
        def add(connection: Any) -> None:
            for number in range(options.events):
                about = About(user_id=dialling.user.id, campaign_id=1, call_uuid=f"call-{number // 5}")
                events.add(connection, EventKind.ATTEMPT_ENDED, utc_now(), about, {"number": "15550000000"})

        await add_webhook(dialling, options.port, options.batch)
        figures(options.port)
        await dialling.service.database.run(add)
        cpu, began, arrived = time.process_time(), time.perf_counter(), 0
        while arrived < options.events:
            await sleep(0.2)
            arrived += len(figures(options.port)["late"])
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        print(json.dumps({"events": arrived / took, "cpu_ms": 1000 * cpu / arrived}))

    dial(load(options, 0), watch)


def load(options: argparse.Namespace, contacts: int) -> Load:
    folder = tempfile.mkdtemp(prefix="bench-webhooks-")
    return Load(
        port=options.simulator,
        url=sqlite_url(Path(folder) / "bench.db"),
        contacts=contacts,
        calls_per_minute=int(options.rate * 60),
        webhooks=WebhookSettings(allow=(ip_network("127.0.0.0/8"),)),
    )


# --- all of it --------------------------------------------------------------------------------------------------------------


def child(task: str, **options: object) -> dict[str, Any]:
    """What a dialer in a process of its own found."""
    arguments = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run(
        [sys.executable, "-m", "bench.webhooks", "--child", task, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(rate: float, seconds: float, count: int, batch: int) -> None:
    """Measure all cases, and print the figures."""
    simulated = ("--sps", "0", "--max-sessions", "0", "--mix", "[answers:ring=0.2,talk=2]=1")
    with simulator(*simulated) as (port, _), receiver() as told:
        base: dict[str, Any] = {}
        for name, size in (("no webhook", 0), ("one event a request", 1), (f"up to {batch} a request", batch)):
            found = child("calls", simulator=port, port=told, batch=size, rate=rate, seconds=seconds)
            base = base or found
            print(
                f"{name}: {found['rate']:.0f} calls/s, {found['cpu_ms']:.2f} ms CPU a call "
                f"({found['cpu_ms'] / base['cpu_ms']:.2f} of that with none)"
                + (
                    f", {found['events']:.0f} events/s in {found['requests']:.0f} requests/s, from event to arrival "
                    f"p50 {found['p50_ms']:.0f} ms, p99 {found['p99_ms']:.0f} ms"
                    if size
                    else ""
                ),
                flush=True,
            )
        for name, size in (("one event a request", 1), (f"up to {batch} a request", batch)):
            found = child("drain", simulator=port, port=told, batch=size, events=count)
            print(f"{count} that wait, {name}: {found['events']:.0f} events/s, {found['cpu_ms']:.2f} ms CPU each", flush=True)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=300.0, help="calls per second")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each case")
    parser.add_argument("--events", type=int, default=20_000, help="that wait")
    parser.add_argument("--batch", type=int, default=50, help="events in a request")
    for name in ("--receiver", "--simulator", "--port"):
        parser.add_argument(name, type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receiver:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(receive(options.receiver))
    elif options.child:
        (calls if options.child == "calls" else drain)(options)
    else:
        compare(options.rate, options.seconds, options.events, options.batch)


if __name__ == "__main__":
    sys.exit(main())
