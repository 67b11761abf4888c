"""What a pool of caller ids costs: the flow whose campaign takes its numbers from one, against the flow of a campaign without.

Runs of both in turn, so that both have the same machine; what counts is the ratio of the dialer's CPU per call. The contacts
are of the numbers' country, nothing is known of them, and every number has a cap and a warm-up.
"""

from __future__ import annotations

import argparse
import statistics

from bench import flow

NUMBERS = 50
LIMIT = 1.15


def main(numbers: int = NUMBERS, rounds: int = 3, seconds: float = 10.0, rate: float = 150.0) -> float:
    """Measure, print, and return the median ratio."""
    ratios = []
    for _ in range(rounds):
        (without,), (pooled,) = (flow.measure([rate], seconds, warm_up=8.0, caller_ids=each) for each in (0, numbers))
        ratios.append(pooled["cpu_ms"] / without["cpu_ms"])
        print(
            f"caller ids: {rate:.0f} calls/s, dialer CPU per call {without['cpu_ms']:.2f} ms without a pool, "
            f"{pooled['cpu_ms']:.2f} ms with one of {numbers}: {ratios[-1]:.3f} times"
        )
    ratio = statistics.median(ratios)
    print(f"caller ids: {ratio:.3f} times, the median ({min(ratios):.3f} to {max(ratios):.3f}; at most {LIMIT} wanted)")
    return ratio


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.caller_ids")
    parser.add_argument("--numbers", type=int, default=NUMBERS, help="of the pool (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of both (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default: %(default)g)")
    parser.add_argument("--rate", type=float, default=150.0, help="calls per second (default: %(default)g)")
    options = parser.parse_args()
    main(options.numbers, options.rounds, options.seconds, options.rate)
