"""The whole flow: a dialer and a simulator, each a process of its own, TCP, SQLite on disk with `synchronous=FULL`.

Calls take 6.7 s on average and a third of them is answered: those ring for 2 s and hear 4.7 s of audio in a session of the
outbound server; the others ring for 6.7 s and are rejected. What counts is the dialer's CPU per call.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.processes import cpu_seconds, raise_file_limit, resident_bytes, simulator

MIX = "[stays:ring=2]=1,[rejected_ringing:ring=6.7]=2"
AUDIO = "tone_stream://%(4700,0,440)"
WARM_UP = 10.0


def main() -> None:
    """Print the figures of one run."""
    parser = argparse.ArgumentParser(prog="python -m bench.flow")
    parser.add_argument("--rate", type=float, default=300.0, help="calls per second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured time (default: %(default)s)")
    parser.add_argument("--folder", help="where the database is written (default: a temporary one)")
    parser.add_argument("--profile", help="write a profile of the dialer to this file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(json.loads(arguments.child))
        return
    raise_file_limit()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder, simulator(
        "--sps", "0", "--max-sessions", "0", "--mix", MIX
    ) as (port, simulator_pid):
        task = {
            "port": port,
            "database": str(Path(folder) / "flow.sqlite3"),
            "rate": arguments.rate,
            "seconds": arguments.seconds,
            "simulator": simulator_pid,
            "profile": arguments.profile,
        }
        command = [sys.executable, "-m", "bench.flow", "--child", json.dumps(task)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        _print(arguments.rate, json.loads(output.splitlines()[-1]))


def _print(rate: float, found: dict[str, float]) -> None:
    per_call = 1000 * found["cpu"] / found["calls"]
    print(f"flow: asked {rate:.0f} calls/s, finished {found['calls'] / found['seconds']:.1f}/s over {found['seconds']:.0f} s")
    print(f"  dialer CPU per call {per_call:.2f} ms (limit 3, target 2); {100 * found['cpu'] / found['seconds']:.0f} % of a core")
    print(f"  of it the reactor thread {1000 * found['main_cpu'] / found['calls']:.2f} ms")
    print(f"  simulator CPU per call {1000 * found['simulator_cpu'] / found['calls']:.2f} ms")
    print(f"  concurrent calls {found['live']:.0f} at most; worst second {found['worst_second']:.0f} calls sent")
    print(f"  resident memory at the end {found['resident'] / 1e6:.0f} MB")


def _child(task: dict[str, object]) -> None:
    from bench.dialling import Load, dial, sleep

    rate, seconds = float(task["rate"]), float(task["seconds"])
    load = Load(
        port=int(task["port"]),
        database=Path(str(task["database"])),
        contacts=int(rate * (seconds + 2 * WARM_UP)),
        calls_per_minute=round(rate * 60),
        audio=AUDIO,
    )
    pid, other = os.getpid(), int(task["simulator"])
    profile = None
    if task["profile"]:
        import cProfile

        profile = cProfile.Profile()

    async def watch(service, ended):
        await sleep(WARM_UP)
        if profile:
            profile.enable()
        began = service.reactor.seconds()
        calls, cpu, simulator_cpu = ended[0], cpu_seconds(pid), cpu_seconds(other)
        main_cpu = _thread_cpu()
        live = 0
        while service.reactor.seconds() - began < seconds:
            await sleep(1)
            live = max(live, service.lifecycle.open_count)
        if profile:
            profile.disable()
            profile.dump_stats(str(task["profile"]))
        found = {
            "seconds": service.reactor.seconds() - began,
            "calls": ended[0] - calls,
            "cpu": cpu_seconds(pid) - cpu,
            "main_cpu": _thread_cpu() - main_cpu,
            "simulator_cpu": cpu_seconds(other) - simulator_cpu,
            "live": live,
            "worst_second": service.pace.pace().worst_second,
            "resident": resident_bytes(pid),
        }
        print(json.dumps(found))

    dial(load, watch)


def _thread_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
