"""The `dialer` command: its subcommands, and the line that a user sees when something is wrong."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Final

from dialer import __version__
from dialer.cli.frame import EXIT_USAGE, ShellParser, chosen_config
from dialer.errors import BadValue, DialerError
from dialer.logs import log_to_stderr
from dialer.wall_clock import utc_now

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


COMMANDS: Final = {
    "demo": "demo",
    "init": "init",
    "freeswitch": "freeswitch",
    "doctor": "doctor",
    "run": "run",
    "nodes": "nodes",
    "switch": "switches",
    "tail": "tail",
    "check": "check",
    "upgrade": "check",
    "cdr": "cdr",
    "user": "users",
    "token": "tokens",
    "gateway": "gateways",
    "voipapp": "gateways",
    "campaign": "campaigns",
    "call": "calls",
    "why": "campaigns",
    "rules": "rules",
    "dnc": "dnc",
    "phonebook": "phonebooks",
    "contact": "contacts",
    "import": "imports",
    "webhook": "webhooks",
    "callerid": "caller_ids",
    "callerpool": "caller_ids",
    "simulate": "simulate",
    "metrics": "metrics",
    "hooks": "hooks",
}
"""The modules of `dialer.cli` that have the commands."""


@cache
def build_parser(modules: Sequence[str] = ()) -> ShellParser:
    """The command line: the commands of some modules, or of all."""
    parser = ShellParser(prog="dialer", description="An outbound dialer for FreeSWITCH.")
    parser.set_defaults(
        config=None, log_level=None, needs_config=False, no_config="", server=None, token_file=None, here_only=""
    )
    parser.add_argument("--version", action="version", version=f"dialer {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in modules or dict.fromkeys(COMMANDS.values()):
        import_module(f"dialer.cli.{module}").add_parser(commands)
    helping = commands.add_parser("help", help="tell how a command is used", description="The same as --help.")
    helping.add_argument("words", nargs="*", metavar="WORD", help="a command, and its action")
    helping.set_defaults(run=_help)
    return parser


def parser_for(words: Sequence[str]) -> ShellParser:
    """A parser that knows the commands among `words`, or all when there is none: most of the time that a command takes would
    go into reading the modules of all others."""
    return build_parser(tuple(dict.fromkeys(COMMANDS[word] for word in words if word in COMMANDS)))


def _help(arguments: argparse.Namespace) -> int:
    build_parser().parse_args([*arguments.words, "--help"])
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status: 0 done, 1 failed, 2 wrong usage; a command may define more."""
    words = sys.argv[1:] if argv is None else argv
    arguments = parser_for(words).parse_args(words)
    gc.enable()
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
