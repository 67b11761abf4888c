"""`python -m tests.attack`: the attacks one after the other, each beside a dialer that makes calls, and requests made up from
the OpenAPI document; what was found, and figures."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.attack.fuzz import Found, rounds

FUZZING = "fuzzing"
REQUESTS = 100_000


def main() -> int:
    """Exit status: 0 when nothing was found, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="made up in all (default: %(default)s)")
    parser.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="that make them up, each for a dialer (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything that is left to chance (default: %(default)s)")
    options = parser.parse_args()
    say(f"--- {FUZZING}")
    return 1 if fuzzed(options.requests, options.processes, options.seed).defects else 0


def fuzzed(number: int, processes: int, seed: int) -> Found:
    """So many requests, shared by processes."""
    found, began = Found(), time.monotonic()
    for at, each in rounds(number, seed, processes):
        found.add(each)
        say(f"seed {at}: {found.asked.total()} requests, {len(found.defects)} kinds of defects so far")
    found.seconds = time.monotonic() - began
    for line in found.lines():
        say(line)
    return found


def say(text: str) -> None:
    """At once, whoever reads it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
