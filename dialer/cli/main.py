"""The `dialer` command: its subcommands, and what a user sees when something is wrong."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

import structlog

from dialer import __version__
from dialer.cli import demo, gateways, simulate, users, voipapps
from dialer.errors import BadValue, DialerError

EXIT_OK = 0
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
        default="warning",
        help="what is logged to standard error (default: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo.add_parser(commands)
    for module in (users, gateways, voipapps):
        module.add_parser(commands)
    simulate.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status: 0 done, 1 failed, 2 wrong usage; a command may define more."""
    arguments = build_parser().parse_args(argv)
    configure_logging(arguments.log_level)
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


def configure_logging(level: str) -> None:
    """One line per event on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
