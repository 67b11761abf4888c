"""`dialer doctor`: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from dialer.cli.blocking import config_option
from dialer.cli.frame import works_here_only
from dialer.config import load_config
from dialer.doctor.diagnosis import Diagnosis, Level, as_json, as_text, worst
from dialer.doctor.diagnostics import Diagnostics
from dialer.service import new_id
from dialer.wall_clock import utc_now

EXIT_WELL = 0
EXIT_FAILURES = 1
EXIT_INTERRUPTED = 130


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "doctor",
        help="look for what is wrong, on this machine and on the switch",
        description="Looks at the configuration, the database and the switch, one line a check: ok, warning or failure, with "
        "what to do. Calls nobody: the one call that it makes goes from the switch to itself. May be used beside a running "
        "dialer.",
        epilog="Exit status: 0 no failures; 1 failures (with --strict, warnings, too); 2 wrong configuration or usage.",
    )
    config_option(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--strict", action="store_true", help="a warning counts as a failure in the exit status")
    parser.set_defaults(run=run)
    works_here_only(parser, "looks at this machine, its configuration and its switch")


def run(arguments: argparse.Namespace) -> int:
    """Run the diagnostics. Raises `BadValue` for a configuration that is wrong."""
    config = load_config(arguments.config)
    from twisted.internet import reactor

    findings = _findings(reactor, Diagnostics(reactor, config, arguments.config, utc_now, new_id))
    if findings is None:
        return EXIT_INTERRUPTED
    if arguments.json:
        print(as_json(findings))
    else:
        for line in as_text(findings):
            print(line)
    tolerated = (Level.OK,) if arguments.strict else (Level.OK, Level.WARNING)
    return EXIT_WELL if worst(findings) in tolerated else EXIT_FAILURES


def _findings(reactor: Any, diagnostics: Diagnostics) -> list[Diagnosis] | None:
    """Run the reactor for it. None when it was interrupted."""
    results: list[list[Diagnosis] | Failure] = []

    def start() -> None:
        done = Deferred.fromCoroutine(diagnostics.run())
        done.addBoth(results.append).addBoth(lambda _: reactor.stop() if reactor.running else None)

    reactor.callWhenRunning(start)
    reactor.run()
    if not results:
        return None
    (result,) = results
    if isinstance(result, Failure):
        print("dialer: the diagnostics broke off", file=sys.stderr)
        result.raiseException()
    return result
