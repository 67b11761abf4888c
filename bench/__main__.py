"""`python -m bench`: every benchmark, one after the other, each with its ratio to a peer of the same run.

About ten minutes; with `--quick`, shorter runs in about a minute, whose figures say less.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

WHOLE = (
    ("bench.events",),
    ("bench.store",),
    ("bench.tick",),
    ("bench.flow",),
    ("bench.flow", "--search"),
    ("bench.caller_ids",),
    ("bench.nodes",),
    ("bench.memory",),
    ("bench.imports",),
    ("bench.api",),
    ("bench.lists",),
    ("bench.export",),
    ("bench.identity",),
    ("bench.do_not_call", "1000000"),
    ("bench.statistics",),
    ("bench.api_dialling",),
    ("bench.metrics",),
    ("bench.webhooks",),
    ("bench.live",),
    ("bench.rules",),
    ("bench.rules_tick",),
    ("bench.running", "--finished", "1000", "300000"),
    ("bench.page", "--contacts", "500000"),
    ("bench.watched",),
    ("bench.preview",),
    ("bench.switchio_originator",),
)
QUICK = (
    ("bench.events", "40000"),
    ("bench.store", "--attempts", "1500"),
    ("bench.tick", "--ticks", "30"),
    ("bench.flow", "--seconds", "6"),
    ("bench.caller_ids", "--seconds", "4", "--rounds", "1"),
    ("bench.nodes", "--seconds", "5"),
    ("bench.memory", "--quick"),
    ("bench.imports", "100000"),
    ("bench.api", "--seconds", "1", "--rounds", "2"),
    ("bench.export", "100000"),
    ("bench.identity", "--numbers", "5000"),
    ("bench.do_not_call", "100000"),
    ("bench.statistics", "50000", "--rounds", "3", "--ends", "1000"),
    ("bench.lists", "--seconds", "0.5"),
    ("bench.api_dialling", "--seconds", "3"),
    ("bench.metrics", "--scrapes", "20"),
    ("bench.webhooks", "--seconds", "5", "--events", "4000"),
    ("bench.live", "--seconds", "5", "--clients", "200"),
    ("bench.rules", "--seconds", "5", "--rounds", "1"),
    ("bench.rules_tick", "--ticks", "10"),
    ("bench.running", "--ticks", "50", "--finished", "1000", "20000"),
    ("bench.page", "--contacts", "20000", "--seconds", "5"),
    ("bench.preview", "50000"),
    ("bench.switchio_originator", "--seconds", "3", "--rate", "250"),
)


def main() -> int:
    """Run each in a process of its own. Returns the exit status: 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    failed = []
    for module, *options in QUICK if parser.parse_args().quick else WHOLE:
        print(f"--- {module} {' '.join(options)}".rstrip(), flush=True)
        began = time.monotonic()
        if subprocess.run([sys.executable, "-m", module, *options], check=False).returncode:
            failed.append(module)
        print(f"    ({time.monotonic() - began:.0f} s)", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
