"""What PostgreSQL costs, and what a second node costs: the CPU of a call in the dialer, in the server and in the simulator.

Four runs, one after the other, with the calls of `bench.flow`: one node on SQLite, one node on PostgreSQL, the same at half
the rate, and two nodes that share campaign and switch. The server keeps its data on disk and waits for it, as SQLite does. All
processes share the cores of one machine: what is to be compared is the CPU of a call, and whether the rate is held.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.flow import MIX, WARM_UP
from bench.processes import Child, cpu_seconds, raise_file_limit, simulator
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.postgresql import Server

RATE = 200.0
SECONDS = 30.0


def main(rate: float = RATE, seconds: float = SECONDS) -> None:
    """Print the three runs, and how they compare."""
    raise_file_limit()
    with tempfile.TemporaryDirectory() as folder:
        (file,) = _run([sqlite_url(Path(folder) / "bench.sqlite3")], rate, seconds)
    _print("1 node, SQLite", [file])
    with Server.running(durable=True) as server:
        (one,) = _run([server.new_database()], rate, seconds, server)
        _print("1 node, PostgreSQL", [one])
        (half,) = _run([server.new_database()], rate / 2, seconds, server)
        _print("1 node, PostgreSQL, half the rate", [half])
        url = server.new_database()
        two = _run([url, url], rate, seconds, server)
        _print("2 nodes, PostgreSQL", two)
    print(f"nodes: a call on PostgreSQL costs the dialer {one['cpu_ms'] / file['cpu_ms']:.2f} times that on SQLite")
    ratios = ", ".join(f"{each['cpu_ms'] / half['cpu_ms']:.2f}" for each in two)
    print(
        f"nodes: with two nodes, a call costs each of them {ratios} times that of one node alone at half the rate (limit 1.10)"
    )


def _run(urls: Sequence[str], rate: float, seconds: float, server: Server | None = None) -> list[dict[str, Any]]:
    upgrade(urls[0])
    with simulator("--sps", "0", "--max-sessions", "0", "--mix", MIX) as (port, simulator_pid), _database_cpu(server) as used:
        task = {
            "rates": [rate],
            "together": rate,
            "seconds": seconds,
            "warm_up": WARM_UP,
            "profile": "",
            "tries": 1,
        }
        children = []
        for number, url in enumerate(urls):
            more = {"port": port, "database": url, "simulator": simulator_pid, "node": f"n{number}", "joins": number > 0}
            children.append(Child("bench.flow", task | more))
        found = [child.hear() for child in children]
        for child in children:
            child.end()
    sent = sum(each["sent"] for each in found)
    for each in found:
        each["together"] = sent
        each["database_share"] = used[0] / (seconds + WARM_UP)
    return found


@contextmanager
def _database_cpu(server: Server | None) -> Iterator[list[float]]:
    """The CPU seconds of the server in the block, those of its sessions that ended included."""
    used = [0.0]
    before = _cpu_of(server)
    yield used
    used[0] = _cpu_of(server) - before


def _cpu_of(server: Server | None) -> float:
    if server is None or server.process is None:
        return 0.0
    pid = server.process.pid
    ended = [int(value) for value in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]]
    running = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid:
                running += cpu_seconds(int(entry.name))
    return running + cpu_seconds(pid) + sum(ended) / 100


def _print(name: str, found: Sequence[dict[str, Any]]) -> None:
    together = found[0]["together"]
    print(
        f"nodes: {name}: sent {together:.1f} calls/s in all; the simulator {found[0]['simulator_share']:.0%} of a core", end=""
    )
    print(f", the database {found[0]['database_share']:.0%}" if "PostgreSQL" in name else "")
    for each in found:
        print(
            f"  {each['sent']:6.1f}/s, CPU {each['cpu_ms']:.2f} ms a call (reactor thread {each['reactor_ms']:.2f}), "
            f"{each['dialer_share']:.0%} of a core; lag 99 % {each['lag_99'] * 1e3:.0f} ms; gaps' deviation "
            f"{each['gap_deviation_ms']:.1f} ms",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.nodes", description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE, help="calls per second in all (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="measured time of each run (default: %(default)s)")
    arguments = parser.parse_args()
    main(arguments.rate, arguments.seconds)
