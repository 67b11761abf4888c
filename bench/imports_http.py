"""Contacts from a file that is sent to a dialer which calls: the part of `bench.imports` that goes over HTTP."""

from __future__ import annotations

import base64
import http.client
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define

from tests.harness.node import Node

CALLED = 4000
"""Contacts of the campaign that calls meanwhile."""
LOGIN = "Basic " + base64.b64encode(b"admin:correct horse").decode()
BEFORE = 5.0
"""Seconds for which the dialer is looked at before the file comes."""


@define(eq=False)
class Dialer:
    """A running dialer, asked over HTTP."""

    node: Node

    def ask(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """The JSON of an answer."""
        host, _, port = self.node.addresses["http"].rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=600)
        headers = {"Authorization": LOGIN, **({"Content-Type": content_type} if body is not None else {})}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text[:1] in b"{[" else text.decode()

    def lag(self) -> Mapping[float, float]:
        """How often the reactor was late by at most so many seconds."""
        text = self.ask("GET", "/metrics")
        found = re.findall(r'dialer_reactor_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)', text)
        return {float(bound): float(count) for bound, count in found}

    def memory(self) -> float:
        """MB that are resident."""
        (kilobytes,) = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.node.pid}/status").read_text())
        return int(kilobytes) / 1024


def late(before: Mapping[float, float], after: Mapping[float, float], share: float) -> float:
    """Seconds within which that share of the turns in between began."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in after}
    whole = max(counts.values())
    return min((bound for bound, count in counts.items() if count >= share * whole), default=0.0)


def measure(dialer: Dialer, file: Path, phonebook_id: int, rows: int) -> list[str]:
    """Send the file, and wait until it is taken."""
    first = dialer.lag()
    time.sleep(BEFORE)
    idle, memory = dialer.lag(), dialer.memory()
    began = time.perf_counter()
    with file.open("rb") as stream:
        job = dialer.ask("POST", f"/api/v2/imports?phonebook_id={phonebook_id}", stream, "text/csv")
    sent = time.perf_counter() - began
    most = memory
    while job["state"] in ("queued", "running"):
        time.sleep(0.2)
        job = dialer.ask("GET", f"/api/v2/imports/{job['id']}")
        most = max(most, dialer.memory())
    seconds = time.perf_counter() - began
    after = dialer.lag()
    if job["taken"] != rows:
        raise RuntimeError(f"not imported: {job}")
    return [
        f"  over HTTP               {rows / seconds:10,.0f} rows/s ({sent:.1f} s of {seconds:.1f} s to send), memory {memory:.0f} MB, "
        f"at most {most:.0f} MB",
        "  the reactor was late by at most "
        + ", ".join(
            f"{late(first, idle, share) * 1000:g} ms before and {late(idle, after, share) * 1000:g} ms meanwhile in {share:.1%}"
            for share in (0.5, 0.99, 0.999)
        ),
    ]
