"""What clients of live events cost: CPU of the dialer for each call and in all, its memory, and the time from an event to its
arrival, beside calls at a given pace; with none, with some, and with many that do not read.

`python -m bench.live [--clients N] [--rate R] [--seconds S]` runs the dialer with its API, a simulator and the clients on
loopback in a process each. Each client follows all events of a superuser. The dialers of the cases run one after the other,
each on a new database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from attrs import evolve
from twisted.internet import reactor

from api import build_site
from bench.dialling import Dialling, Load, dial, sleep
from bench.processes import raise_file_limit, resident_bytes, simulator
from dialer.management import Management, tokens
from dialer.model import Scope
from dialer.settings import HttpSettings
from dialer.store.location import sqlite_url
from dialer.wall_clock import utc_now

WARM_UP = 4.0
"""Seconds of dialling, at the least, that are not measured, in which the clients connect."""
EACH: Final = 20
"""One client in so many looks at the moments of events."""
SETTINGS = HttpSettings(
    max_connections=20_000, max_connections_per_address=20_000, max_streams=10_000, max_streams_per_user=10_000,
    requests_per_minute=0,
)  # fmt: skip


# --- the clients ------------------------------------------------------------------------------------------------------------


async def follow(port: int, token: str, late: list[float], counts: list[int], *, reads: bool, looks: bool) -> None:
    """One client. One that `looks` notes how old each event is when it comes; the others count what comes, so that it is not
    they who are measured."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    writer.write(f"GET /api/v2/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    if not reads:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(3600)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(head.decode())
    while not looks and (some := await reader.read(65_536)):
        counts[0] += some.count(b"\ndata: ")
    while line := await reader.readline():
        counts[0] += line.startswith(b"data: ")
        if line.startswith(b"data: "):
            begin = line.index(b'"timestamp":"') + 13
            late.append(time.time() - datetime.fromisoformat(line[begin : line.index(b'"', begin)].decode()).timestamp())


async def clients(options: argparse.Namespace) -> None:
    """All of them; tells the figures of the time that is measured."""
    late: list[float] = []
    counts = [0]
    following = [
        asyncio.create_task(
            follow(options.port, options.token, late, counts, reads=index >= options.stalled, looks=index % EACH == EACH - 1)
        )
        for index in range(options.clients)
    ]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    late.clear()
    counts[0] = 0
    await asyncio.sleep(options.seconds)
    failed = [each for each in following if each.done()]
    found = sorted(late)
    print(json.dumps({"events": counts[0], "late": found[:: max(1, len(found) // 10_000)], "gone": len(failed)}), flush=True)


# --- the dialer -------------------------------------------------------------------------------------------------------------


def serve(options: argparse.Namespace) -> None:
    """Dial for a while with clients, and say what it cost."""

    async def watch(dialling: Dialling) -> None:
        management = Management(dialling.service.database, utc_now, dialling.service, reactor)
        management.start()
        site = build_site(management, SETTINGS, reactor)
        port: Any = reactor.listenTCP(0, site, backlog=1000, interface="127.0.0.1")  # type: ignore[attr-defined]
        who = evolve(dialling.user, is_superuser=True)
        made = await management.ask(tokens.create, who, {"name": "bench", "scopes": [Scope.READ]})
        before = resident_bytes(os.getpid())
        arguments = [f"--port={port.getHost().port}", f"--token={made.text}", f"--seconds={options.seconds}"]
        arguments += [f"--clients={options.clients}", f"--stalled={options.stalled}", "--child=clients"]
        command = [sys.executable, "-m", "bench.live", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        await sleep(WARM_UP)
        while site.streams < options.clients:
            await sleep(0.1)
        process.stdin.write("measure\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        streams, memory = site.streams, resident_bytes(os.getpid())
        cpu, began, sent = time.process_time(), time.perf_counter(), len(dialling.sent.times)
        await sleep(options.seconds)
        cpu, took, sent = time.process_time() - cpu, time.perf_counter() - began, len(dialling.sent.times) - sent
        after = resident_bytes(os.getpid())
        told, _ = process.communicate(timeout=60)
        found = json.loads(told)
        late = found["late"]
        figures = {
            "streams": streams,
            "left": site.streams,
            "rate": sent / took,
            "cpu": cpu / took,
            "events": found["events"] / took,
            "grown": (memory - before) / 1e6,
            "grown_later": (after - memory) / 1e6,
            "p50": 1000 * late[len(late) // 2] if late else 0,
            "p99": 1000 * late[len(late) * 99 // 100] if late else 0,
        }
        print(json.dumps(figures), flush=True)
        await port.stopListening()
        await site.drain()
        management.stop()

    contacts = int(options.rate * (options.seconds + WARM_UP + 30))
    folder = tempfile.mkdtemp(prefix="bench-live-")
    url = sqlite_url(Path(folder) / "bench.db")
    dial(Load(port=options.simulator, url=url, contacts=contacts, calls_per_minute=int(options.rate * 60)), watch)


# --- all of it --------------------------------------------------------------------------------------------------------------


def case(**options: object) -> dict[str, Any]:
    """What a dialer in a process of its own found."""
    arguments = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run(
        [sys.executable, "-m", "bench.live", "--child=dialer", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(count: int, rate: float, seconds: float) -> None:
    """Measure all cases, and print the figures."""
    simulated = ("--sps", "0", "--max-sessions", "0", "--mix", "[answers:ring=0.2,talk=2]=1")
    with simulator(*simulated) as (port, _):
        base: dict[str, Any] = {}
        for name, of_all, stalled in (
            ("no client", 0, 0),
            (f"{count // 5} clients", count // 5, 0),
            (f"{count} clients", count, 0),
            (f"{count} clients, half of which read nothing", count, count // 2),
        ):
            found = case(simulator=port, clients=of_all, stalled=stalled, rate=rate, seconds=seconds)
            base = base or found
            print(
                f"{name}: {found['rate']:.1f} calls/s, {found['streams']} streams ({found['left']} at the end), "
                f"{found['cpu']:.1%} of a core ({found['cpu'] / base['cpu']:.1f} of that with none), {found['events']:.0f} "
                f"events/s told, from event to arrival p50 {found['p50']:.0f} ms, p99 {found['p99']:.0f} ms; memory "
                f"{found['grown']:+.1f} MB while they connect, {found['grown_later']:+.1f} MB after",
                flush=True,
            )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--rate", type=float, default=20.0, help="calls per second")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each case")
    for name in ("--simulator", "--port", "--stalled"):
        parser.add_argument(name, type=int, default=0, help=argparse.SUPPRESS)
    for name in ("--child", "--token"):
        parser.add_argument(name, default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    raise_file_limit()
    if options.child == "clients":
        asyncio.run(clients(options))
    elif options.child == "dialer":
        serve(options)
    else:
        compare(options.clients, options.rate, options.seconds)


if __name__ == "__main__":
    main()
