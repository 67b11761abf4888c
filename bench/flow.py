"""The whole flow: a dialer and a simulator, each a process of its own, TCP, SQLite on disk with `synchronous=FULL`.

Calls take 6.7 s on average and a third of them is answered: those ring for 2 s and hear 4.7 s of audio in a session of the
outbound server; the others ring for 6.7 s and are rejected. What counts is the dialer's CPU per call. `--search` raises the
rate in steps, in one run, until the calls that finish fall behind the asked rate or the reactor becomes late.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.processes import AGAIN, Child, cpu_seconds, raise_file_limit, resident_bytes, say, simulator
from dialer.store.location import sqlite_url

MIX = "[stays:ring=2]=1,[rejected_ringing:ring=6.7]=2"
AUDIO = "tone_stream://%(4700,0,440)"
RATE = 300.0
WARM_UP = 10.0
"""Seconds; no call lasts longer, so that as many end as begin."""
SEARCH_FIRST, SEARCH_STEP, SEARCH_STEPS, SEARCH_SECONDS = 450.0, 150.0, 3, 6.0
HELD = 0.97
LATE = 0.1
"""A reactor whose lag exceeds so many seconds once in a hundred times does not hold its rate."""


def main(seconds: float = 60.0, rate: float = RATE, profile: str = "") -> dict[str, Any]:
    """One run at one rate; prints and returns its figures."""
    (found,) = measure([rate], seconds, profile=profile)
    _print(found)
    return found


def search(first: float = SEARCH_FIRST, step: float = SEARCH_STEP, steps: int = SEARCH_STEPS) -> float:
    """The highest rate that was held; prints every step. One that is not held is tried twice: other work on the machine can
    only slow it down."""
    rates = [first + step * number for number in range(steps)]
    found = measure(rates, SEARCH_SECONDS, tries=2, show=_print_step)
    held = [each for each in found if _holds(each)]
    highest = min(held[-1]["asked"], held[-1]["finished"]) if held else 0.0
    print(f"flow: highest rate held {highest:.0f} calls/s; then {_limit(found[-1])}")
    return highest


def measure(
    rates: Sequence[float],
    seconds: float,
    *,
    warm_up: float = WARM_UP,
    profile: str = "",
    tries: int = 1,
    rules: str = "",
    show: Callable[[dict[str, Any]], None] = lambda _: None,
    caller_ids: int = 0,
) -> list[dict[str, Any]]:
    """The figures at each rate, one after the other, up to the first that is not held in so many tries."""
    raise_file_limit()
    task = {"rates": list(rates), "seconds": seconds, "warm_up": warm_up, "profile": profile, "tries": tries, "rules": rules}
    task["caller_ids"] = caller_ids
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        simulator("--sps", "0", "--max-sessions", "0", "--mix", MIX) as (port, simulator_pid),
    ):
        more = {"port": port, "database": sqlite_url(Path(folder) / "flow.sqlite3"), "simulator": simulator_pid}
        child = Child("bench.flow", task | more)
        left = len(rates), tries
        while all(left):
            found.append(child.hear())
            show(found[-1])
            left = (left[0] - 1, tries) if _holds(found[-1]) else (left[0], left[1] - 1)
            if all(left):
                child.go_on(again=left[1] < tries)
        child.end()
    return found


def _holds(found: dict[str, Any]) -> bool:
    slowest = min(found["sent"], found["finished"])
    return slowest >= HELD * found["asked"] and found["lag_99"] <= LATE


def _limit(found: dict[str, Any]) -> str:
    shares = {
        "the simulator": found["simulator_share"],
        "the dialer (its reactor thread)": found["reactor_share"],
        "the dialer (both threads)": found["dialer_share"],
    }
    name, share = max(shares.items(), key=lambda item: item[1])
    what = "nothing was saturated" if _holds(found) else f"{name} was the limit"
    return f"{what}: {name} used {share:.0%} of a core"


def _print(found: dict[str, Any]) -> None:
    print(f"flow: asked {found['asked']:.0f} calls/s, finished {found['finished']:.1f}/s over {found['seconds']:.0f} s")
    print(f"  dialer CPU per call {found['cpu_ms']:.2f} ms (limit 3, target 2); {found['dialer_share']:.0%} of a core")
    print(f"  of it the reactor thread {found['reactor_ms']:.2f} ms; simulator CPU per call {found['simulator_ms']:.2f} ms")
    print(
        f"  gaps between calls {found['gap_ms']:.2f} ms, standard deviation {found['gap_deviation_ms']:.2f} ms; "
        f"worst second {found['worst_second']} calls"
    )
    print(
        f"  reactor lag: median {found['lag_50'] * 1e3:.1f} ms, 99 % {found['lag_99'] * 1e3:.1f} ms, "
        f"most {found['lag_most'] * 1e3:.1f} ms"
    )
    print(f"  concurrent calls at most {found['live']}; resident memory at the end {found['resident'] / 1e6:.0f} MB")


def _print_step(found: dict[str, Any]) -> None:
    print(
        f"flow: asked {found['asked']:4.0f}/s, sent {found['sent']:6.1f}/s, finished {found['finished']:6.1f}/s; "
        f"dialer {found['dialer_share']:4.0%} "
        f"({found['cpu_ms']:.2f} ms a call), simulator {found['simulator_share']:4.0%} of a core; "
        f"lag 99 % {found['lag_99'] * 1e3:.0f} ms"
    )


def _child(task: dict[str, Any]) -> None:
    import sys

    from twisted.internet.threads import deferToThread

    from bench.dialling import Dialling, Load, dial
    from bench.rules import book

    rates, seconds = task["rates"], task["seconds"]
    load = Load(
        port=task["port"],
        url=task["database"],
        node=task.get("node", "local"),
        joins=task.get("joins", False),
        caller_ids=task.get("caller_ids", 0),
        contacts=int((sum(rates) + (task["tries"] - 1) * rates[-1]) * (seconds + task["warm_up"] + 5)),
        calls_per_minute=round(rates[0] * 60),
        audio=AUDIO,
        rules=book(task["rules"]) if task.get("rules") else None,
    )

    async def watch(dialling: Dialling) -> None:
        for rate in rates:
            if not load.joins:
                await dialling.call_faster(round(task.get("together", rate) * 60))
            again = True
            while again:
                say(await _measure(dialling, rate, seconds, task))
                again = await deferToThread(sys.stdin.readline) == AGAIN

    dial(load, watch)


async def _measure(dialling: Any, rate: float, seconds: float, task: dict[str, Any]) -> dict[str, Any]:
    import cProfile

    from bench.dialling import sleep
    from bench.gauges import LagGauge, percentile, thread_cpu_seconds, worst_second

    pid, other = os.getpid(), task["simulator"]
    lag = LagGauge(dialling.service.reactor)
    profile = cProfile.Profile() if task["profile"] else None
    await sleep(task["warm_up"])
    if profile:
        profile.enable()
    lag.start()
    began, ended, sent = dialling.service.reactor.seconds(), dialling.ended, len(dialling.sent.times)
    cpu, reactor_cpu, simulator_cpu = cpu_seconds(pid), thread_cpu_seconds(), cpu_seconds(other)
    live = 0
    while dialling.service.reactor.seconds() - began < seconds:
        await sleep(1)
        live = max(live, len(dialling.service.lifecycle.register))
    took, calls = dialling.service.reactor.seconds() - began, dialling.ended - ended
    cpu, reactor_cpu, simulator_cpu = (
        cpu_seconds(pid) - cpu,
        thread_cpu_seconds() - reactor_cpu,
        cpu_seconds(other) - simulator_cpu,
    )
    lag.stop()
    if profile:
        profile.disable()
        profile.dump_stats(task["profile"])
    times = dialling.sent.times[sent:]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return {
        "asked": rate,
        "finished": calls / took,
        "sent": len(times) / took,
        "sent_cpu_ms": 1e3 * cpu / len(times),
        "seconds": took,
        "cpu_ms": 1e3 * cpu / max(calls, 1),
        "reactor_ms": 1e3 * reactor_cpu / max(calls, 1),
        "simulator_ms": 1e3 * simulator_cpu / max(calls, 1),
        "dialer_share": cpu / took,
        "reactor_share": reactor_cpu / took,
        "simulator_share": simulator_cpu / took,
        "gap_ms": 1e3 * statistics.fmean(gaps),
        "gap_deviation_ms": 1e3 * statistics.pstdev(gaps),
        "worst_second": worst_second(times),
        "lag_50": percentile(lag.lags, 0.5),
        "lag_99": percentile(lag.lags, 0.99),
        "lag_most": max(lag.lags),
        "live": live,
        "resident": resident_bytes(pid),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.flow")
    parser.add_argument("--rate", type=float, help=f"calls per second (default: {RATE:.0f}, of a search {SEARCH_FIRST:.0f})")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured time (default: %(default)s)")
    parser.add_argument("--profile", default="", help="write a profile of the dialer's reactor thread to this file")
    parser.add_argument("--search", action="store_true", help="raise the rate in steps as long as it is held")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(json.loads(arguments.child))
    elif arguments.search:
        search(arguments.rate or SEARCH_FIRST)
    else:
        main(arguments.seconds, arguments.rate or RATE, arguments.profile)
