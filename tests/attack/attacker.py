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
from threading import Thread
from typing import Any

from bench.processes import say
from tests.attack.attacks import ATTACKS, Attack, Target
from tests.attack.place import Place
from tests.processes import environment

NICE = 5
"""The attacker's share of the processors is a small one: it shall not win by the machine that it shares with the dialer."""

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


async def _attack(attack: Attack, names: Sequence[str]) -> None:
    running = [asyncio.create_task(ATTACKS[name](attack)) for name in names]
    while running and not attack.tally:
        await asyncio.sleep(0.01)
    say({"attacking": names})
    await asyncio.gather(*running, asyncio.Event().wait())


def _end(attack: Attack) -> None:
    """On a thread, so that a busy attack ends at once, with everything that is left: thousands of sockets and tasks."""
    sys.stdin.read()
    say(dict(attack.tally))
    os._exit(0)


def main(task: dict[str, Any]) -> None:
    """Attack with as many connections as this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    attack = Attack(Target(**task["target"]), random.Random(task["seed"]))
    Thread(target=_end, args=(attack,), name="end", daemon=True).start()
    asyncio.run(_attack(attack, task["names"]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
