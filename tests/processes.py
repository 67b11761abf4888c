"""Processes of the product, as tests start them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment(**more: str) -> dict[str, str]:
    """What a child process gets: this copy of the product, and nothing of the service manager that may run the tests."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "JOURNAL_STREAM")}
    return {**inherited, "PYTHONPATH": str(ROOT), **more}


def command(*arguments: object) -> list[str]:
    """The command line of `dialer ...`."""
    return [sys.executable, "-m", "dialer", *map(str, arguments)]


def interpreted(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, from the start of an interpreter on. `tests.forks.dialer` is quicker."""
    return subprocess.run(
        command(*arguments), cwd=cwd, capture_output=True, text=True, env=environment(), stdin=subprocess.DEVNULL, timeout=60
    )


def process_stat(pid: int) -> tuple[str, int] | None:
    """The state and the parent of a process, None when it is gone."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return state, int(parent)


def is_alive(pid: int) -> bool:
    """Whether a process can do anything: a zombie cannot."""
    stat = process_stat(pid)
    return stat is not None and stat[0] not in "ZX"


_PORTS = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections: a free one stays free while its process is dead."""


def _candidates() -> Iterator[int]:
    begin = os.getpid() * 97 % len(_PORTS)
    return cycle([*_PORTS[begin:], *_PORTS[:begin]])


_next = _candidates()
_claims: list[socket.socket] = []


def lasting_port() -> int:
    """A TCP port on 127.0.0.1 for a process that is killed and started again. Each call gives another one, in whichever of the
    test processes of this machine: a name among the kernel's sockets claims it until the one that asked has ended."""
    for port in _next:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0dialer-tests-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise AssertionError("unreachable")
