"""What a dialer weighs: at start, and per call that rings or is in a voice application; measured from outside.

Two levels of held calls give a difference, divided by the calls between them: what is there once (modules, SQLite's page
cache, buffers) does not count as a call's. Memory is what the process shares with nobody (`Private_*` of
/proc/PID/smaps_rollup), read as the process is, and again tidied: after a collection of garbage, and with free memory given
back to the system.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.processes import Child, private_bytes, raise_file_limit, resident_bytes, say, simulator
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade

START_LIMIT = 100e6
RINGING_LIMIT, APPLICATION_LIMIT = 4_000, 10_000
AUDIO = "tone_stream://%(60000,0,440);loops=60"
CALLS_PER_SECOND = 250
SETTLE = 2.0
PHONEBOOK = 30_000
"""Contacts that are there and not called: SQLite's page cache, 2 MB at most, is full of them before anything is measured."""
STATES = {
    "ringing": ("[no_answer:ring=1]=1", 500, 2_000, RINGING_LIMIT),
    "connected": ("[stays:ring=0.1]=1", 250, 1_000, APPLICATION_LIMIT),
}
CONFIGURATION = """
[database]
url = "sqlite:///start.sqlite3"
[http]
endpoint = "tcp:0:interface=127.0.0.1"
[outbound]
endpoint = "tcp:0:interface=127.0.0.1"
[rules]
apply = "none"
[[switch]]
port = {port}
password = "ClueCon"
"""


def main(quick: bool = False) -> None:
    """Print the figures."""
    raise_file_limit()
    _start()
    for state in STATES:
        _per_call(state, quick=quick)


def _start() -> None:
    with tempfile.TemporaryDirectory() as folder, simulator() as (port, _):
        configuration, ready = Path(folder) / "dialer.toml", Path(folder) / "ready.json"
        configuration.write_text(CONFIGURATION.format(port=port))
        upgrade(sqlite_url(configuration.with_name("start.sqlite3")))
        command = [sys.executable, "-m", "dialer", "run", "--config", str(configuration), "--ready-file", str(ready)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not ready.exists():
            if process.poll() is not None:
                raise SystemExit(f"the dialer ended with status {process.returncode}")
            time.sleep(0.1)
        time.sleep(SETTLE)
        resident, private = resident_bytes(process.pid), private_bytes(process.pid)
        process.terminate()
        process.wait(30)
    print(
        f"memory: `dialer run` with an empty database {resident / 1e6:.1f} MB resident (limit {START_LIMIT / 1e6:.0f}), "
        f"{private / 1e6:.1f} MB of it private"
    )


def _per_call(state: str, *, quick: bool) -> None:
    mix, low, high, limit = STATES[state]
    if quick:
        low, high = low // 2, high // 2
    readings = []
    with tempfile.TemporaryDirectory() as folder, simulator("--sps", "0", "--max-sessions", "0", "--mix", mix) as (port, _):
        task = {"state": state, "levels": [low, high], "port": port, "database": str(Path(folder) / "memory.sqlite3")}
        child = Child("bench.memory", task)
        for _level in (low, high):
            readings.append([])
            for _tidied in (False, True):
                held = child.hear()["held"]
                readings[-1].append(private_bytes(child.pid))
                child.go_on()
        child.end()
    (low_as_is, low_tidied), (high_as_is, high_tidied) = readings
    as_is, tidied = (high_as_is - low_as_is) / (high - low), (high_tidied - low_tidied) / (high - low)
    print(
        f"memory: per call {state:9} ({low} to {held})   {as_is / 1e3:5.2f} kB as it is, {tidied / 1e3:.2f} kB tidied "
        f"(limit {limit / 1e3:.0f})"
    )


def _hold(task: dict[str, Any]) -> None:
    from twisted.internet.threads import deferToThread

    from bench.dialling import Dialling, Load, dial, sleep
    from dialer.model import AttemptState

    load = Load(
        port=task["port"],
        url=sqlite_url(Path(task["database"])),
        contacts=0,
        calls_per_minute=CALLS_PER_SECOND * 60,
        audio=AUDIO,
        ring_timeout=3600,
    )
    state = AttemptState(task["state"])

    async def watch(dialling: Dialling) -> None:
        await dialling.add_phonebook(PHONEBOOK)
        for level in task["levels"]:
            await dialling.add_contacts(level - dialling.contacts)
            deadline = time.monotonic() + 60
            while (held := dialling.service.lifecycle.register.states().get(state, 0)) < level:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"only {held} of {level} calls {state}")
                await sleep(0.2)
            await sleep(SETTLE)
            for tidied in (False, True):
                if tidied:
                    gc.collect()
                    ctypes.CDLL(None).malloc_trim(0)
                say({"held": held})
                await deferToThread(sys.stdin.readline)

    dial(load, watch)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.memory")
    parser.add_argument("--quick", action="store_true", help="half as many calls")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _hold(json.loads(arguments.child))
    else:
        main(arguments.quick)
