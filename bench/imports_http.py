"""Contacts from a file that is sent to a dialer which calls: the part of `bench.imports` that goes over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import frozen

from dialer.store.connection import Connection
from dialer.store.location import opened
from dialer.store.times import from_column, to_column
from dialer.wall_clock import utc_now
from tests.integration.run_support import Running, change, good, headers, move_to, new_folder, started

CALLED = 4000
"""Contacts of the campaign that calls meanwhile, twenty a second."""
BEFORE = 10.0
"""Seconds for which the dialer is looked at before the file comes."""
SHARES = (0.5, 0.99, 1.0)


def ask(running: Running, method: str, path: str, body: Any = None) -> Any:
    """What is answered: JSON, or a text."""
    connection: http.client.HTTPConnection = running.connection()
    more = {} if body is None else {"Content-Type": "text/csv"}
    connection.request(method, path, body, {**headers(), **more})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
    return json.loads(text) if text.startswith("{") else text


@frozen
class Look:
    """How often the reactor was late, and how often a transaction waited for its beginning, by at most so many seconds."""

    lag: Mapping[float, float]
    waits: Mapping[float, float]


def look(running: Running) -> Look:
    """At the metrics of this moment."""
    text = ask(running, "GET", "/metrics")
    return Look(_buckets(text, "dialer_reactor_lag_seconds"), _buckets(text, "dialer_database_queue_seconds"))


def _buckets(text: str, name: str) -> Mapping[float, float]:
    found = re.findall(rf'{name}_bucket\{{le="([^"]+)"\}} ([0-9.e+]+)', text)
    return {float(bound): float(count) for bound, count in found}


def calls(connection: Connection, after: str, before: str) -> tuple[float, float]:
    """Calls that were begun a second between two moments, and the longest time between two of them, in seconds."""
    rows = connection.execute("SELECT due_at FROM attempt WHERE planned_at BETWEEN ? AND ? ORDER BY due_at", (after, before))
    moments = [from_column(at) for (at,) in rows.fetchall()]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    return len(gaps) / max(sum(gaps), 0.001), max(gaps, default=0.0)


def processor(running: Running) -> float:
    """Seconds of a processor that the dialer has used."""
    cells = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")


def memory(running: Running) -> float:
    """MB that are resident."""
    (kilobytes,) = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{running.process.pid}/status").read_text())
    return int(kilobytes) / 1024


def late(before: Mapping[float, float], after: Mapping[float, float]) -> str:
    """Milliseconds within which those shares of what was between two looks were."""
    counts = {bound: after[bound] - before[bound] for bound in after}
    whole = max(counts.values())
    found = [min(bound for bound, count in counts.items() if count >= share * whole) for share in SHARES]
    return ", ".join(f"{share:.0%} by at most {bound * 1000:g} ms" for share, bound in zip(SHARES, found, strict=True))


def measure(directory: Path, file: Path, rows: int, url: str = "") -> None:
    """Send the file to a dialer on a new database, or on the one at `url`, and print the figures."""
    folder = new_folder(directory / "dialer")
    if url:
        move_to(folder, url)
    change(folder, on_api="true")
    called = directory / "called.csv"
    called.write_text("contact\n" + "".join(f"1444{n:07}\n" for n in range(CALLED)))
    noun = ("--user", "admin", "--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App", "--voip-app-data", "15559999")
    good(folder, "campaign", "add", "calls", "--frequency", 1200, *noun)
    good(folder, "contact", "import", called, "--phonebook", "calls")
    good(folder, "campaign", "add", "filled", "--status", "pause", *noun)
    with started(folder) as running:
        with opened(url or f"sqlite:///{folder / 'dialer.db'}") as connection:
            ((book,),) = connection.execute("SELECT max(id) FROM phonebook").fetchall()
        print(f"{rows:,} contacts over HTTP, into a phonebook that a campaign uses, beside 20 calls/s", flush=True)
        first = look(running)
        time.sleep(BEFORE)
        idle, least = look(running), memory(running)
        began, used, begun_at = time.perf_counter(), processor(running), to_column(utc_now())
        with file.open("rb") as stream:
            job = ask(running, "POST", f"/api/v2/imports?phonebook_id={book}", stream)
        sent, most, full = time.perf_counter() - began, least, look(running)
        while job["ended_at"] is None:
            time.sleep(0.2)
            job, most = ask(running, "GET", f"/api/v2/imports/{job['id']}"), max(most, memory(running))
        seconds, used, end = time.perf_counter() - began, processor(running) - used, look(running)
        with opened(url or f"sqlite:///{folder / 'dialer.db'}") as connection:
            rate, gap = calls(connection, begun_at, to_column(utc_now()))
    if job["taken"] != rows:
        raise RuntimeError(f"not imported: {job}")
    print(f"  {rows / seconds:,.0f} rows/s, {sent:.1f} s of {seconds:.1f} s to send it")
    print(f"  {used / rows * 1e6:.0f} microseconds of a processor a row, with the calls")
    print(f"  memory {least:.0f} MB before, {most:.0f} MB at most")
    print(f"  {rate:.1f} calls/s meanwhile, {gap * 1000:.0f} ms between two of them at most")
    for what, before, after in (
        ("before", first, idle),
        ("while the file came", idle, full),
        ("while it was taken", full, end),
    ):
        print(f"  the reactor was late {what}: {late(before.lag, after.lag)}")
        print(f"  transactions waited {what}: {late(before.waits, after.waits)}", flush=True)
