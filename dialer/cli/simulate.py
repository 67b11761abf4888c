"""`dialer simulate`: a FreeSWITCH stand-in on a TCP port, to try a dialer without dialling anybody."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dialer.cli.frame import without_configuration, works_here_only
from dialer.errors import BadValue
from dialer.safe_files import UnsafeFile, refusal
from dialer.safe_paths import open_to_append
from dialer.simulator.callees import CALLEES, DEFAULT_MIX, SETTINGS, NumberPlan, parse_mix, parse_pattern
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.standalone import FAULTS, StandaloneOptions, parse_fault, run_simulator


def add_parser(subparsers: Any) -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "simulate",
        help="stand in for a FreeSWITCH: answers calls by script",
        description=f"Stand in for a FreeSWITCH. Callees: {', '.join(CALLEES)}. Settings: {', '.join(SETTINGS)}.",
    )
    stock = SimulatorConfig()
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8021, help="Event Socket port, 0 for any (default: %(default)s)")
    parser.add_argument("--password", default=stock.password, help="Event Socket password (default: FreeSWITCH's own)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything that is left to chance (default: %(default)s)")
    parser.add_argument(
        "--callee",
        action="append",
        default=[],
        metavar="PATTERN=SCRIPT",
        help="who answers numbers like PATTERN (555*=busy, *7=answers:ring=1,talk=2-5); repeatable, the first match counts",
    )
    parser.add_argument("--mix", default=DEFAULT_MIX, help="who answers other numbers, by weight (default: %(default)s)")
    parser.add_argument(
        "--time-scale", type=float, default=1.0, help="stretch the callees' times by this (default: %(default)s)"
    )
    parser.add_argument(
        "--sps", type=int, default=stock.sps, help="sessions per second, 0 for no limit (default: %(default)s)"
    )
    parser.add_argument(
        "--max-sessions",
        type=int,
        default=stock.max_sessions,
        help="sessions at a time, 0 for no limit (default: %(default)s)",
    )
    parser.add_argument(
        "--poll",
        type=float,
        default=stock.poll,
        help="seconds that events wait to be sent, 0.02 in FreeSWITCH (default: %(default)s)",
    )
    parser.add_argument("--log", default="", metavar="FILE", help="append what the called side sees to FILE, as JSON lines")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:VALUE]@SECONDS",
        help=f"let something go wrong so many seconds after the start: {', '.join(FAULTS)}; repeatable",
    )
    without_configuration(parser, "is nothing that simulate reads: see its options; `dialer run` obeys [simulator]")
    parser.set_defaults(run=run)
    works_here_only(parser, "stands in for a FreeSWITCH on this machine")


def run(arguments: argparse.Namespace) -> int:
    """Run the simulator until it is stopped. Raises BadValue for options that cannot be."""
    options = StandaloneOptions(
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
        config=SimulatorConfig(
            password=arguments.password,
            plan=NumberPlan(
                tuple(_parsed("--callee", parse_pattern, text) for text in arguments.callee),
                _parsed("--mix", parse_mix, arguments.mix),
            ),
            sps=arguments.sps,
            max_sessions=arguments.max_sessions,
            time_scale=arguments.time_scale,
            poll=arguments.poll,
            log_path=arguments.log,
        ),
        faults=tuple(_parsed("--fault", parse_fault, text) for text in arguments.fault),
    )
    _check_log(arguments.log)
    from twisted.internet import reactor

    return run_simulator(reactor, options, lambda text: print(f"simulator: {text}", file=sys.stderr, flush=True))


def _check_log(name: str) -> None:
    try:
        if name:
            open_to_append(Path(name)).close()
    except (OSError, UnsafeFile) as error:
        raise BadValue("--log", f"{name} {refusal(error, 'written')}") from None


def _parsed(option: str, parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise BadValue(option, str(error)) from error
