"""`python -m tests.crash`: the sweeps, and with `--long` as many runs of chance as are asked for."""

from __future__ import annotations

import argparse
import sys
import time

from tests.crash.sweep import Tally, chance, every_plan, folder, play


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--long", action="store_true", help="runs of chance instead of the sweeps")
    parser.add_argument("--runs", type=int, default=20_000, help="how many of them (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's seed: `--long --seed N --runs 1` repeats one run")
    options = parser.parse_args()
    tally, began = Tally(), time.process_time()
    with folder() as where:
        runs = enumerate(every_plan(where))
        if options.long:
            runs = ((seed, chance(seed)) for seed in range(options.seed, options.seed + options.runs))
        for number, (scenario, plan) in runs:
            if play(scenario, plan, where, tally):
                say(f"{number}: {tally.seen[-1]}")
    seconds = time.process_time() - began
    say(f"runs {tally.runs}, faults {tally.faults}, calls that rang {tally.rings}, broken promises {len(tally.seen)}")
    say("ends: " + ", ".join(f"{cause} {count}" for cause, count in tally.ends.items()))
    say(f"slowest end of a campaign: {tally.slowest_end:.1f} s of the world's time")
    say(f"{seconds:.0f} s of CPU, {1000 * seconds / tally.runs:.0f} ms a run")
    return 1 if tally.seen else 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
