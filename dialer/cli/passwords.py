"""Passwords for accounts: from a prompt, from a file, or generated; never from the command line, which others can see."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from pathlib import Path
from typing import Any

from attrs import field, frozen

from dialer.errors import BadValue
from dialer.safe_files import UnsafeFile, refusal
from dialer.safe_paths import read_text

SHORTEST = 8
LONGEST = 1024
GENERATED_BYTES = 15
"""Of randomness: 20 characters."""


@frozen
class Password:
    """`generated` ones have to be told to their owner."""

    text: str = field(repr=False)
    generated: bool = False


def password_options(parser: Any) -> None:
    """The ways to give a password beside the prompt."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--password-file",
        metavar="FILE",
        help="its first line is the password; - is standard input",
    )
    ways.add_argument("--generate-password", action="store_true", help="make one up and show it")


def given_password(arguments: argparse.Namespace) -> Password | None:
    """The password that the options ask for; None when they ask for none. Raises `BadValue`."""
    if arguments.generate_password:
        return generated()
    if arguments.password_file is not None:
        return Password(from_file(arguments.password_file))
    return None


def generated() -> Password:
    """A new one."""
    return Password(secrets.token_urlsafe(GENERATED_BYTES), generated=True)


def from_file(name: str) -> str:
    """The first line of a file. Raises `BadValue`."""
    text = text_of(name, "--password-file", one_line=True)
    return checked(text.partition("\n")[0].removesuffix("\r"))


def text_of(name: str, option: str, *, one_line: bool = False) -> str:
    """The text of a file, - is standard input, of which `one_line` can be all that is read. Raises `BadValue` naming the
    option."""
    try:
        if name == "-":
            return sys.stdin.readline() if one_line else sys.stdin.read()
        return read_text(Path(name))
    except (OSError, UnsafeFile) as error:
        raise BadValue(option, f"{name} {refusal(error, 'read')}") from None
    except UnicodeDecodeError:
        raise BadValue(option, f"{name} is not UTF-8") from None


def prompted(username: str) -> Password:
    """Ask for it twice. Raises `BadValue`, also when nobody can be asked."""
    if not sys.stdin.isatty():
        raise BadValue("password", "give --password-file FILE or --generate-password where nobody can be asked for it")
    text = checked(getpass.getpass(f"Password of {username}: "))
    if getpass.getpass("Again: ") != text:
        raise BadValue("password", "the two are not the same")
    return Password(text)


def checked(text: str) -> str:
    """`text`, when it can be a password. Raises `BadValue`, which does not show it."""
    if not SHORTEST <= len(text) <= LONGEST:
        raise BadValue("password", f"expected {SHORTEST} to {LONGEST} characters, got {len(text)}")
    if not text.isprintable():
        raise BadValue("password", "holds a control character")
    return text
