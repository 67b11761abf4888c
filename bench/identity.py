"""What the identity of a number costs, against phonenumbers' own `parse` of the same numbers in the same run.

`python -m bench.identity [--numbers N] [--rounds N]` prints microseconds a number, to read it as it was written and to make
its identity, for numbers of one spelling each, and the mean of all.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence

import phonenumbers

from dialer.numbering import numbering

GOAL = 15.0
"""Microseconds in the mean."""

SPELLINGS: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "+1...": ("US", lambda r: f"+1{r.randrange(201, 990)}{r.randrange(10**7):07}"),
    "US national": ("US", lambda r: f"({r.randrange(201, 990)}) {r.randrange(1000):03}-{r.randrange(10**4):04}"),
    "US with code": ("US", lambda r: f"1{r.randrange(201, 990)}{r.randrange(10**7):07}"),
    "DE national": ("DE", lambda r: f"030{r.randrange(10**7):07}"),
    "GB abroad": ("US", lambda r: f"01144 20 7{r.randrange(1000):03} {r.randrange(10**4):04}"),
    "GB brackets": ("GB", lambda r: f"+44 (0)20 7{r.randrange(1000):03} {r.randrange(10**4):04}"),
    "no region": ("", lambda r: f"0015{r.randrange(10**9):09}"),
}


def read_all(region: str, texts: Sequence[str]) -> float:
    """Microseconds a number."""
    rules = numbering(region)
    began = time.perf_counter()
    for text in texts:
        rules.read(text)
    return (time.perf_counter() - began) / len(texts) * 1e6


def parse_all(region: str, texts: Sequence[str]) -> float:
    """The baseline: phonenumbers alone."""
    began = time.perf_counter()
    for text in texts:
        phonenumbers.parse(text, region or "US")
    return (time.perf_counter() - began) / len(texts) * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    chance = random.Random(1)
    costs = []
    for name, (region, make) in SPELLINGS.items():
        texts = [make(chance) for _ in range(arguments.numbers)]
        pairs = [(read_all(region, texts), parse_all(region, texts)) for _ in range(arguments.rounds)]
        cost, baseline = (statistics.median(each) for each in zip(*pairs, strict=True))
        costs.append(cost)
        print(f"{name:14} {cost:6.1f} us a number, {cost / baseline:.2f} of phonenumbers.parse")
    mean = statistics.mean(costs)
    print(f"{'mean':14} {mean:6.1f} us a number ({'within' if mean <= GOAL else 'beyond'} the goal of {GOAL:.0f})")


if __name__ == "__main__":
    main()
