"""What an older commit took, and what this tree takes: runs of both in turn, so that both have the same machine.

`python -m bench.against [--commit C] [--rounds N] [--seconds S] [api|flow ...]` takes that commit out of git into a folder,
and prints the ratio of this tree to it, the median of all rounds and their range: of the API's requests a second, each as its
ratio to a bare Klein route of the same run, and of the dialer's CPU per call.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

BASELINE: Final = "fc7ec1c"
"""Before gates, grants and limits."""
ROOT: Final = Path(__file__).resolve().parents[1]
TOLERANCE: Final = 0.05

_RATES: Final = re.compile(r"^(GET one campaign|POST one contact): ([\d,]+)/s, bare Klein ([\d,]+)/s", re.MULTILINE)
_CPU: Final = re.compile(r"dialer CPU per call ([\d.]+) ms")


def api(tree: Path, seconds: float) -> Mapping[str, float]:
    """Requests a second, as parts of those of a bare route."""
    said = _run(tree, "bench.api", "--seconds", str(seconds), "--rounds", "1")
    return {f"{name}, requests a second": _number(rate) / _number(bare) for name, rate, bare in _RATES.findall(said)}


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def flow(tree: Path, seconds: float) -> Mapping[str, float]:
    """Milliseconds of CPU."""
    return {"CPU per call": float(_CPU.findall(_run(tree, "bench.flow", "--seconds", str(seconds)))[0])}


MEASURES: Final[Mapping[str, Callable[[Path, float], Mapping[str, float]]]] = {"api": api, "flow": flow}
GROWS: Final = ("CPU",)
"""Beginnings of what shall not grow; the rest shall not shrink."""


def _run(tree: Path, module: str, *options: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, "-m", module, *options], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{module} failed in {tree}:\n{done.stderr}")
    return done.stdout


def take_out(commit: str, folder: Path) -> None:
    """The files of a commit."""
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.against", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", choices=[*MEASURES, []], default=list(MEASURES), help="default: both")
    parser.add_argument("--commit", default=BASELINE, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="of both trees (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement (default: %(default)g)")
    options = parser.parse_args()
    ratios: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        older = Path(folder)
        take_out(options.commit, older)
        for _ in range(options.rounds):
            for what in options.what:
                before, now = MEASURES[what](older, options.seconds), MEASURES[what](ROOT, options.seconds)
                for name, value in now.items():
                    ratios[name].append(value / before[name])
    for name, found in ratios.items():
        limit = f"at most {1 + TOLERANCE}" if name.startswith(GROWS) else f"at least {1 - TOLERANCE}"
        print(
            f"{name}: {statistics.median(found):.2f} times that of {options.commit} "
            f"({min(found):.2f} to {max(found):.2f}; {limit} wanted)"
        )


if __name__ == "__main__":
    main()
