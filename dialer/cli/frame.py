"""What all commands have in common: the options that may stand anywhere, the configuration that is meant when none is named,
and the answer to a word that is no command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, get_args

from dialer.errors import BadValue
from dialer.settings import LogLevel

EXIT_USAGE = 2
VARIABLE = "DIALER_CONFIG"
TOKEN = "DIALER_TOKEN"  # noqa: S105 - the name of a variable of the environment
HERE = Path("dialer.toml")
INSTALLED = Path("/var/lib/dialer/dialer.toml")
LEVELS = get_args(LogLevel)

_OTHER_WORDS = {
    "change": "set",
    "create": "add",
    "delete": "remove",
    "edit": "set",
    "get": "show",
    "ls": "list",
    "new": "add",
    "rm": "remove",
    "update": "set",
}
"""Words that other programs have for an action."""


class ShellParser(argparse.ArgumentParser):
    """The parser of a command; those below it are of this class, too, so each takes the options of all commands."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group = self.add_argument_group("options of every command")
        # Suppressed: a subcommand without the option leaves the value that was given before it.
        self.config_option = group.add_argument(
            "-c",
            "--config",
            type=Path,
            default=argparse.SUPPRESS,
            metavar="FILE",
            help=f"the configuration (default: {VARIABLE} of the environment, else {HERE} here, else {INSTALLED})",
        )
        group.add_argument(
            "--server",
            default=argparse.SUPPRESS,
            metavar="URL",
            help="ask the API of the dialer at this address in place of the database",
        )
        group.add_argument(
            "--token-file",
            default=argparse.SUPPRESS,
            metavar="FILE",
            help=f"with --server: its first line is the token of the login; - is standard input (default: {TOKEN})",
        )
        group.add_argument(
            "--log-level",
            default=argparse.SUPPRESS,
            choices=LEVELS,
            metavar="LEVEL",
            help=f"events from {_either(LEVELS)} on go to standard error (default: warning; for `run`, as configured)",
        )

    def error(self, message: str) -> NoReturn:
        """End with the problem, and the command that tells how it is used."""
        words = self.prog.split()
        self.exit(EXIT_USAGE, f"{self.prog}: error: {message}\nsee: {' '.join([words[0], 'help', *words[1:]])}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(each) for each in action.choices]
        if action.option_strings:
            raise argparse.ArgumentError(None, f"{action.option_strings[-1]}: expected {_either(choices)}, got {value!r}")
        near = nearest(str(value), choices)
        hint = f"did you mean {_either(near)}?" if near else f"expected {_either(choices)}"
        raise argparse.ArgumentError(None, f"there is no {str(value)[:40]!r}: {hint}")


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Those of the known words that `word` may stand for, the likeliest first; at most three."""
    words = list(known)
    other = _OTHER_WORDS.get(word.lower())
    return [other] if other in words else get_close_matches(word.lower(), words, n=3, cutoff=0.6)


def _either(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def without_configuration(parser: ShellParser, reason: str) -> None:
    """Say of a command that one who names a configuration has something in mind that it does not do: `reason`."""
    parser.config_option.help = argparse.SUPPRESS
    parser.set_defaults(no_config=reason)


def works_here_only(parser: ShellParser, reason: str) -> None:
    """Say of a command that it cannot be given `--server`, and why."""
    parser.set_defaults(here_only=reason, at_a_distance=False)


def works_at_a_distance(parser: ShellParser) -> None:
    """Say of a command that it can be given `--server`: all that it asks for has a counterpart in `dialer.cli.remote`."""
    parser.set_defaults(at_a_distance=True, here_only="")


def chosen_config(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Path | None:
    """The file that a command shall read; None for a command that reads none. Raises `BadValue`."""
    given: Path | None = arguments.config
    if arguments.server is not None:
        if arguments.here_only:
            raise BadValue("--server", f"this command works where the dialer is: it {arguments.here_only}")
        if given is not None:
            raise BadValue("--server", "give this, or --config")
        return None
    if arguments.needs_config:
        return given or find_config(environment)
    if given is not None and arguments.no_config:
        raise BadValue("--config", arguments.no_config)
    return given


def find_config(environment: Mapping[str, str]) -> Path:
    """The configuration when none is named. Raises `BadValue` that names the places where it was looked for."""
    named = environment.get(VARIABLE)
    if named:
        if problem := _absent(Path(named)):
            raise BadValue(VARIABLE, f"{named}: {problem}")
        return Path(named)
    places = {HERE: f"{HERE} in the current folder", INSTALLED: str(INSTALLED)}
    problems = {place: _absent(place) for place in places}
    for place, problem in problems.items():
        if not problem:
            return place
    looked = "; ".join(f"{told}: {problems[place]}" for place, told in places.items())
    raise BadValue(
        "configuration",
        f"there is none: no -c/--config FILE; {VARIABLE} is not set; {looked}. `dialer init` makes one",
    )


def _absent(path: Path) -> str:
    """Why there is no file of that name, "" when there is one."""
    try:
        path.stat()
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    return ""


def printable(text: str) -> str:
    """A text of others for a terminal, with nothing that a terminal obeys."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
