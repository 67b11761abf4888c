"""The `dialer` command: its subcommands, and the line that a user sees when something is wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from dialer import __version__
from dialer.cli import (
    campaigns,
    cdr,
    check,
    contacts,
    demo,
    dnc,
    doctor,
    freeswitch,
    gateways,
    init,
    nodes,
    phonebooks,
    run,
    simulate,
    users,
)
from dialer.cli.frame import EXIT_USAGE, ShellParser, chosen_config
from dialer.errors import BadValue, DialerError
from dialer.logs import log_to_stderr
from dialer.service import utc_now

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def build_parser() -> ShellParser:
    """The command line, whole."""
    parser = ShellParser(prog="dialer", description="An outbound dialer for FreeSWITCH.")
    parser.set_defaults(config=None, log_level=None, needs_config=False, no_config="")
    parser.add_argument("--version", action="version", version=f"dialer {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo.add_parser(commands)
    for module in (init, freeswitch, doctor, run, nodes, check, cdr):
        module.add_parser(commands)
    check.add_upgrade_parser(commands)
    for module in (users, gateways, campaigns, dnc, phonebooks, contacts):
        module.add_parser(commands)
    simulate.add_parser(commands)
    helping = commands.add_parser("help", help="tell how a command is used", description="The same as --help.")
    helping.add_argument("words", nargs="*", metavar="WORD", help="a command, and its action")
    helping.set_defaults(run=_help)
    return parser


def _help(arguments: argparse.Namespace) -> int:
    build_parser().parse_args([*arguments.words, "--help"])
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status: 0 done, 1 failed, 2 wrong usage; a command may define more."""
    arguments = build_parser().parse_args(argv)
    log_to_stderr(utc_now, arguments.log_level or "warning")
    try:
        arguments.config = chosen_config(arguments, os.environ)
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
