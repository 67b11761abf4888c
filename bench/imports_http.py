"""Contacts from a file that is sent to a dialer which calls: the part of `bench.imports` that goes over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dialer.store.location import opened
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


def lag(running: Running) -> Mapping[float, float]:
    """How often the reactor was late by at most so many seconds."""
    text = ask(running, "GET", "/metrics")
    found = re.findall(r'dialer_reactor_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)', text)
    return {float(bound): float(count) for bound, count in found}


def processor(running: Running) -> float:
    """Seconds of a processor that the dialer has used."""
    cells = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")


def memory(running: Running) -> float:
    """MB that are resident."""
    (kilobytes,) = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{running.process.pid}/status").read_text())
    return int(kilobytes) / 1024


def late(before: Mapping[float, float], after: Mapping[float, float]) -> str:
    """Milliseconds within which those shares of the turns in between began."""
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
        first = lag(running)
        time.sleep(BEFORE)
        idle, least = lag(running), memory(running)
        began, used = time.perf_counter(), processor(running)
        with file.open("rb") as stream:
            job = ask(running, "POST", f"/api/v2/imports?phonebook_id={book}", stream)
        sent, most, full = time.perf_counter() - began, least, lag(running)
        while job["ended_at"] is None:
            time.sleep(0.2)
            job, most = ask(running, "GET", f"/api/v2/imports/{job['id']}"), max(most, memory(running))
        seconds, used, after = time.perf_counter() - began, processor(running) - used, lag(running)
    if job["taken"] != rows:
        raise RuntimeError(f"not imported: {job}")
    print(f"  {rows / seconds:,.0f} rows/s, {sent:.1f} s of {seconds:.1f} s to send it")
    print(f"  {used / rows * 1e6:.0f} microseconds of a processor a row, with the calls")
    print(f"  memory {least:.0f} MB before, {most:.0f} MB at most")
    print(f"  the reactor was late before: {late(first, idle)}")
    print(f"  while the file came:         {late(idle, full)}")
    print(f"  while it was taken:          {late(full, after)}", flush=True)
