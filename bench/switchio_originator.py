"""The rates that switchio's originator makes on the simulator, and those that the dialer makes on it, in one run.

switchio is the peer: an asyncio client of the Event Socket with an originator for load tests. It runs in a process of its own;
what Python has removed from asyncio since switchio's last release is put back there before it is imported. What counts is what
the switch says: its sessions since startup. The calls are those of `bench.flow`.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import time
import types
from collections.abc import Sequence
from typing import Any

from bench import flow
from bench.processes import Child, cpu_seconds, raise_file_limit, say, simulator

RATES = (30.0, 100.0, 250.0)
WARM_UP = 3.0
PASSWORD = "ClueCon"


def main(seconds: float, rates: Sequence[float]) -> None:
    """Print both rates for each rate that was asked."""
    raise_file_limit()
    for rate in rates:
        theirs, their_cpu = _theirs(rate, seconds)
        ours = flow.measure([rate], seconds, warm_up=WARM_UP)[0]
        print(
            f"switchio: asked {rate:3.0f}/s, the dialer made {ours['sent']:5.1f}/s, switchio {theirs:5.1f}/s: "
            f"ratio {ours['sent'] / theirs:.2f}; CPU a call {ours['sent_cpu_ms']:.2f} ms and {their_cpu * 1e3:.2f} ms"
        )


def _theirs(rate: float, seconds: float) -> tuple[float, float]:
    """Calls per second, CPU seconds a call."""
    with simulator("--sps", "0", "--max-sessions", "0", "--mix", flow.MIX) as (port, _):
        child = Child("bench.switchio_originator", {"port": port, "rate": rate})
        child.hear()
        time.sleep(WARM_UP)
        sessions, cpu, began = _sessions(port), cpu_seconds(child.pid), time.monotonic()
        time.sleep(seconds)
        made, cpu, took = _sessions(port) - sessions, cpu_seconds(child.pid) - cpu, time.monotonic() - began
        child.end()
    return made / took, cpu / max(made, 1)


def _sessions(port: int) -> int:
    """How many calls the switch has had since it was started."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(f"auth {PASSWORD}\n\napi status\n\n".encode())
        said = b""
        while not (found := re.search(rb"(\d+) session\(s\) since startup", said)):
            said += connection.recv(65536)
    return int(found[1])


def _child(task: dict[str, Any]) -> None:
    _restore_what_python_removed()
    import switchio

    originator = switchio.get_originator(
        [("127.0.0.1", task["port"], PASSWORD)],
        rate=int(task["rate"]),
        limit=100_000,
        auto_duration=False,
        duration=4.7,
    )
    originator.load_app(_player(switchio), app_id="bench")
    originator.pool.evals("client.set_orig_cmd('15551234567', gateway='simulator', app_name='park')")
    originator.start()
    say({"started": True})
    sys.stdin.read()
    originator.stop()


def _player(switchio: Any) -> type:
    """What the dialer's campaign does: play to whoever answers."""

    class Player:
        """Loaded into switchio by its decorators."""

        @switchio.event_callback("CHANNEL_ANSWER")
        def on_answer(self, session: Any) -> None:
            session.playback(flow.AUDIO)

    return Player


def _restore_what_python_removed() -> None:
    """The `loop` arguments went in Python 3.10, `asyncio.coroutine` and `getargspec` in 3.11, `Logger.warn` in 3.13."""
    import asyncio
    import inspect
    import logging

    def without_loop(function: Any) -> Any:
        return lambda *args, loop=None, **named: function(*args, **named)

    class Queue(asyncio.Queue):
        def __init__(self, maxsize: int = 0, *, loop: Any = None) -> None:
            super().__init__(maxsize)

    asyncio.coroutine = types.coroutine
    asyncio.Queue = Queue
    asyncio.wait_for = without_loop(asyncio.wait_for)
    asyncio.wait = without_loop(asyncio.wait)
    inspect.getargspec = lambda function: inspect.getfullargspec(function)[:4]
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.CRITICAL)
    logging.Logger.warn = logging.Logger.warning


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.switchio_originator")
    parser.add_argument("--seconds", type=float, default=8.0, help="measured time at each rate (default: %(default)s)")
    parser.add_argument("--rate", type=float, action="append", help=f"calls per second (default: {RATES})")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(json.loads(arguments.child))
    else:
        main(arguments.seconds, arguments.rate or RATES)
