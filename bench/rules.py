"""What the calling rules cost a call: dialer CPU with none, with the shipped rows, and with attempts counted for every number.

`python -m bench.rules [--rate R] [--seconds S] [--rounds N]` runs the flow of `bench.flow` with each of them in turn. Contacts
are spread over all area codes of the United States. The rows are those that are shipped, with hours of a whole day, so that it
can be measured at any hour: they are looked at all the same.
"""

from __future__ import annotations

import argparse
import statistics

from bench import flow
from dialer.rules.book import RuleBook, shipped_rows
from dialer.rules.rows import ALL_DAY, Cap

OFF, SHIPPED, COUNTED = "off", "shipped", "counted"
LIMIT = 1.15


def book(name: str) -> RuleBook:
    """The rules of that case."""
    if name == OFF:
        return RuleBook()
    whole = {"weekday": ALL_DAY, "saturday": ALL_DAY, "sunday": ALL_DAY, "holiday": None}
    rows = [row.model_copy(update=whole) if row.limits_hours else row for row in shipped_rows()]
    if name == COUNTED:
        rows = [row.model_copy(update={"attempts": (Cap(most=3, seconds=86_400),)}) for row in rows]
    return RuleBook(tuple(rows))


def main(rate: float, seconds: float, rounds: int) -> None:
    """Print the CPU per call of each case, and the ratios."""
    found: dict[str, list[float]] = {OFF: [], SHIPPED: [], COUNTED: []}
    for _ in range(rounds):
        for name, seen in found.items():
            (measured,) = flow.measure([rate], seconds, rules=name)
            seen.append(measured["cpu_ms"])
    middle = {name: statistics.median(seen) for name, seen in found.items()}
    for name, seen in found.items():
        shown = ", ".join(f"{each:.2f}" for each in seen)
        print(f"rules {name:8} {middle[name]:.2f} ms of dialer CPU a call ({shown}); {middle[name] / middle[OFF]:.2f} of off")
    print(f"  limit: {LIMIT} of off with the shipped rules")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.rules")
    parser.add_argument("--rate", type=float, default=100.0, help="calls per second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of all cases (default: %(default)s)")
    arguments = parser.parse_args()
    main(arguments.rate, arguments.seconds, arguments.rounds)
