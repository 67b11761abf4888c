"""A simulator in a process of its own, and what the operating system knows of a process."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

AGAIN = "again\n"
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def raise_file_limit() -> int:
    """As many open files as this process and those that it starts may have; a session is a socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, what it shares with others included."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def private_bytes(pid: int) -> int:
    """Resident memory that a process shares with nobody."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024


@contextlib.contextmanager
def simulator(*options: str) -> Iterator[tuple[int, int]]:
    """Run one; gives (port, process id)."""
    port = free_port()
    command = [sys.executable, "-m", "dialer", "simulate", "--port", str(port), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit("the simulator did not start")


class Child:
    """A benchmark's other process: `python -m MODULE --child TASK`. It says one JSON line at a time and goes on when it is
    told to."""

    def __init__(self, module: str, task: dict[str, Any]) -> None:
        command = [sys.executable, "-m", module, "--child", json.dumps(task)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def hear(self) -> dict[str, Any]:
        """The next thing that it says."""
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the process of a benchmark ended with status {self._process.wait()}")
        return json.loads(line)

    def go_on(self, *, again: bool = False) -> None:
        """Let it do the next step, or the same one again."""
        self._process.stdin.write(AGAIN if again else "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """It has said everything."""
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._process.kill()
        self._process.wait()


def say(what: dict[str, Any]) -> None:
    """In a child: tell the parent."""
    print(json.dumps(what), flush=True)
