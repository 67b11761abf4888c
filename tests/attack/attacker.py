"""An attacker, as a process of its own: `python -m tests.attack.attacker TASK` attacks until its standard input ends, and says
then what came of it. Several attacks may be one."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.processes import say
from tests.attack.attacks import ATTACKS, Attack, Target
from tests.attack.place import Place
from tests.processes import environment

NICE = 10
"""The attacker's share of the processors is the smallest: it shall not win by the machine that it shares with the dialer."""

STOP = 20.0
"""Seconds in which it ends."""


@contextmanager
def attacked(place: Place, names: Sequence[str], seed: int) -> Iterator[Counter[str]]:
    """Attack the dialer meanwhile; afterwards, the counter tells what came of that."""
    target = {"http": place.port("http"), "records": place.records, "outbound": place.port("outbound")}
    task = json.dumps({"names": list(names), "seed": seed, "target": target})
    process = subprocess.Popen(
        ["nice", "-n", str(NICE), sys.executable, "-m", __name__, task],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    tally: Counter[str] = Counter()
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "the attacker does not start"
        yield tally
        said, _ = process.communicate(timeout=STOP)
        tally.update(json.loads(said))
    finally:
        process.kill()
        process.wait()


async def _attack(task: dict[str, Any]) -> Counter[str]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    attack = Attack(Target(**task["target"]), random.Random(task["seed"]))
    running = [asyncio.create_task(ATTACKS[name](attack)) for name in task["names"]]
    say({"attacking": task["names"]})
    over = asyncio.create_task(reader.read())
    done, _ = await asyncio.wait([over, *running], return_when=asyncio.FIRST_COMPLETED)
    for ended in done - {over}:
        ended.result()  # an attack goes on for ever, unless it has a mistake
    return attack.tally


def main(task: dict[str, Any]) -> None:
    """Attack with as many connections as this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    loop = asyncio.new_event_loop()
    tally = loop.run_until_complete(_attack(task))
    say(tally)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    os._exit(0)  # with everything that is left: thousands of sockets and tasks
