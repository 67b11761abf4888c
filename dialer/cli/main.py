"""The `dialer` command: its subcommands, and the line that a user sees when something is wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from dialer import __version__
from dialer.cli import campaigns, cdr, check, demo, doctor, freeswitch, gateways, init, nodes, run, simulate, users
from dialer.errors import BadValue, DialerError
from dialer.logs import log_to_stderr
from dialer.service import utc_now

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """The command line, whole."""
    parser = argparse.ArgumentParser(prog="dialer", description="An outbound dialer for FreeSWITCH.")
    parser.add_argument("--version", action="version", version=f"dialer {__version__}")
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        help="from which level on events go to standard error (default: warning; for `run`, as configured)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo.add_parser(commands)
    for module in (init, freeswitch, doctor, run, nodes, check, cdr):
        module.add_parser(commands)
    check.add_upgrade_parser(commands)
    for module in (users, gateways, campaigns):
        module.add_parser(commands)
    simulate.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status: 0 done, 1 failed, 2 wrong usage; a command may define more."""
    arguments = build_parser().parse_args(argv)
    log_to_stderr(utc_now, arguments.log_level or "warning")
    try:
        status: int = arguments.run(arguments)
    except BadValue as error:
        print(f"dialer: {error}", file=sys.stderr)
        return EXIT_USAGE
    except DialerError as error:
        print(f"dialer: {error}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return status
